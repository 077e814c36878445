"""The one way to start a task and the one way to run blocking work."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
_running: set[asyncio.Task[Any]] = set()
_gates: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
BLOCKING_THREADS = 16


def spawn(coro: Coroutine[Any, Any, _T], *, name: str) -> asyncio.Task[_T]:
    """Start a task that is kept alive until it ends and whose failure is logged, never lost."""
    task = asyncio.get_running_loop().create_task(coro, name=name)
    _running.add(task)
    task.add_done_callback(_ended)
    return task


def _ended(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("task %s failed", task.get_name(), exc_info=error)


async def run_blocking(work: Callable[..., _T], *args: object) -> _T:
    """Run `work(*args)` in a thread, at most 16 at once per loop.

    The thread is a daemon: a name look-up that hangs for half a minute must not hold up the end of the
    program, as a ThreadPoolExecutor would, which joins its threads at exit.
    """
    loop = asyncio.get_running_loop()
    gate = _gates.setdefault(loop, asyncio.Semaphore(BLOCKING_THREADS))
    async with gate:
        future: asyncio.Future[_T] = loop.create_future()
        threading.Thread(target=_work, args=(loop, future, work, args), daemon=True, name="ssgui-blocking").start()
        return await future


def _work(
    loop: asyncio.AbstractEventLoop, future: asyncio.Future[_T], work: Callable[..., _T], args: tuple[object, ...]
) -> None:
    result: _T | None = None
    error: BaseException | None = None
    try:
        result = work(*args)
    except BaseException as caught:  # noqa: BLE001  handed to whoever awaits
        error = caught
    try:
        loop.call_soon_threadsafe(_deliver, future, result, error)
    except RuntimeError:
        _log.debug("the loop ended before blocking work did")


def _deliver(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)

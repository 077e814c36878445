"""The merged loop: asyncio inside Qt's event loop.

qasync gives every `call_soon` a Qt timer and every readiness event two notifier toggles; its cancelled timers
live on, and `call_later` returns no TimerHandle. So on Unix this subclass takes from qasync how a loop lives
inside of an application, and from asyncio how callbacks, timers and descriptors are kept: the stock turn of a
selector loop, which never waits, run by Qt whenever there is something to do:

    a descriptor is ready       one QSocketNotifier on the one epoll (or kqueue) that holds all of them,
                                the relay's too: its legs are called from there
    something was scheduled     one QTimer: at once, or when the next asyncio timer is due

On Windows (IOCP has no readers) qasync's own loop is used as it is.
"""

import asyncio
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

os.environ.setdefault("QT_API", "pyside6")  # qasync would take whatever binding it finds first

import qasync
from PySide6 import QtCore

from ssgui.engine.loop import RelaySelector, all_foreign
from ssgui.engine.multiplexer import has_multiplexer

if TYPE_CHECKING:
    from PySide6.QtCore import QCoreApplication

_Stock: Any = qasync.QSelectorEventLoop if has_multiplexer() else qasync.QEventLoop
_TURNS = 4  # of the loop for one call from Qt, while callbacks beget callbacks; then the window has its turn
# While the relay has work the loop keeps the thread for so long before the window has its turn, and waits so long
# for more work: going back to Qt costs as much as three steps of a connection. Nobody sees a frame that is 3 ms late.
_SLICE = 0.003
_PATIENCE = 0.001
_Callback = Callable[..., object]


class _BriefSelector(RelaySelector):
    """Qt does the waiting, except that while the relay has work more of it is waited for, briefly.

    `until` (monotonic seconds) is the end of the slice, `busy` whether the relay had work in the last call.
    """

    until = 0.0
    busy = False

    def select(self, timeout: float | None = None) -> Any:
        end = self.until if timeout is None else min(self.until, time.monotonic() + timeout)
        patience, self.busy = _PATIENCE if self.busy else 0.0, False
        self.recalled = False
        poll, dispatch = self.multiplexer.poll, self.poller.dispatch if self.poller is not None else all_foreign
        foreign: Any = ()
        while ready := poll(patience if timeout is None or timeout > 0 else 0):
            foreign = dispatch(ready)
            self.busy = self.busy or len(foreign) < len(ready)
            if foreign or self.recalled or time.monotonic() >= end:
                break
            patience = _PATIENCE
        return self.found(foreign)


class _Driver(QtCore.QObject):
    """Calls `turn` when Qt finds `fd` readable, and when the time set by `ring_in` has come."""

    def __init__(self, fd: int, turn: Callable[[], None], parent: QtCore.QObject) -> None:
        super().__init__(parent)
        self._notifier = QtCore.QSocketNotifier(fd, QtCore.QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(turn)
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(turn)
        self.ring_in = self._timer.start  # milliseconds

    def dispose(self) -> None:
        """Ask Qt for nothing any more."""
        self._notifier.setEnabled(False)
        self._timer.stop()
        self.deleteLater()


class MergedLoop(_Stock):  # type: ignore[misc]  # qasync has no types
    """An asyncio loop that runs inside of `app.exec()`, with everything that asyncio's own loops promise.

    A nested Qt loop (`QDialog.exec`) inside of a callback or coroutine stops all others until it ends.
    """

    relay_selector: _BriefSelector
    _selector: Any
    _stopping: bool
    _thread_id: int | None

    def __init__(self, app: "QCoreApplication") -> None:
        self._application = app
        self._driver: _Driver | None = None
        self.relay_selector = _BriefSelector()
        self._turning = self._rung = False
        self._raised: BaseException | None = None
        super().__init__(app)
        theirs = self._selector
        pipe = self._ssock.fileno()
        theirs.unregister(pipe)
        theirs.close()
        self._selector = self.relay_selector
        self._add_reader(pipe, self._read_from_self)
        self._driver = _Driver(self.relay_selector.multiplexer.fileno(), self._turn, app)
        self._ring()

    # ---- asyncio's own, which qasync replaces; what schedules also rings

    time = asyncio.SelectorEventLoop.time
    call_later = asyncio.SelectorEventLoop.call_later
    call_soon_threadsafe = asyncio.SelectorEventLoop.call_soon_threadsafe
    run_in_executor = asyncio.SelectorEventLoop.run_in_executor
    set_default_executor = asyncio.SelectorEventLoop.set_default_executor
    set_exception_handler = asyncio.SelectorEventLoop.set_exception_handler
    get_exception_handler = asyncio.SelectorEventLoop.get_exception_handler
    default_exception_handler = asyncio.SelectorEventLoop.default_exception_handler
    call_exception_handler = asyncio.SelectorEventLoop.call_exception_handler
    get_debug = asyncio.SelectorEventLoop.get_debug
    set_debug = asyncio.SelectorEventLoop.set_debug
    is_running = asyncio.SelectorEventLoop.is_running
    run_until_complete = asyncio.SelectorEventLoop.run_until_complete
    for _name in ("_add_callback", "_add_reader", "_remove_reader", "_add_writer", "_remove_writer"):
        locals()[_name] = getattr(asyncio.SelectorEventLoop, _name)
    del _name

    def call_soon(self, callback: _Callback, *args: Any, context: Any = None) -> asyncio.Handle:
        """As asyncio's."""
        self.relay_selector.recalled = True
        handle = asyncio.SelectorEventLoop.call_soon(self, callback, *args, context=context)
        self._ring()
        return handle

    def call_at(self, when: float, callback: _Callback, *args: Any, context: Any = None) -> asyncio.TimerHandle:
        """As asyncio's."""
        self.relay_selector.recalled = True
        handle = asyncio.SelectorEventLoop.call_at(self, when, callback, *args, context=context)
        self._ring()
        return handle

    # ---- inside of Qt

    def _ring(self) -> None:
        """Have Qt run a turn soon. A turn that runs looks again at its end."""
        if self._rung or self._turning or self._driver is None:
            return
        self._rung = True
        self._driver.ring_in(0)

    def _turn(self, *_: object) -> None:
        if self._turning or not self.is_running():
            return  # a nested Qt loop inside of a callback; or nobody runs us: what is ready stays ready
        self._turning = True
        try:
            selector = self.relay_selector
            end = selector.until = self.time() + _SLICE
            selector.busy = False
            turns = 0
            while not self._stopping:
                self._run_once()
                turns = 0 if selector.busy else turns + 1
                if turns and (turns >= _TURNS or not self._ready):
                    break
                if self.time() >= end:
                    break
        except (KeyboardInterrupt, SystemExit) as error:  # out of the callback, as in asyncio; Qt would swallow it
            self._raised = error
            self._stopping = True
        finally:
            self._turning = self._rung = False
            self._look_ahead()

    def _look_ahead(self) -> None:
        """Have Qt run the next turn when there will be something to do."""
        if self._stopping:
            self._application.exit()
        elif self._ready:
            self._ring()
        elif self._scheduled:
            due = self._scheduled[0].when() - self.time()
            assert self._driver is not None
            self._driver.ring_in(min(max(0, math.ceil(due * 1000)), 1 << 30))

    def run_forever(self) -> None:
        """Run the application until `stop`, or until something else makes `app.exec()` return."""
        self._check_closed()
        self._check_running()
        self._set_coroutine_origin_tracking(self._debug)
        hooks = sys.get_asyncgen_hooks()
        self._thread_id = threading.get_ident()
        sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)
        asyncio._set_running_loop(self)
        wakeup = self._wake_on_signals()
        try:
            self._ring_anew()
            self._application.exec()
        finally:
            if wakeup is not None:
                signal.set_wakeup_fd(wakeup)
            self._stopping = False
            self._thread_id = None
            asyncio._set_running_loop(None)
            self._set_coroutine_origin_tracking(False)
            sys.set_asyncgen_hooks(*hooks)
        raised, self._raised = self._raised, None
        if raised is not None:
            raise raised

    def _wake_on_signals(self) -> int | None:
        """Qt waits in C: without a byte in the loop's pipe no Python signal handler would run before it returns."""
        if threading.current_thread() is not threading.main_thread():
            return None
        return signal.set_wakeup_fd(self._csock.fileno(), warn_on_full_buffer=False)

    def _ring_anew(self) -> None:
        """What was rung while nobody ran us has gone unheard."""
        self._rung = False
        self._ring()

    def stop(self) -> None:
        """Return from `run_forever` after this turn."""
        self._stopping = True
        self._ring()

    def close(self) -> None:
        """Give everything back; the application may get another loop."""
        if self.is_running():
            raise RuntimeError("Cannot close a running event loop")
        if self.is_closed():
            return
        if self._driver is not None:
            self._driver.dispose()
            self._driver = None
        asyncio.SelectorEventLoop.close(self)


def new_merged_loop(app: "QCoreApplication") -> asyncio.AbstractEventLoop:
    """The loop for a process with a window: merged where there is epoll or kqueue, else qasync's own."""
    return MergedLoop(app) if has_multiplexer() else qasync.QEventLoop(app)

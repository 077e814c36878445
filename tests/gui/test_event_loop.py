"""What asyncio promises of a loop, kept by the merged one."""

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from PySide6.QtCore import QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication

from ssgui.gui.event_loop import MergedLoop, new_merged_loop

ROOT = Path(__file__).parents[2]
_T = TypeVar("_T")
Run = Callable[[Coroutine[Any, Any, _T]], _T]


@pytest.fixture
def run(application: QApplication) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine in a merged loop of its own."""

    def runner(main: Coroutine[Any, Any, Any]) -> Any:
        async def bounded() -> Any:
            async with asyncio.timeout(20):
                return await main

        with asyncio.Runner(loop_factory=lambda: new_merged_loop(application)) as one:
            return one.run(bounded())

    return runner


def test_callbacks_run_in_order(run: Run[list[int]]) -> None:
    async def main() -> list[int]:
        loop, order, done = asyncio.get_running_loop(), list[int](), asyncio.Event()
        for number in range(100):
            loop.call_soon(order.append, number)
        loop.call_soon(done.set)
        assert not order
        await done.wait()
        return order

    assert run(main()) == list(range(100))


def test_timers_ring_in_the_order_of_their_times(run: Run[list[str]]) -> None:
    async def main() -> list[str]:
        loop, order, done = asyncio.get_running_loop(), list[str](), asyncio.Event()
        loop.call_later(0.03, done.set)
        loop.call_later(0.02, order.append, "second")
        loop.call_at(loop.time() + 0.01, order.append, "first")
        loop.call_soon(order.append, "at once")
        await done.wait()
        return order

    assert run(main()) == ["at once", "first", "second"]


def test_a_timer_never_rings_early(run: Run[None]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        for delay in (0.0, 0.0004, 0.001, 0.0113):
            start = loop.time()
            await asyncio.sleep(delay)
            assert loop.time() - start >= delay

    run(main())


def test_a_cancelled_timer_is_gone(run: Run[None]) -> None:
    class Payload:
        """Something that only a dead timer can keep alive."""

    async def main() -> None:
        loop, called = asyncio.get_running_loop(), list[object]()
        before = sum(isinstance(one, Payload) for one in gc.get_objects())
        for _ in range(500):
            handle = loop.call_later(3600, called.append, Payload())
            assert isinstance(handle, asyncio.TimerHandle)
            assert handle.when() > loop.time() + 3000
            handle.cancel()
            assert handle.cancelled()
        del handle
        await asyncio.sleep(0.01)
        assert not called
        assert len(loop._scheduled) < 120  # type: ignore[attr-defined]
        assert sum(isinstance(one, Payload) for one in gc.get_objects()) - before == 0

    run(main())


def test_readers_and_writers(run: Run[None]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        left, right = socket.socketpair()
        with left, right:
            left.setblocking(False)
            right.setblocking(False)
            readable, writable = asyncio.Event(), asyncio.Event()
            loop.add_reader(right, readable.set)
            loop.add_writer(left, writable.set)
            await writable.wait()
            assert loop.remove_writer(left)
            assert not loop.remove_writer(left)
            left.send(b"x")
            await readable.wait()
            assert right.recv(10) == b"x"
            assert loop.remove_reader(right)
            readable.clear()
            left.send(b"y")
            await asyncio.sleep(0.02)
            assert not readable.is_set()

    run(main())


def test_streams_and_datagrams(run: Run[None]) -> None:
    class Echo(asyncio.DatagramProtocol):
        transport: asyncio.DatagramTransport

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("asyncio.DatagramTransport", transport)

        def datagram_received(self, data: bytes, addr: Any) -> None:
            self.transport.sendto(data, addr)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        writer.close()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"a" * 300_000)
        writer.write_eof()
        assert len(await reader.read()) == 300_000
        writer.close()
        await writer.wait_closed()
        server.close()
        endpoint, _ = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect(endpoint.get_extra_info("sockname"))
            await loop.sock_sendall(sock, b"datagram")
            assert await loop.sock_recv(sock, 100) == b"datagram"
        endpoint.close()

    run(main())


def test_a_subprocess(run: Run[None]) -> None:
    async def main() -> None:
        command = [sys.executable, "-c", "print(input() * 2)"]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        assert (await process.communicate(b"ab\n"))[0].strip() == b"abab"
        assert process.returncode == 0

    run(main())


def test_calls_from_threads_arrive_while_the_loop_waits(run: Run[None]) -> None:
    async def main() -> None:
        loop, seen, done = asyncio.get_running_loop(), list[int](), asyncio.Event()

        def work() -> None:
            for number in range(1000):
                loop.call_soon_threadsafe(seen.append, number)
            loop.call_soon_threadsafe(done.set)

        thread = threading.Thread(target=work)
        thread.start()
        await done.wait()
        thread.join()
        assert seen == list(range(1000))
        assert await loop.run_in_executor(None, threading.get_ident) != threading.get_ident()

    run(main())


def test_an_exception_goes_to_the_handler_and_the_loop_goes_on(run: Run[None]) -> None:
    async def main() -> None:
        loop, contexts = asyncio.get_running_loop(), list[dict[str, Any]]()
        loop.set_exception_handler(lambda _loop, context: contexts.append(context))
        loop.call_soon(lambda: 1 / 0)
        loop.call_later(0.001, lambda: [][0])
        await asyncio.sleep(0.02)
        assert [type(context["exception"]) for context in contexts] == [ZeroDivisionError, IndexError]

    run(main())


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_leaving_by_an_exception_leaves_the_application_too(
    application: QApplication, error: type[BaseException]
) -> None:
    async def main() -> None:
        def leave() -> None:
            raise error

        asyncio.get_running_loop().call_soon(leave)
        await asyncio.sleep(10)

    loop = new_merged_loop(application)
    task = loop.create_task(main())
    with pytest.raises(error):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()


def test_the_result_and_the_failure_of_what_is_run(run: Run[int]) -> None:
    async def fine() -> int:
        return 7

    async def broken() -> int:
        raise LookupError("gone")

    assert run(fine()) == 7
    with pytest.raises(LookupError, match="gone"):
        run(broken())


def test_many_loops_one_after_the_other_leave_nothing_behind(application: QApplication, run: Run[None]) -> None:
    async def main() -> None:
        await asyncio.sleep(0.001)

    def open_descriptors() -> int:
        return len(os.listdir(f"/proc/{os.getpid()}/fd"))

    def left() -> tuple[int, int]:
        QTimer.singleShot(0, application.quit)
        application.exec()  # what was to be deleted later is deleted now
        gc.collect()
        return open_descriptors(), len(application.findChildren(QObject))

    run(main())
    before = left()
    for _ in range(20):
        run(main())
    assert left() == before


def test_a_signal_is_heard_while_qt_waits(run: Run[None]) -> None:
    async def main() -> None:
        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, heard.set)
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        await heard.wait()
        loop.remove_signal_handler(signal.SIGUSR1)

    run(main())


def test_qt_has_its_turn_while_callbacks_beget_callbacks(run: Run[None]) -> None:
    async def main() -> None:
        ticks = list[int]()
        timer = QTimer()
        timer.setInterval(5)
        timer.timeout.connect(lambda: ticks.append(1))
        timer.start()
        loop = asyncio.get_running_loop()
        end = loop.time() + 5
        while len(ticks) < 3:
            await asyncio.sleep(0)
            assert loop.time() < end, "Qt's timers starve"
        timer.stop()

    run(main())


def test_a_nested_qt_loop_outside_of_callbacks_stops_nobody(run: Run[None]) -> None:
    """A native menu or a drag runs one, from a slot."""

    async def main() -> None:
        steps, left = list[int](), asyncio.Event()

        def slot() -> None:
            nested = QEventLoop()
            QTimer.singleShot(40, nested.quit)
            nested.exec()
            left.set()

        async def work() -> None:
            while not left.is_set():
                steps.append(1)
                await asyncio.sleep(0.005)

        QTimer.singleShot(0, slot)
        await work()
        assert len(steps) >= 3

    run(main())


def test_twenty_thousand_callbacks_cost_no_reference(application: QApplication) -> None:
    """PySide6 6.12.0 on CPython before 3.12 lost one reference to None for each, and then died."""
    code = """
import asyncio, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from ssgui.gui.event_loop import new_merged_loop

async def main():
    loop, ticks = asyncio.get_running_loop(), []
    timer = QTimer()
    timer.setInterval(0)
    timer.timeout.connect(lambda: ticks.append(None))
    timer.start()
    while len(ticks) < 20_000:
        loop.call_later(0, int)
        await asyncio.sleep(0)
    del ticks[:]
    timer.stop()

app = QApplication([])
before = sys.getrefcount(None)
with asyncio.Runner(loop_factory=lambda: new_merged_loop(app)) as runner:
    runner.run(main())
drift = sys.getrefcount(None) - before
assert abs(drift) < 1000 or sys.version_info >= (3, 12), drift  # later it is immortal, whatever the count says
print("alive")
"""
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=50)
    assert (done.returncode, done.stdout.strip()) == (0, "alive"), done.stderr


def test_stop_before_anything_ran(application: QApplication) -> None:
    loop = new_merged_loop(application)
    assert isinstance(loop, MergedLoop)
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert not loop.is_running()
    loop.close()
    assert loop.is_closed()
    loop.close()

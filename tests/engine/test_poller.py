"""The seam: whose turn it is, and what a failing connection may not do."""

import asyncio
import logging
import time
from typing import Any

import pytest

from ssgui.engine.multiplexer import IN, OUT
from ssgui.engine.poller import ReadyPoller, TurnQueue


class FakeQueue:
    """A multiplexer that is told what to report."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def add(self, fd: int, mask: int) -> None:
        self.calls.append(("add", fd, mask))

    def add_edge(self, fd: int, mask: int) -> None:
        self.calls.append(("edge", fd, mask))

    def modify(self, fd: int, mask: int, *, edge: bool) -> None:
        self.calls.append(("modify", fd, mask, edge))

    def remove(self, fd: int) -> None:
        self.calls.append(("remove", fd))

    def poll(self, timeout: float | None) -> list[tuple[int, int]]:
        return []

    def fileno(self) -> int:
        return 99

    def close(self) -> None:
        self.calls.append(("close",))


class Sock:
    def __init__(self, fd: int) -> None:
        self.fd = fd

    def fileno(self) -> int:
        return self.fd


class Owner:
    """Notes its events; does what the test wants at the first."""

    def __init__(self, do: Any = None) -> None:
        self.masks: list[int] = []
        self.errors: list[Exception] = []
        self._do = do

    def event(self, mask: int) -> None:
        self.masks.append(mask)
        if self._do is not None:
            self._do()

    read_again = event

    def crashed(self, error: Exception) -> None:
        self.errors.append(error)


@pytest.fixture
def loop() -> Any:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def make(loop: asyncio.AbstractEventLoop) -> tuple[Any, FakeQueue]:
    queue = FakeQueue()
    return ReadyPoller(loop, queue), queue


def explode() -> None:
    raise RuntimeError("a bug")


def test_registering(loop: asyncio.AbstractEventLoop) -> None:
    poller, queue = make(loop)
    poller.register(Sock(3), Owner())
    poller.register(Sock(4), Owner(), True)
    poller.want_writable(Sock(3))
    poller.listen(Sock(5), Owner())
    poller.unlisten(Sock(5))
    poller.unlisten(Sock(5))
    assert queue.calls == [
        ("edge", 3, IN), ("edge", 4, IN | OUT), ("modify", 3, IN | OUT, True), ("add", 5, IN), ("remove", 5),
    ]  # fmt: skip


def test_what_is_nobodys_is_returned(loop: asyncio.AbstractEventLoop) -> None:
    poller, _ = make(loop)
    owner = Owner()
    poller.register(Sock(3), owner)
    assert poller.dispatch([(3, IN), (8, OUT)]) == [(8, OUT)]
    assert owner.masks == [IN]


def test_old_news_of_a_reused_descriptor_is_dropped(loop: asyncio.AbstractEventLoop) -> None:
    poller, _ = make(loop)
    new = Owner()

    def replace() -> None:
        poller.forget(Sock(4))
        poller.register(Sock(4), new, True)

    poller.register(Sock(3), Owner(replace))
    poller.register(Sock(4), Owner())
    poller.dispatch([(3, IN), (4, OUT)])
    assert new.masks == []
    poller.dispatch([(4, OUT)])
    assert new.masks == [OUT]


def test_a_failing_owner_loses_only_its_own(loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture) -> None:
    poller, _ = make(loop)
    bad, good = Owner(explode), Owner()
    poller.register(Sock(3), bad)
    poller.register(Sock(4), good)
    with caplog.at_level(logging.ERROR):
        poller.dispatch([(3, IN), (4, IN)])
    assert good.masks == [IN]
    assert [str(error) for error in bad.errors] == ["a bug"]
    assert "a connection failed inside the relay" in caplog.text


def test_again_comes_after_the_others(loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture) -> None:
    poller, _ = make(loop)
    order: list[str] = []

    class Leg:
        def __init__(self, name: str) -> None:
            self.name, self.errors = name, 0

        def read_again(self) -> None:
            order.append(self.name)
            if self.name == "bad":
                explode()

        def crashed(self, error: Exception) -> None:
            self.errors += 1

    first, bad, last = Leg("first"), Leg("bad"), Leg("last")
    for leg in (first, bad, last):
        poller.again(leg)
    assert order == []
    with caplog.at_level(logging.CRITICAL):
        loop.run_until_complete(asyncio.sleep(0))
    assert order == ["first", "bad", "last"]
    assert bad.errors == 1


class Reader:
    """A leg that always has more to read; `seconds` each time."""

    def __init__(self, queue: TurnQueue, times: int, seconds: float = 0.0) -> None:
        self._queue, self._times, self._seconds = queue, times, seconds
        self.reads = 0

    def read_again(self) -> None:
        time.sleep(self._seconds)
        self.reads += 1
        if self.reads < self._times:
            self._queue.add(self)

    def crashed(self, error: Exception) -> None:
        raise AssertionError(error)


def test_a_leg_waits_once_however_often_it_has_news(loop: asyncio.AbstractEventLoop) -> None:
    queue = TurnQueue(loop)
    leg = Reader(queue, 1)
    for _ in range(5):  # an edge-triggered leg hears of more while it waits for its turn
        queue.add(leg)
    loop.run_until_complete(asyncio.sleep(0))
    assert leg.reads == 1


def test_legs_take_turns_and_leave_the_loop_its_own(loop: asyncio.AbstractEventLoop) -> None:
    queue, ran = TurnQueue(loop), list[list[int]]()
    legs = [Reader(queue, 10, 0.001) for _ in range(3)]

    async def main() -> None:
        for leg in legs:
            queue.add(leg)
        while any(leg.reads < 10 for leg in legs):
            await asyncio.sleep(0)
            ran.append([leg.reads for leg in legs])

    loop.run_until_complete(main())
    assert len(ran) > 5  # others ran in between
    assert all(max(reads) - min(reads) <= 1 for reads in ran)

"""Readiness queues: epoll for real, kqueue against a recorded fake of the `select` module."""

import os
import select
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest

from ssgui.engine.multiplexer import ERR, HUP, IN, OUT, RDHUP, EpollMultiplexer, KqueueMultiplexer

READ, WRITE = -1, -2
ADD, DELETE, CLEAR, EOF = 0x1, 0x2, 0x20, 0x8000


@dataclass
class Kevent:
    """As `select.kevent`: what is changed, or what is ready."""

    ident: int
    filter: int
    flags: int = 0
    fflags: int = 0


@dataclass
class Kqueue:
    """Records changes, and has ready what the test puts there."""

    changes: list[Kevent] = field(default_factory=list)
    ready: list[Kevent] = field(default_factory=list)
    waited: list[Any] = field(default_factory=list)
    closed: bool = False

    def control(self, changes: list[Kevent] | None, most: int, timeout: float | None = None) -> list[Kevent]:
        if changes is None:
            self.waited.append((most, timeout))
            return self.ready
        assert most == 0
        self.changes += changes
        return []

    def fileno(self) -> int:
        return 77

    def close(self) -> None:
        self.closed = True


class FakeSelect:
    """The part of `select` that kqueue needs; the numbers are macOS's."""

    KQ_FILTER_READ, KQ_FILTER_WRITE = READ, WRITE
    KQ_EV_ADD, KQ_EV_DELETE, KQ_EV_CLEAR, KQ_EV_EOF = ADD, DELETE, CLEAR, EOF
    kevent = Kevent

    def __init__(self) -> None:
        self.queue = Kqueue()

    def kqueue(self) -> Kqueue:
        return self.queue


def test_kqueue_watches_edges_and_levels() -> None:
    api = FakeSelect()
    queue = KqueueMultiplexer(api)
    queue.add(5, IN)
    queue.add_edge(6, IN | OUT)
    assert api.queue.changes == [Kevent(5, READ, ADD), Kevent(6, READ, ADD | CLEAR), Kevent(6, WRITE, ADD | CLEAR)]


def test_kqueue_modifies_by_difference_and_removes() -> None:
    api = FakeSelect()
    queue = KqueueMultiplexer(api)
    queue.add(5, IN | OUT)
    api.queue.changes.clear()
    queue.modify(5, IN, edge=False)
    assert api.queue.changes == [Kevent(5, WRITE, DELETE), Kevent(5, READ, ADD)]
    api.queue.changes.clear()
    queue.modify(5, IN | OUT, edge=True)
    assert api.queue.changes == [Kevent(5, READ, ADD | CLEAR), Kevent(5, WRITE, ADD | CLEAR)]
    api.queue.changes.clear()
    queue.remove(5)
    assert api.queue.changes == [Kevent(5, READ, DELETE), Kevent(5, WRITE, DELETE)]
    with pytest.raises(KeyError):
        queue.remove(5)


@pytest.mark.parametrize(
    ("events", "mask"),
    [
        ([Kevent(5, READ)], IN),
        ([Kevent(5, WRITE)], OUT),
        ([Kevent(5, READ), Kevent(5, WRITE)], IN | OUT),
        ([Kevent(5, READ, EOF)], IN | RDHUP),
        ([Kevent(5, READ, EOF, 54)], IN | RDHUP | ERR | HUP),
        ([Kevent(5, WRITE, EOF)], OUT | HUP),
        ([Kevent(5, WRITE, EOF, 61)], OUT | HUP | ERR),
    ],
)
def test_kqueue_says_what_epoll_would(events: list[Kevent], mask: int) -> None:
    api = FakeSelect()
    api.queue.ready = events
    queue = KqueueMultiplexer(api)
    assert queue.poll(0.5) == [(5, mask)]
    assert queue.poll(None) == [(5, mask)]
    assert api.queue.waited == [(64, 0.5), (64, None)]
    assert queue.fileno() == 77
    queue.close()
    assert api.queue.closed


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="epoll: not on this system")
def test_epoll_tells_edges_once_and_levels_again() -> None:
    queue = EpollMultiplexer()
    left, right = socket.socketpair()
    reader, writer = os.pipe()
    try:
        queue.add_edge(left.fileno(), IN)
        queue.add(reader, IN)
        right.send(b"x")
        os.write(writer, b"x")
        assert sorted(queue.poll(1)) == sorted([(left.fileno(), IN), (reader, IN)])
        assert queue.poll(0) == [(reader, IN)]
        right.shutdown(socket.SHUT_WR)
        assert (left.fileno(), IN | RDHUP) in queue.poll(0)
        queue.remove(reader)
        queue.modify(left.fileno(), IN | OUT, edge=True)
        assert queue.poll(0) == [(left.fileno(), IN | OUT | RDHUP)]
    finally:
        queue.close()
        for sock in (left, right):
            sock.close()
        os.close(reader)
        os.close(writer)

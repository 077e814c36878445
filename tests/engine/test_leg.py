"""One leg over real sockets: how much it reads, what it holds, and what it must not miss."""

import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from ssgui.engine.leg import Leg
from ssgui.engine.multiplexer import ERR, IN, OUT, RDHUP
from ssgui.engine.poller import ANY_SIZE
from ssgui.engine.reactor import READ_FIRST, READ_MOST, READ_TIGHT, UNSENT_BUDGET, Reactor


class Poller:
    """Notes what it is asked for."""

    read_most = ANY_SIZE

    def __init__(self) -> None:
        self.asked: list[str] = []

    def register(self, stream: Any, owner: Any, writable: bool = False) -> None:
        self.asked.append("register writable" if writable else "register")

    def want_writable(self, stream: Any) -> None:
        self.asked.append("writable")

    def forget(self, stream: Any) -> None:
        self.asked.append("forget")

    def again(self, leg: Any) -> None:
        self.asked.append("again")


class Owner:
    """Notes what its legs tell."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def ended(self, leg: Leg) -> None:
        self.told.append("ended")

    def finished(self, leg: Leg) -> None:
        self.told.append("finished")

    def lost(self, leg: Leg, error: OSError) -> None:
        self.told.append(f"lost {type(error).__name__}")
        leg.close()


class Recorder:
    """A socket that records the sizes that are asked for and gives and takes what the test says."""

    def __init__(self, gives: int = 0, takes: int = 1 << 30) -> None:
        self.gives, self.takes, self.sizes, self.sent = gives, takes, list[int](), 0

    def recv_into(self, view: memoryview, limit: int) -> int:
        self.sizes.append(limit)
        if not self.gives:
            raise BlockingIOError
        got = min(limit, self.gives)
        self.gives -= got
        return got

    def send(self, view: memoryview) -> int:
        if not self.takes:
            raise BlockingIOError
        sent = min(self.takes, len(view))
        self.takes -= sent
        self.sent += sent
        return sent

    def close(self) -> None:
        self.gives = 0


@pytest.fixture
def reactor() -> Reactor:
    return Reactor(None, Poller())  # type: ignore[arg-type]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    listener = socket.create_server(("127.0.0.1", 0))
    theirs = socket.create_connection(listener.getsockname())
    ours, _ = listener.accept()
    ours.setblocking(False)
    theirs.settimeout(5)
    yield ours, theirs
    for sock in (listener, ours, theirs):
        sock.close()


def joined(reactor: Reactor, source: Any, sink: Any) -> tuple[Leg, Leg, Owner]:
    """Two legs of one owner, each the other's peer."""
    owner: Any = Owner()
    left, right = Leg(reactor, source, owner), Leg(reactor, sink, owner)
    left.peer, right.peer = right, left
    return left, right, owner


def test_reads_grow_while_they_fill_and_are_sent_whole(reactor: Reactor) -> None:
    source = Recorder(gives=1 << 30)
    left, _, _ = joined(reactor, source, Recorder())
    for _ in range(5):
        left.event(IN)
    assert source.sizes[:5] == [READ_FIRST, 2 * READ_FIRST, 4 * READ_FIRST, READ_MOST, READ_MOST]


def test_reads_fall_back_on_a_partial_send_and_the_source_pauses(reactor: Reactor) -> None:
    source, sink = Recorder(gives=1 << 30), Recorder()
    left, right, _ = joined(reactor, source, sink)
    left.event(IN)
    left.read_again()
    sink.takes = 1000
    left.read_again()
    assert left.paused
    assert len(right.held) == source.sizes[-1] - 1000 == reactor.unsent
    sink.takes = 1 << 30
    right.event(OUT)
    assert (right.held, reactor.unsent, left.paused) == (b"", 0, False)
    assert READ_FIRST in source.sizes[3:]


def test_reads_are_small_while_too_much_is_unsent(reactor: Reactor) -> None:
    reactor.unsent = UNSENT_BUDGET + 1
    source = Recorder(gives=1 << 20)
    left, _, _ = joined(reactor, source, Recorder())
    left.event(IN)
    assert set(source.sizes) == {READ_TIGHT}


def test_one_read_and_then_the_others_have_their_turn(reactor: Reactor) -> None:
    source = Recorder(gives=1 << 30)
    left, _, _ = joined(reactor, source, Recorder())
    left.event(IN)
    assert len(source.sizes) == 1
    assert reactor.poller.asked == ["again"]  # type: ignore[attr-defined]
    left.read_again()
    assert len(source.sizes) == 2


def test_reads_are_small_while_many_legs_are_ready(reactor: Reactor) -> None:
    reactor.poller.read_most = 1000
    source = Recorder(gives=1 << 30)
    left, _, _ = joined(reactor, source, Recorder())
    left.event(IN)
    left.read_again()
    assert source.sizes == [1000, 1000]


def test_a_fin_that_came_with_a_short_read_is_heard(reactor: Reactor, pair: Any) -> None:
    ours, theirs = pair
    left, _, owner = joined(reactor, ours, Recorder())
    theirs.sendall(b"last words")
    theirs.shutdown(socket.SHUT_WR)
    left.event(IN | RDHUP)  # edge-triggered: nobody will say this again
    assert left.received == 10
    assert owner.told == ["ended"]


def test_a_paused_leg_remembers_that_there_is_something(reactor: Reactor, pair: Any) -> None:
    ours, theirs = pair
    left, right, owner = joined(reactor, ours, Recorder())
    left.pause()
    theirs.sendall(b"x")
    left.event(IN)
    assert left.received == 0
    left.resume()
    assert left.received == 1
    assert right.sock.sent == 1  # type: ignore[attr-defined]
    assert owner.told == []


def test_a_paused_leg_hears_a_reset(reactor: Reactor, pair: Any) -> None:
    ours, theirs = pair
    left, _, owner = joined(reactor, ours, Recorder())
    left.pause()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    left.event(IN | RDHUP | ERR)
    assert owner.told == ["lost ConnectionResetError"]


def test_finishing_waits_for_what_is_held(reactor: Reactor, pair: Any) -> None:
    ours, theirs = pair
    leg = Leg(reactor, ours, owner := Owner())  # type: ignore[arg-type]
    leg.send(bytes(20_000_000))
    assert leg.held
    leg.finish()
    assert owner.told == []
    got = 0
    while leg.held:
        got += len(theirs.recv(1 << 20))
        leg.event(OUT)
    assert owner.told == ["finished"]
    while data := theirs.recv(1 << 20):
        got += len(data)
    assert got == 20_000_000
    assert reactor.unsent == 0


def test_a_reset_and_a_close_look_different(reactor: Reactor, pair: Any) -> None:
    ours, theirs = pair
    Leg(reactor, ours, Owner()).reset()  # type: ignore[arg-type]
    with pytest.raises(ConnectionResetError):
        theirs.recv(1)


def test_emptied_before_it_is_closed(reactor: Reactor, pair: Any) -> None:
    ours, theirs = pair
    leg = Leg(reactor, ours, Owner())  # type: ignore[arg-type]
    theirs.sendall(bytes(100_000))
    leg.empty_and_close()
    assert theirs.recv(1) == b""

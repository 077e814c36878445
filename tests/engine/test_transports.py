"""Transports that pass for sockets: what they are handed, what they owe, what they keep."""

import asyncio
import errno
import socket
from typing import Any

import pytest

from ssgui.engine.multiplexer import IN, OUT, RDHUP
from ssgui.engine.transports import TransportPoller, TransportSocket


class KeepingTransport(asyncio.Transport):
    """Keeps what it is handed, as it is, and sends it when the test says so: CPython 3.12 does that too."""

    def __init__(self, takes: int) -> None:
        super().__init__()
        self.takes = takes  # bytes that the kernel has room for
        self.kept: list[Any] = []
        self.waiting = 0
        self.calls: list[str] = []

    def write(self, data: Any) -> None:
        self.kept.append(data)
        self.waiting += max(0, len(data) - self.takes)
        self.takes = max(0, self.takes - len(data))

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.calls.append(f"high {high}")

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")

    def write_eof(self) -> None:
        self.calls.append("eof")

    def abort(self) -> None:
        self.calls.append("abort")


class Owner:
    def __init__(self) -> None:
        self.masks: list[int] = []

    def event(self, mask: int) -> None:
        self.masks.append(mask)

    def crashed(self, error: Exception) -> None:
        raise AssertionError(error)


@pytest.fixture
async def made() -> Any:
    """A transport socket on a keeping transport with room for 4 bytes, and its owner."""
    poller = TransportPoller(asyncio.get_running_loop())
    ours, theirs = socket.socketpair()
    stream, transport, owner = TransportSocket(poller, ours), KeepingTransport(4), Owner()
    stream._owner = owner
    stream.connection_made(transport)
    yield stream, transport, owner, poller
    ours.close()
    theirs.close()


async def test_a_transport_never_sees_the_scratch(made: Any) -> None:
    stream, transport, _, _ = made
    scratch = bytearray(b"good")
    assert stream.send(memoryview(scratch)) == 4
    scratch[:] = b"evil"
    assert b"".join(transport.kept) == b"good"


async def test_what_is_unsent_is_owed_and_then_acknowledged(made: Any) -> None:
    stream, transport, owner, _ = made
    stream.pause_writing()
    assert stream.send(memoryview(b"123456789")) == 4
    with pytest.raises(BlockingIOError):
        stream.send(memoryview(b"56789"))
    transport.waiting = 0
    stream.resume_writing()
    assert owner.masks == [OUT]
    assert stream.send(memoryview(b"56789")) == 5
    assert b"".join(transport.kept) == b"123456789"


async def test_more_than_is_owed_is_told_to_be_writable_again(made: Any) -> None:
    stream, transport, owner, _ = made
    stream.pause_writing()
    stream.send(memoryview(b"123456"))
    transport.waiting, transport.takes = 0, 100
    stream.resume_writing()
    assert stream.send(memoryview(b"56more")) == 2
    await asyncio.sleep(0)
    assert owner.masks == [OUT, OUT]
    assert stream.send(memoryview(b"more")) == 4
    assert b"".join(transport.kept) == b"123456more"


async def test_a_delivery_is_kept_until_it_is_read(made: Any) -> None:
    stream, transport, owner, poller = made
    view = memoryview(bytearray(4))
    with pytest.raises(BlockingIOError):
        stream.recv_into(view, 4)
    stream.get_buffer(-1)[:6] = b"abcdef"
    stream.buffer_updated(6)
    poller.arrival[:6] = b"zzzzzz"
    assert owner.masks == [IN]
    assert transport.calls[1:] == ["pause"]
    assert stream.recv_into(view, 4) == 4
    assert bytes(view) == b"abcd"
    assert transport.calls[1:] == ["pause"]
    assert stream.recv_into(view, 4) == 2
    assert transport.calls[1:] == ["pause", "resume"]


async def test_after_eof_reading_is_never_resumed(made: Any) -> None:
    stream, transport, owner, _ = made
    stream.get_buffer(-1)[:2] = b"ab"
    stream.buffer_updated(2)
    assert stream.eof_received() is True
    assert owner.masks == [IN, IN | RDHUP]
    view = memoryview(bytearray(4))
    assert [stream.recv_into(view, 4), stream.recv_into(view, 4)] == [2, 0]
    assert "resume" not in transport.calls


async def test_a_lost_connection_is_an_error_for_both_ways(made: Any) -> None:
    stream, _, owner, _ = made
    stream.connection_lost(ConnectionResetError(errno.ECONNRESET, "reset"))
    assert owner.masks[-1] & IN
    with pytest.raises(ConnectionResetError):
        stream.recv_into(memoryview(bytearray(1)), 1)
    with pytest.raises(ConnectionResetError):
        stream.send(memoryview(b"x"))
    assert stream.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET


async def test_closing_and_finishing(made: Any) -> None:
    stream, transport, owner, _ = made
    stream.shutdown(socket.SHUT_WR)
    stream.close()
    assert transport.calls[1:] == ["eof", "abort"]
    stream.connection_lost(None)
    assert owner.masks == []


async def test_closing_before_it_is_connected_leaves_no_socket() -> None:
    poller = TransportPoller(asyncio.get_running_loop())
    sock = socket.socket()
    stream = poller.wrap(sock)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert stream.connect_ex(listener.getsockname()) == errno.EINPROGRESS
        stream.close()
        await poller.close()
    assert sock.fileno() == -1

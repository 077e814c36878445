"""Datagrams for the engine's tests: echoing origins, programs that hold a lease, Shadowsocks clients by hand."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Self, cast

from ssgui.engine.relay import LocalRelay
from ssgui.protocol.address import Address, decode_address, encode_address
from tests.engine.world import World

SocketAddress = tuple[str, int]
SILENCE = 0.2  # in which loopback has long delivered


class Peer(asyncio.DatagramProtocol):
    """A datagram socket; what comes is in `received`, and answered if there is an `answer`."""

    def __init__(self, answer: Callable[[bytes], bytes] | None = None) -> None:
        self.received: list[tuple[bytes, SocketAddress]] = []
        self._answer = answer
        self._arrived = asyncio.Event()
        self._taken = 0
        self._transport: asyncio.DatagramTransport

    @classmethod
    async def open(cls, answer: Callable[[bytes], bytes] | None = None, host: str = "127.0.0.1", port: int = 0) -> Self:
        """On a port of its own. A large buffer: a burst must not be lost in front of us."""
        peer = cls(answer)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        sock.bind((host, port))
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: peer, sock=sock)
        return peer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.received.append((data, address[:2]))
        self._arrived.set()
        if self._answer is not None:
            self._transport.sendto(self._answer(data), address)

    @property
    def address(self) -> SocketAddress:
        """Where it receives."""
        address: SocketAddress = self._transport.get_extra_info("sockname")[:2]
        return address

    def send(self, data: bytes, address: SocketAddress) -> None:
        """Send one datagram."""
        self._transport.sendto(data, address)

    async def next(self, seconds: float = 10) -> tuple[bytes, SocketAddress]:
        """The next datagram that was not taken yet; TimeoutError if none comes."""
        async with asyncio.timeout(seconds):
            while self._taken >= len(self.received):
                self._arrived.clear()
                await self._arrived.wait()
        self._taken += 1
        return self.received[self._taken - 1]

    async def silence(self) -> None:
        """AssertionError if anything comes now."""
        try:
            data, address = await self.next(SILENCE)
        except TimeoutError:
            return
        raise AssertionError(f"{data!r} came from {address}")

    def close(self) -> None:
        """Give the port back."""
        self._transport.abort()


class Program:
    """A program that was given a lease: `peer` sends through the relay's UDP port, `writer` is the lease."""

    def __init__(self, peer: Peer, writer: asyncio.StreamWriter, relay: SocketAddress) -> None:
        self.peer, self.writer, self.relay = peer, writer, relay

    def send(self, data: bytes, target: SocketAddress, head: bytes = b"\0\0\0") -> None:
        """Have `data` sent to `target`."""
        self.peer.send(head + encode_address(*target) + data, self.relay)

    async def receive(self, seconds: float = 10) -> tuple[bytes, Address]:
        """The next answer, and where it came from."""
        data, source = await self.peer.next(seconds)
        assert source == self.relay
        assert data[:3] == b"\0\0\0"
        found = decode_address(data[3:])
        assert found is not None
        return data[3 + found[1] :], found[0]

    async def ask(self, data: bytes, target: SocketAddress) -> bytes:
        """Send, and the answer, which must come from the target if that is an address."""
        self.send(data, target)
        return (await self.receive())[0]


class UDPWorld:
    """Adds datagrams to a `World`, which closes them."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def peer(
        self, answer: Callable[[bytes], bytes] | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> Peer:
        """A socket of its own; with `answer` an origin."""
        peer = await Peer.open(answer, host, port)
        self.world.at_end(peer.close)
        return peer

    async def echo(self, host: str = "127.0.0.1", port: int = 0) -> Peer:
        """An origin that sends back what it gets."""
        return await self.peer(lambda data: data, host, port)

    async def program(self, relay: LocalRelay, named_port: bool = False) -> Program:
        """A program that has asked `relay` for UDP."""
        peer = await self.peer()
        source = peer.address if named_port else ("0.0.0.0", 0)
        reader, writer = await self.world.open(relay.address)
        writer.write(b"\x05\x01\x00" + b"\x05\x03\x00" + encode_address(*source))
        assert await reader.readexactly(2) == b"\x05\x00"
        reply = await reader.readexactly(10)
        if reply[1]:
            raise ConnectionError(reply[1])
        found = decode_address(reply[3:])
        assert found is not None
        return Program(peer, writer, (found[0].host, found[0].port))

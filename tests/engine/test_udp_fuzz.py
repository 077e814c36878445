"""Whatever comes in a datagram, at either end: nothing raises, nothing is left behind, and the next one is served."""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.engine.udp import association as udp_association
from ssgui.engine.udp.local import SocksUDPRelay
from ssgui.engine.udp.program import LocalAssociation, ServerSocket
from ssgui.engine.udp.server import ServerUDPRelay
from ssgui.protocol.address import encode_address
from tests.engine.udp_world import UDPWorld
from tests.engine.world import StubLookup, World, until

EXAMPLES = 300
HEADERS = st.sampled_from([b"", *(encode_address(host, 9) for host in ("127.0.0.1", "::1", "a.test"))])
PLAIN = st.one_of(st.binary(max_size=300), st.builds(lambda head, data: head + data, HEADERS, st.binary(max_size=40)))
PACKETS = st.lists(st.tuples(st.binary(max_size=4), PLAIN), max_size=8)


class Given:
    """A port that has received what a test says."""

    def __init__(self, packets: Iterable[bytes], source: Any) -> None:
        self._packets, self._source = list(packets), source

    def recvfrom_into(self, view: memoryview) -> tuple[int, Any]:
        if not self._packets:
            raise BlockingIOError
        packet = self._packets.pop()
        view[: len(packet)] = packet
        return len(packet), self._source

    def recv_into(self, view: memoryview) -> int:
        return self.recvfrom_into(view)[0]

    def fileno(self) -> int:
        return -1

    def send(self, data: memoryview | bytes) -> int:
        return len(data)

    def sendto(self, data: memoryview | bytes, address: Any) -> int:
        return len(data)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(autouse=True)
def _nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random targets are all over the world: what would be sent to them is dropped."""

    def none(family: int) -> socket.socket:
        raise OSError(errno.EMFILE, "no socket")

    monkeypatch.setattr(udp_association, "outgoing_socket", none)


def run(scenario: Callable[[World], Any]) -> None:
    async def main() -> None:
        async with World("nested") as world:
            await scenario(world)

    asyncio.run(main())


def test_what_programs_send() -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, _ = await world.pair(udp=True)
        program = await udp.program(client)
        relay = client.udp
        assert isinstance(relay, SocksUDPRelay)

        @settings(max_examples=EXAMPLES)
        @given(PACKETS)
        def feed(packets: list[tuple[bytes, bytes]]) -> None:
            relay.receive(Given([head + b"\0" * 3 + plain for head, plain in packets], program.peer.address))
            relay.receive(Given([b"\0" * 3 + plain for _, plain in packets], program.peer.address))

        feed()
        assert len(relay.associations) == 1

    run(scenario)


def test_what_clients_send() -> None:
    async def scenario(world: World) -> None:
        server = await world.server(udp=True)
        server.resolver._lookup = StubLookup(OSError("no name"))
        relay = server.udp
        assert isinstance(relay, ServerUDPRelay)
        other = await world.server(udp=True)
        assert isinstance(other.udp, ServerUDPRelay)
        seal = other.udp.codec.seal

        @settings(max_examples=EXAMPLES)
        @given(PACKETS)
        def feed(packets: list[tuple[bytes, bytes]]) -> None:
            source = ("127.0.0.1", 9)
            relay.receive(Given([plain for _, plain in packets], source))
            relay.receive(Given([seal(source, plain) for _, plain in packets], source))
            assert len(relay.associations) <= 1

        feed()
        assert relay.associations
        await until(lambda: relay.complaints.counts.get("unresolved"))

    run(scenario)


def test_what_servers_answer() -> None:
    async def scenario(world: World) -> None:
        udp = UDPWorld(world)
        client, server = await world.pair(udp=True)
        program = await udp.program(client)
        program.send(b"x", ("127.0.0.1", 9))
        await until(lambda: client.udp is not None and client.udp.associations)
        assert client.udp is not None
        assert isinstance(server.udp, ServerUDPRelay)
        (association,) = client.udp.associations.values()
        assert isinstance(association, LocalAssociation)
        codec, seal = association._codec, server.udp.codec.seal
        assert codec is not None

        @settings(max_examples=EXAMPLES)
        @given(PACKETS)
        def feed(packets: list[tuple[bytes, bytes]]) -> None:
            ServerSocket(association, Given([plain for _, plain in packets], None), codec).event(1)
            ServerSocket(association, Given([seal(None, plain) for _, plain in packets], None), codec).event(1)

        feed()
        assert client.udp.complaints.counts["bad"] > EXAMPLES

    run(scenario)

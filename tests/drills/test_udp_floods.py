"""Floods of datagrams and of associations, on the real programs: memory stays bounded, the others are served.

Figures are printed, and in the assertion messages.
"""

import os
import resource
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest

from ssgui.engine.tunnel import client_tunnel
from ssgui.protocol.address import encode_address
from tests.drills.test_memory import KIB, settled
from tests.support.datagrams import UdpEcho, UdpProgram
from tests.support.origin import Origin
from tests.support.processes import METHOD, PASSWORD, Program, ssgui_local, ssgui_server
from tests.support.socks_client import receive_exactly, socks_connect

FLOOD = 100_000
MANY = 10_000
MOST_GROWTH = 64 * KIB * KIB
pytestmark = [pytest.mark.long, pytest.mark.timeout(300), pytest.mark.xdist_group("memory")]


@pytest.fixture
def programs(ssgui_program: Sequence[str]) -> Iterator[list[Program]]:
    """A client and its server, with UDP."""
    if not os.path.exists("/proc/self/status"):
        pytest.skip("/proc: not on this system")
    flags = ["-u"]
    with (
        ssgui_server(ssgui_program, flags=flags) as server,
        ssgui_local(ssgui_program, server.address, flags=flags) as client,
    ):
        yield [client, server]


@pytest.fixture
def _room() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < MANY + 1000:
        pytest.skip(f"descriptors: this test needs {MANY + 1000}, the limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (MANY + 1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def little_growth(what: str, programs: list[Program]) -> Iterator[Callable[[], None]]:
    """Neither program grows much while the block runs, and connections and datagrams go through them.

    The block calls what it gets now and then, to see that others are served.
    """
    with Origin() as origin, UdpEcho() as echo, UdpProgram(programs[0].address) as other:

        def others_are_served() -> None:
            with socks_connect(programs[0].address, origin.address) as sock:
                sock.sendall(b"ECHO\nx")
                assert receive_exactly(sock, 1) == b"x"
            for _ in range(3):  # a datagram may be lost in a flood
                other.sock.settimeout(2)
                other.send(b"served", echo.address)
                try:
                    assert other.receive() == b"served"
                    break
                except TimeoutError:
                    continue
            else:
                raise AssertionError("no datagram came back")

        others_are_served()
        before = settled(programs)
        yield others_are_served
        growth = [now - then for now, then in zip(settled(programs), before, strict=True)]
        others_are_served()
        print(f"{what}: client and server grew by {[size // KIB for size in growth]} KiB")
        assert max(growth) < MOST_GROWTH, f"{what}: client and server grew by {growth} bytes"


def test_a_flood_from_one_source(programs: list[Program]) -> None:
    with (
        little_growth(f"{FLOOD} datagrams from one source", programs) as others_are_served,
        UdpEcho() as target,
        UdpProgram(programs[0].address) as flooder,
    ):
        for number in range(FLOOD):
            flooder.send(b"x" * 200, target.address)
            if number % (FLOOD // 5) == 0:
                others_are_served()
        assert len(target.received) > FLOOD // 20


def test_a_flood_of_names(programs: list[Program]) -> None:
    with (
        little_growth("20000 names", programs) as others_are_served,
        UdpProgram(programs[0].address) as flooder,
    ):
        for number in range(20_000):
            flooder.send(b"x" * 1000, (f"{number}.invalid", 9))
            if number % 5000 == 0:
                others_are_served()


@pytest.mark.usefixtures("_room")
def test_many_associations_are_asked_for(programs: list[Program]) -> None:
    with (
        little_growth(f"{MANY} programs ask for UDP", programs) as others_are_served,
        UdpEcho() as target,
        ExitStack() as stack,
    ):
        for number in range(MANY):
            program = stack.enter_context(UdpProgram(programs[0].address))
            program.send(b"x", target.address)
            assert program.receive() == b"x"
            program.sock.close()
            if number % (MANY // 5) == 0:
                others_are_served()
        print(f"descriptors: {[len(os.listdir(f'/proc/{one.process.pid}/fd')) for one in programs]}")
        others_are_served()


def test_a_server_has_many_clients(programs: list[Program]) -> None:
    codec = client_tunnel(METHOD, PASSWORD).client_datagrams()
    server = programs[1]
    with little_growth(f"{MANY} clients", programs) as others_are_served, UdpEcho() as target:
        packet_plain = encode_address(*target.address) + b"x"
        for number in range(MANY):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(10)
                sock.bind((f"127.0.{number % 16}.2", 0))
                sock.sendto(codec.seal(packet_plain), server.address)
                assert codec.open(sock.recv(1000)) == packet_plain
            if number % (MANY // 5) == 0:
                others_are_served()
        held = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        print(f"descriptors of the server: {held}")
        assert held < 4096 + 100

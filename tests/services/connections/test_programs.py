"""Connections get the names of their programs, in the background."""

import asyncio
from collections.abc import Iterable

import pytest

from ssgui.engine.stages import Role
from ssgui.services.connections.programs import Programs
from ssgui.services.connections.records import Connection
from ssgui.system.processes.flows import Flow, Program


class Lookup:
    """Knows what it is told, and can refuse."""

    def __init__(self) -> None:
        self.known: dict[Flow, Program] = {}
        self.asked: list[set[Flow]] = []
        self.refuses = False

    def programs(self, flows: Iterable[Flow]) -> dict[Flow, Program]:
        self.asked.append(set(flows))
        if self.refuses:
            raise OSError(1, "not permitted")
        return {flow: self.known[flow] for flow in self.asked[-1] if flow in self.known}


def connection(number: int, client: str = "127.0.0.1:5000", inbound: str = "socks5") -> Connection:
    return Connection(number, number, inbound, client, 0.0)


async def looked(programs: Programs) -> None:
    programs.look()
    while programs._looking:  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def test_a_program_is_named_and_asked_for_once() -> None:
    lookup = Lookup()
    lookup.known[Flow(("127.0.0.1", 5000), ("127.0.0.1", 1080))] = Program("curl", 7)
    lookup.known[Flow(("::1", 5001), ("::1", 1080), udp=True)] = Program("dig", 8)
    programs = Programs(lookup, lambda: 1080)
    tcp, udp = connection(1), connection(2, "[::1]:5001", "tunnel-udp")
    programs.opened(tcp)
    programs.opened(udp)
    await looked(programs)
    assert (tcp.program, tcp.pid, udp.program, udp.pid) == ("curl", 7, "dig", 8)
    await looked(programs)
    assert len(lookup.asked) == 1


async def test_one_that_is_not_found_is_given_up_after_a_few_times() -> None:
    lookup = Lookup()
    programs = Programs(lookup, lambda: 1080)
    one = connection(1)
    programs.opened(one)
    for _ in range(9):
        await looked(programs)
    assert len(lookup.asked) == 3
    assert (one.program, one.pid) == ("", 0)


async def test_a_servers_clients_and_nonsense_are_not_asked_for() -> None:
    lookup = Lookup()
    programs = Programs(lookup, lambda: 1080)
    server = connection(1)
    server.role = Role.SERVER
    programs.opened(server)
    await looked(programs)
    assert lookup.asked == []
    programs.opened(connection(2, "nonsense"))
    await looked(programs)
    assert lookup.asked == [set()]


async def test_a_system_that_refuses_is_not_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    lookup = Lookup()
    lookup.refuses = True
    programs = Programs(lookup, lambda: 1080)
    programs.opened(connection(1))
    with caplog.at_level("INFO"):
        await looked(programs)
    assert "programs have no names: not permitted" in caplog.text
    programs.opened(connection(2))
    await looked(programs)
    assert len(lookup.asked) == 1

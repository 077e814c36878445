"""The leak check against a real server, and in every state in which it has less to say."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from ssgui.app.context import AppContext
from ssgui.app.leak_check import Check, Kind, Result, check_leaks
from ssgui.app.log_buffer import LogBuffer
from ssgui.config.app_config import AppConfig, Mode, Server, Settings
from ssgui.config.models import ServerSettings
from ssgui.config.secret import Secret
from ssgui.config.store import Store
from ssgui.protocol.address import Address
from ssgui.system.interfaces import Addresses
from ssgui.system.network import NetworkState
from tests.support.ports import free_port

PASSWORD, METHOD = Secret("a password"), "aes-256-gcm"


class NameServer(asyncio.DatagramProtocol):
    """Answers with the number of the question, or with nonsense."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.nonsense = False

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked.append(data)
        self.transport.sendto(b"\0\0" if self.nonsense else data[:2] + b"\x81\x80", addr)


@pytest.fixture
async def name_server() -> AsyncIterator[tuple[NameServer, Address]]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, ("127.0.0.1", 0))
    yield server, Address(*transport.get_extra_info("sockname"))
    transport.close()


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[AppContext]:
    made = AppContext(Store(tmp_path), LogBuffer())
    settings = ServerSettings("127.0.0.1", free_port(), METHOD, PASSWORD, udp=True, forbidden=())
    relay = await made.engine.start_server(settings)
    host, port = relay.address
    server = Server(id="1", host=host, port=port, method=METHOD, password=PASSWORD)
    chosen = Settings(local_port=free_port(), mode=Mode.GLOBAL)
    made.change(AppConfig(servers=(server,), current="1", settings=chosen))
    await made.settled()
    yield made
    await made.stop()


async def checks(context: AppContext, name_server: Address) -> dict[Kind, Check]:
    found = await check_leaks(context, name_server)
    assert [one.kind for one in found] == list(Kind)
    return {one.kind: one for one in found}


async def test_nothing_leaks(context: AppContext, name_server: tuple[NameServer, Address]) -> None:
    found = await checks(context, name_server[1])
    assert found[Kind.PORT] == Check(Kind.PORT, Result.GOOD, "here")
    assert found[Kind.NAMES] == Check(Kind.NAMES, Result.GOOD, "server")
    assert found[Kind.UDP].result is Result.GOOD
    assert 0 < found[Kind.UDP].number < 4
    assert len(name_server[0].asked) == 1
    assert found[Kind.SYSTEM] == Check(Kind.SYSTEM, Result.UNKNOWN, "none")


async def test_rules_have_names_looked_up_here(context: AppContext, name_server: tuple[NameServer, Address]) -> None:
    context.choose_mode(Mode.RULES)
    await context.settled()
    await context.rules.settled()
    found = await checks(context, name_server[1])
    assert found[Kind.NAMES] == Check(Kind.NAMES, Result.WARN, "rules")
    assert found[Kind.UDP].why == "direct"


async def test_a_server_that_carries_no_datagrams(
    context: AppContext, name_server: tuple[NameServer, Address]
) -> None:  # fmt: skip
    name_server[0].nonsense = True
    assert (await checks(context, name_server[1]))[Kind.UDP] == Check(Kind.UDP, Result.WARN, "silent")
    context.change_settings(udp=False)
    await context.settled()
    assert (await checks(context, name_server[1]))[Kind.UDP] == Check(Kind.UDP, Result.WARN, "off")


async def test_a_port_that_others_reach(context: AppContext, name_server: tuple[NameServer, Address]) -> None:
    context.change_settings(share=True, udp=False)
    await context.settled()
    assert (await checks(context, name_server[1]))[Kind.PORT] == Check(Kind.PORT, Result.BAD, "open")
    context.change_settings(user="me", user_password=Secret("secret"))
    await context.settled()
    found = await checks(context, name_server[1])
    assert found[Kind.PORT] == Check(Kind.PORT, Result.GOOD, "guarded")
    assert found[Kind.NAMES].why == "server"  # our own request knows the password


async def test_nobody_listens(context: AppContext, name_server: tuple[NameServer, Address]) -> None:
    context.change(msgspec.structs.replace(context.config, servers=(), current=""))
    await context.settled()
    found = await checks(context, name_server[1])
    assert [found[kind].why for kind in (Kind.PORT, Kind.NAMES, Kind.UDP)] == ["closed"] * 3
    context.choose_mode(Mode.OFF)
    assert (await checks(context, name_server[1]))[Kind.SYSTEM] == Check(Kind.SYSTEM, Result.WARN, "off")


async def test_programs_that_look_names_up_and_a_way_past_us(
    context: AppContext, name_server: tuple[NameServer, Address]
) -> None:
    first = (await checks(context, name_server[1]))[Kind.HABITS]
    assert first.result in (Result.GOOD, Result.UNKNOWN)  # our own question for a name may count by now
    assert context.proxy.relay is not None
    _, writer = await asyncio.open_connection(*context.proxy.relay.address)
    writer.write(b"\x05\x01\x00" + b"\x05\x01\x00\x01\x01\x02\x03\x04\x00\x50")
    async with asyncio.timeout(10):
        while not any(one.target == "1.2.3.4:80" for one in context.connections.live.values()):
            context.look()
            await asyncio.sleep(0.01)
    carrying = frozenset({"127.0.0.1", "2a00:1450:4001::1", "fe80::1"})
    context.awake.state = NetworkState(addresses=Addresses(carrying, carrying))
    found = await checks(context, name_server[1])
    assert found[Kind.HABITS].result is Result.WARN
    assert found[Kind.HABITS].number == 1
    assert found[Kind.IPV6] == Check(Kind.IPV6, Result.WARN, "has", 1)
    writer.close()
    context.awake.state = NetworkState(addresses=None)
    assert (await checks(context, name_server[1]))[Kind.IPV6] == Check(Kind.IPV6, Result.UNKNOWN, "nobody tells")

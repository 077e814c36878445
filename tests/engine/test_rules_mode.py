"""Rules mode: programs that know no PAC follow the same rules."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from ssgui.engine.events import Closed, StageChanged
from ssgui.engine.relay import LocalRelay
from ssgui.engine.resolver import SockAddr
from ssgui.engine.stages import Stage
from ssgui.protocol.address import Address
from ssgui.rules.acl import Match, Route
from ssgui.rules.matcher import Matcher
from ssgui.rules.model import Policy, PolicyMode
from ssgui.rules.plain_lists import parse_plain
from ssgui.rules.reader import read_user_rules
from tests.engine.test_http import serve_http
from tests.engine.world import World, reset, until

Play = Callable[..., None]
HERE = ("127.0.0.1", 5000)


def rules(text: str, **values: object) -> Matcher:
    return Matcher(Policy(user=read_user_rules(text), **values))  # type: ignore[arg-type]


def ways(world: World, relay: LocalRelay) -> list[tuple[str, str]]:
    """Route and rule of each connection, when it began to resolve."""
    changes = [event for event in world.events(relay) if isinstance(event, StageChanged)]
    return [(one.route, one.rule) for one in changes if one.stage is Stage.DNS]


def test_each_target_goes_its_way(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        route = client.router.route
        assert route(Address("example.com", 443), HERE).route is Route.PROXY
        client.router.follow(rules("||example.com\n|http://plain.test\n@@||free.example.com"))
        assert route(Address("www.example.com", 443), HERE) == Match(Route.PROXY, "user: ||example.com")
        assert route(Address("free.example.com", 443), HERE) == Match(Route.DIRECT, "user: @@||free.example.com")
        assert route(Address("other.test", 443), HERE) == Match(Route.DIRECT, "")
        assert route(Address("plain.test", 80), HERE).route is Route.PROXY
        assert route(Address("plain.test", 443), HERE).route is Route.DIRECT
        assert route(Address("192.168.1.1", 80), HERE) == Match(Route.DIRECT, "local")
        routes = parse_plain("198.51.100.0/24", "routes", Route.DIRECT)
        client.router.follow(Matcher(Policy(PolicyMode.BYPASS, lists=(routes,))))
        assert route(Address("198.51.100.7", 443), HERE) == Match(Route.DIRECT, "routes: 198.51.100.0/24")
        client.router.pause(True)
        assert route(Address("example.com", 443), HERE) == Match(Route.DIRECT, "paused")
        client.router.pause(False)
        client.router.follow(None)
        assert route(Address("198.51.100.7", 443), HERE) == Match(Route.PROXY, "")

    play(scenario)


def test_our_own_port_and_machine_stay_out_of_reach(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        client.router.follow(rules("||nothing.test"))
        assert client.router.route(Address("127.0.0.1", client.address[1]), HERE).route is Route.REJECT
        far = client.router.route(Address("127.0.0.1", 80), ("192.0.2.9", 5))
        assert (far.route, far.rule) == (Route.REJECT, "lan-guard")

    play(scenario)


def test_requests_to_one_host_may_go_different_ways(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, server = await world.pair()
        address = await world.origin(serve_http)
        origin = f"127.0.0.1:{address[1]}"
        client.router.follow(
            Matcher(Policy(user=read_user_rules(f"*/secret\n@@||{origin}")))  # of this machine: never through a server
        )
        reader, writer = await world.open(client.address)
        for path in ("/a", "/secret/b", "/c"):
            writer.write(f"GET http://{origin}{path} HTTP/1.1\r\nHost: {origin}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            assert f"GET {path} ".encode() in await reader.readexactly(size)
        assert [route for route, _ in ways(world, client)] == ["direct"]  # one way, for all of them
        assert not [event for event in world.events(server) if isinstance(event, Closed)]

    play(scenario)


def test_a_new_way_where_the_rules_of_a_path_say_so(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssgui.rules.matcher.stays_here", lambda host: False)  # the origin is here, for want of another

    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        address = await world.origin(serve_http)
        origin = f"127.0.0.1:{address[1]}"
        client.router.follow(rules(f"{origin}/secret"))
        reader, writer = await world.open(client.address)
        for path in ("/a", "/secret/b", "/secret/c", "/d"):
            writer.write(f"GET http://{origin}{path} HTTP/1.1\r\nHost: {origin}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            assert f"GET {path} ".encode() in await reader.readexactly(size)
        rule = f"user: {origin}/secret"
        assert ways(world, client) == [("direct", ""), ("proxy", rule), ("direct", "")]

    play(scenario)


def test_rules_are_exchanged_while_connections_go_on(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        echo = await world.echo()
        reader, writer = await world.connect(client, *echo, payload=b"a")
        assert await reader.readexactly(1) == b"a"
        client.router.follow(rules("||nothing.test"))
        other, _ = await world.connect(client, *echo, payload=b"b")
        assert await other.readexactly(1) == b"b"
        writer.write(b"c")
        assert await reader.readexactly(1) == b"c"
        assert [route for route, _ in ways(world, client)] == ["proxy", "direct"]
        await asyncio.sleep(0)

    play(scenario)


class Names:
    """What the system's DNS knows, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def lookup(self, host: str, port: int) -> list[SockAddr]:
        self.asked.append(host)
        known = {"near.test": "127.0.0.1", "far.test": "203.0.113.9"}
        if host not in known:
            raise OSError("no such name")
        return [SockAddr(socket.AF_INET, (known[host], port))]

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("ask", [True, False])
def test_names_are_judged_by_address_only_where_that_is_wanted(play: Play, ask: bool) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        names = Names()
        client.resolver._lookup = names
        port = (await world.echo())[1]
        routes = parse_plain("127.0.0.0/8", "routes", Route.DIRECT)
        user = read_user_rules("||ruled.test")
        client.router.follow(Matcher(Policy(PolicyMode.BYPASS, user, (routes,))), ask_dns=ask)
        for host in ("far.test", "nobody.test", "ruled.test"):
            await world.connect(client, host, port)
        assert names.asked == (["far.test", "nobody.test"] if ask else [])
        if ask:
            reader, _ = await world.connect(client, "near.test", port, payload=b"a")
            assert await reader.readexactly(1) == b"a"
        found = {one.target: (one.route, one.rule) for one in world.events(client) if isinstance(one, StageChanged)}
        through = ("proxy", "")
        assert found[f"far.test:{port}"] == found[f"nobody.test:{port}"] == through
        assert found[f"ruled.test:{port}"] == ("proxy", "user: ||ruled.test")
        if ask:
            assert found[f"near.test:{port}"] == ("direct", "routes: 127.0.0.0/8")

    play(scenario)


def test_who_goes_while_a_name_is_asked_for_leaves_nothing(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        begun, ended = asyncio.Event(), asyncio.Event()

        class Slow(Names):
            async def lookup(self, host: str, port: int) -> list[SockAddr]:
                begun.set()
                try:
                    await asyncio.get_running_loop().create_future()
                finally:
                    ended.set()
                return []

        client.resolver._lookup = Slow()
        routes = parse_plain("127.0.0.0/8", "routes", Route.DIRECT)
        client.router.follow(Matcher(Policy(PolicyMode.BYPASS, lists=(routes,))), ask_dns=True)
        _, writer = await world.open(client.address)
        writer.write(b"\x05\x01\x00\x05\x01\x00\x03\x09slow.test\x00\x50")
        await asyncio.wait_for(begun.wait(), 10)
        if world.hears_resets_while_paused:
            reset(writer)
            await asyncio.wait_for(ended.wait(), 2)  # before DNS gives up
        else:
            await client.engine.stop(0)
            assert ended.is_set()
        await until(lambda: not client.engine.handlers)

    play(scenario)


def test_our_own_downloads_go_through_a_server_once(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        router = client.router
        router.follow(rules("||nothing.test"))
        target = Address("lists.test", 443)
        router.own(HERE)
        assert router.route(target, HERE) == Match(Route.PROXY, "")
        assert router.route(target, HERE).route is Route.DIRECT
        router.own(HERE)
        router.pause(True)
        assert router.route(target, HERE).route is Route.DIRECT

    play(scenario)

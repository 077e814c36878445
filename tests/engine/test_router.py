"""Where a client's connections go, and what a program on another computer never reaches."""

from collections.abc import Callable
from typing import Any

import pytest

from ssgui.engine import own_machine
from ssgui.engine import relay as relay_module
from ssgui.engine.events import Closed, StageChanged
from ssgui.engine.forbidden import AclGuard, ForbiddenAddresses
from ssgui.engine.own_machine import LoopGuard, OwnMachine, can_bind, is_loopback
from ssgui.engine.resolver import SockAddr
from ssgui.engine.router import Router
from ssgui.engine.stages import Reason
from ssgui.protocol.address import Address
from ssgui.rules.acl import Match, Route, parse_acl
from ssgui.rules.lan import is_lan
from ssgui.system.addresses import own_address
from tests.engine.world import World, digest_then_answer

Play = Callable[..., None]
HERE, NEIGHBOUR = ("127.0.0.1", 50000), ("192.0.2.50", 50000)
OWN = frozenset({"192.0.2.7", "2001:db8::7"})
D, P, R = Route.DIRECT, Route.PROXY, Route.REJECT


def machine(bindable: Callable[[str], bool] = lambda address: False, **options: Any) -> OwnMachine:
    """A machine with the addresses OWN."""
    return OwnMachine(OWN, bindable=bindable, **options)


def way(router: Router, host: str, port: int = 80, client: Any = HERE) -> Match:
    return router.route(Address(host, port), client)


def test_without_rules_everything_goes_through_a_server() -> None:
    router = Router(machine=machine())
    for host in ("example.com", "10.0.0.1", "localhost", "127.0.0.1", "::1", "192.0.2.7"):
        assert way(router, host) == Match(P)
    assert way(router, "10.0.0.1", client=NEIGHBOUR) == Match(P)


def test_an_explicit_rule_wins_over_bypass_lan_and_that_over_the_default() -> None:
    acl = parse_acl(
        "[proxy_list]\n10.1.0.0/16\n||work.local\n[bypass_list]\n||example.com\n[outbound_block_list]\n||ads.example"
    )
    router = Router(acl, bypass_lan=True, machine=machine())
    assert way(router, "10.1.2.3") == Match(P, "10.1.0.0/16 (line 2)")
    assert way(router, "a.work.local").route is P
    assert way(router, "10.2.0.1") == Match(D, "bypass-lan")
    assert way(router, "printer") == Match(D, "bypass-lan")
    assert way(router, "www.example.com").route is D
    assert way(router, "x.ads.example") == Match(R, "||ads.example (line 7)")
    assert way(router, "example.org") == Match(P)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "172.31.255.255", "192.168.1.1", "169.254.1.1", "100.64.0.1", "224.0.0.251", "::1",
     "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::fb", "::ffff:192.168.1.1", "255.255.255.255", "printer", "PRINTER.",
     "localhost", "nas.local", "a.b.local.", "x.localhost", "hub.home.arpa"],
)  # fmt: skip
def test_what_is_local(host: str) -> None:
    assert is_lan(host)
    assert way(Router(bypass_lan=True, machine=machine()), host) == Match(D, "bypass-lan")


@pytest.mark.parametrize(
    "host",
    ["172.32.0.1", "192.169.0.1", "100.128.0.1", "8.8.8.8", "2001:db8::1", "::ffff:8.8.8.8", "local.example.com",
     "example.com", "", ".", "192.0.2.1"],
)  # fmt: skip
def test_what_is_not_local(host: str) -> None:
    assert not is_lan(host)


# ---- programs on other computers

THIS_MACHINE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "::1", "::", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1",
    "::127.0.0.1", "192.0.2.7", "::ffff:192.0.2.7", "64:ff9b::192.0.2.7", "2001:db8::7", "2001:0DB8:0::7", "fe80::1%lo",
    "169.254.169.254", "localhost", "LOCALHOST.", "a.localhost",
]  # fmt: skip


@pytest.mark.parametrize("host", THIS_MACHINE)
@pytest.mark.parametrize("client", [NEIGHBOUR, ("2001:db8::50", 50000, 0, 0), ("::ffff:192.0.2.50", 5, 0, 0)])
def test_a_lan_client_does_not_reach_this_machine_whatever_the_rules(host: str, client: Any) -> None:
    for router in (
        Router(machine=machine()),
        Router(bypass_lan=True, machine=machine()),
        Router(parse_acl("[bypass_all]"), machine=machine()),
        Router(parse_acl("[proxy_list]\n0.0.0.0/0\n::/0\n."), machine=machine()),
    ):
        assert way(router, host, client=client) == Match(R, "lan-guard")


@pytest.mark.parametrize("host", ["192.0.2.8", "10.0.0.1", "example.com", "2001:db8::8", "fd00::1"])
def test_a_lan_client_reaches_everything_else(host: str) -> None:
    assert way(Router(machine=machine()), host, client=NEIGHBOUR) == Match(P)


@pytest.mark.parametrize(
    ("client", "local"),
    [(("127.0.0.1", 1), True), (("127.1.2.3", 1), True), (("::1", 1, 0, 0), True),
     (("::ffff:127.0.0.1", 1, 0, 0), True), (("192.0.2.7", 1), False),
     (("fe80::1%eth0", 1, 0, 2), False), (("::ffff:10.0.0.1", 1, 0, 0), False)],
)  # fmt: skip
def test_who_is_on_this_computer(client: Any, local: bool) -> None:
    assert is_loopback(client) == local


def test_addresses_of_this_machine_may_change() -> None:
    now, mine = [0.0], {"192.0.2.77"}
    asked: list[str] = []

    def bindable(address: str) -> bool:
        asked.append(address)
        return address in mine

    own = machine(bindable, clock=lambda: now[0])
    assert own.has("192.0.2.77")
    assert not own.has("192.0.2.78")
    mine.clear()
    mine.add("192.0.2.78")
    count = len(asked)
    assert own.has("192.0.2.77")  # asked a moment ago
    assert len(asked) == count
    now[0] = 11.0
    assert not own.has("192.0.2.77")
    assert own.has("192.0.2.78")
    assert own.has("::ffff:192.0.2.78")


def test_where_everything_can_be_bound_only_known_addresses_count() -> None:
    own = machine(lambda address: True)
    assert own.has("192.0.2.7")
    assert not own.has("192.0.2.8")


def test_answers_about_addresses_are_bounded() -> None:
    own = machine()
    for number in range(3000):
        own.has(f"10.0.{number >> 8}.{number & 255}")
    assert len(own._answers) <= own_machine._MOST_KNOWN


def test_what_can_be_bound_is_ours() -> None:
    assert can_bind("127.0.0.1")
    assert not can_bind("240.0.0.1")
    assert not can_bind("no address")


# ---- loops


@pytest.mark.parametrize(
    ("bound", "target", "loop"),
    [
        ("127.0.0.1", "127.0.0.1", True), ("127.0.0.1", "127.0.0.2", True), ("127.0.0.1", "::ffff:127.0.0.1", True),
        ("127.0.0.1", "0.0.0.0", True), ("127.0.0.1", "192.0.2.7", False), ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "::ffff:192.0.2.7", True), ("192.0.2.7", "127.0.0.1", False), ("192.0.2.7", "192.0.2.8", False),
        ("0.0.0.0", "192.0.2.7", True), ("0.0.0.0", "127.0.0.1", True), ("::", "2001:db8::7", True),
        ("::", "::1", True), ("0.0.0.0", "192.0.2.8", False), ("::1", "::1", True),
    ],
)  # fmt: skip
def test_a_connection_to_our_own_port_goes_nowhere(bound: str, target: str, loop: bool) -> None:
    router = Router(parse_acl("[bypass_all]"), machine=machine())
    router.loop_guard.listening = (bound, 1080)
    assert way(router, target, 1080) == (Match(R, "own-port") if loop else Match(D))
    assert way(router, target, 1081) == Match(D)
    assert bool(router.loop_guard.denies(target, 1080, "a.name")) == loop


def test_before_it_listens_there_is_no_loop() -> None:
    assert not LoopGuard(machine()).denies("127.0.0.1", 0, "x")


# ---- connections


def resolve_to(relay: Any, *addresses: str) -> None:
    """Let the relay's resolver find these addresses for every name."""

    class Fixed:
        async def lookup(self, host: str, port: int) -> list[SockAddr]:
            return [SockAddr(10 if ":" in one else 2, (one, port)) for one in addresses]

        def close(self) -> None:
            """Nothing is open."""

    relay.resolver._lookup = Fixed()


def test_a_direct_connection_and_its_rule(play: Play) -> None:
    async def scenario(world: World) -> None:
        target = await world.origin(digest_then_answer)
        client = await world.client(("127.0.0.1", 9), bypass_lan=True)
        reader, writer = await world.connect(client, *target, payload=b"x")
        writer.write_eof()
        assert len(await reader.read()) == 32
        (closed,) = await world.closed(client)
        assert closed.reason is Reason.FINISHED
        last = [event for event in world.events(client) if isinstance(event, StageChanged)][-1]
        assert (last.route, last.rule, last.server) == ("direct", "bypass-lan", "")

    play(scenario)


def test_a_name_that_goes_direct_is_resolved_here(play: Play) -> None:
    async def scenario(world: World) -> None:
        host, port = await world.echo()
        client = await world.client(("127.0.0.1", 9), acl=parse_acl("||direct.example"))
        resolve_to(client, host)
        reader, _ = await world.connect(client, "direct.example", port, payload=b"hello")
        assert await reader.readexactly(5) == b"hello"

    play(scenario)


def test_what_the_list_blocks_is_refused(play: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(("127.0.0.1", 9), acl=parse_acl("[outbound_block_list]\n||ads.example"))
        with pytest.raises(ConnectionError, match="2"):
            await world.connect(client, "x.ads.example", 80)
        (closed,) = await world.closed(client)
        assert closed.reason is Reason.DENIED
        last = [event for event in world.events(client) if isinstance(event, StageChanged)][-1]
        assert (last.route, last.rule) == ("reject", "||ads.example (line 2)")

    play(scenario)


def test_a_name_that_leads_to_our_own_port_is_refused(play: Play) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(("127.0.0.1", 9), acl=parse_acl("[bypass_all]"))
        resolve_to(client, "127.0.0.1")
        for host in ("127.0.0.1", "loop.example"):
            with pytest.raises(ConnectionError, match="2"):
                await world.connect(client, host, client.address[1])

    play(scenario)


def test_a_lan_client_and_a_name_that_resolves_to_this_machine(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(world: World) -> None:
        host, port = await world.echo()
        client = await world.client(("127.0.0.1", 9), acl=parse_acl("[bypass_all]"))
        resolve_to(client, host)
        reader, _ = await world.connect(client, "rebound.example", port, payload=b"x")
        assert await reader.readexactly(1) == b"x"
        for module in (relay_module, own_machine):
            monkeypatch.setattr(module, "is_loopback", lambda client: False)
        with pytest.raises(ConnectionError, match="2"):
            await world.connect(client, "rebound.example", port)
        monkeypatch.undo()
        reader, _ = await world.connect(client, "rebound.example", port, payload=b"x")
        assert await reader.readexactly(1) == b"x"

    play(scenario)


def test_a_client_from_another_address(play: Play) -> None:
    own = own_address()
    if own is None or ":" in own:
        pytest.skip("this machine has no IPv4 address besides loopback to come from")

    async def scenario(world: World) -> None:
        _, port = await world.echo()
        server = await world.server()
        client = await world.client(server.address, bind_host="0.0.0.0", acl=parse_acl("||direct.example"))
        resolve_to(client, "127.0.0.1")
        client.address = (own, client.address[1])
        for host in ("127.0.0.1", own, "::ffff:127.0.0.1", "localhost", "direct.example", "0.0.0.0"):
            with pytest.raises(ConnectionError, match="2"):
                await world.connect(client, host, port)
        client.address = ("127.0.0.1", client.address[1])
        reader, _ = await world.connect(client, "127.0.0.1", port, payload=b"x")
        assert await reader.readexactly(1) == b"x"

    play(scenario)


# ---- a server's list


def test_a_servers_guard() -> None:
    acl = parse_acl(
        "[outbound_block_all]\n[outbound_block_list]\n10.0.0.0/8\n[outbound_allow_list]\n||ok.example\n192.0.2.0/24"
    )
    guard = AclGuard(acl, ForbiddenAddresses(()))
    assert guard.denies("10.0.0.1", 80, "10.0.0.1") == "10.0.0.0/8 (line 3)"
    assert guard.denies("10.0.0.1", 80, "ok.example") == "10.0.0.0/8 (line 3)"
    assert guard.denies("64:ff9b::10.0.0.1", 80, "ok.example") == "10.0.0.0/8 (line 3)"
    assert guard.denies("8.8.8.8", 80, "ok.example") == ""
    assert guard.denies("8.8.8.8", 80, "other.example") == "[outbound_block_all]"
    assert guard.denies("192.0.2.1", 80, "other.example") == ""
    assert guard.denies("::ffff:192.0.2.1", 80, "other.example") == ""


def test_a_server_denies_targets(play: Play) -> None:
    async def scenario(world: World) -> None:
        host, port = await world.echo()
        server = await world.server(acl=parse_acl("[outbound_block_list]\n||bad.example\n127.0.0.2"))
        resolve_to(server, "127.0.0.2")
        client = await world.client(server.address)
        for number, (target, detail) in enumerate(
            [
                ("x.bad.example", "the target is denied by ||bad.example (line 2)"),
                ("127.0.0.2", "the target is denied by 127.0.0.2 (line 3)"),
                ("other.example", "it resolves to denied addresses only (127.0.0.2 (line 3))"),
            ],
            1,
        ):
            _, _ = await world.connect(client, target, port, payload=b"x")
            closed = (await world.closed(server, number))[-1]
            assert (closed.reason, closed.detail) == (Reason.DENIED, detail)
        reader, _ = await world.connect(client, host, port, payload=b"x")
        assert await reader.readexactly(1) == b"x"

    play(scenario)


def test_a_client_that_a_server_does_not_want_is_met_like_a_stranger(play: Play) -> None:
    async def scenario(world: World) -> None:
        engine = world.engine(drain_deadline=0.3)
        server = await world.server(engine=engine, acl=parse_acl("[reject_all]\n[white_list]\n192.0.2.1"))
        client = await world.client(server.address)
        reader, writer = await world.connect(client, *await world.echo(), payload=b"x")
        assert await reader.read() == b""
        writer.close()
        (closed,) = await world.closed(server)
        assert (closed.reason, closed.detail) == (Reason.DENIED, "the client is denied by [reject_all]")
        assert [type(event) for event in world.events(server)].count(Closed) == 1

    play(scenario)

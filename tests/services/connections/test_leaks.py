"""Which programs look names up themselves, send datagrams, or go past the server."""

from ssgui.engine.stages import Role, Stage
from ssgui.services.connections.leaks import MOST_PROGRAMS, Habits, Leaks, total
from ssgui.services.connections.records import Connection

_number = iter(range(1, 1 << 30)).__next__


def connection(target: str, program: str = "firefox", *, route: str = "proxy", inbound: str = "socks5") -> Connection:
    one = Connection(_number(), 1, inbound, "127.0.0.1:5000", 0.0, program=program)
    one.target, one.route, one.ended = target, route, 10.0
    return one


def reported(*ended: Connection, live: tuple[Connection, ...] = (), now: float = 100.0) -> dict[str, Habits]:
    leaks = Leaks()
    for one in ended:
        leaks.closed(one)
    return {habits.program: habits for habits in leaks.report(live, now)}


def test_a_program_that_gives_addresses_has_looked_names_up() -> None:
    found = reported(
        connection("example.com:443"), connection("93.184.216.34:443"), connection("[2606:2800:220:1::1]:80"),
        connection("192.168.1.1:80"), connection("[fe80::1]:80"), connection("printer:631"), connection(""),
        connection("example.com:443", "curl"),
    )  # fmt: skip
    assert found == {
        "firefox": Habits("firefox", requests=3, by_address=2),
        "curl": Habits("curl", requests=1),
    }
    assert found["firefox"].share == 2 / 3
    assert found["curl"].share == 0
    assert Habits("nothing").share == 0


def test_datagrams_quic_and_questions_to_name_servers() -> None:
    association = connection("93.184.216.34:443", "chrome")
    association.timeline = [(Stage.INIT, 0.0), (Stage.ADDR, 0.0), (Stage.UDP_ASSOC, 0.0)]
    found = reported(
        association, connection("9.9.9.9:53", "dig", inbound="tunnel-udp"), connection("9.9.9.9:53", "dig"),
    )  # fmt: skip
    assert found["chrome"] == Habits("chrome", requests=1, by_address=1, datagrams=1, quic=1)
    assert found["dig"] == Habits("dig", requests=2, datagrams=1, dns=2)


def test_ipv6_past_the_server() -> None:
    found = reported(
        connection("[2606:2800:220:1::1]:443", route="direct"), connection("93.184.216.34:443", route="direct"),
        connection("example.com:443", route="direct"),
    )  # fmt: skip
    assert found["firefox"].direct_ipv6 == 1


def test_what_lives_counts_and_one_that_ended_waits_for_its_name() -> None:
    leaks = Leaks()
    one = connection("example.com:443", "")
    leaks.closed(one)
    assert [habits.program for habits in leaks.report([], 11.0)] == [""]
    one.program = "late"
    live = connection("1.1.1.1:443", "live")
    server = connection("1.1.1.1:443", "server")
    server.role = Role.SERVER
    for now in (11.0, 99.0, 99.0):
        assert {habits.program for habits in leaks.report([live, server], now)} == {"late", "live"}
    leaks.forget()
    assert leaks.report([], 99.0) == []


def test_programs_are_bounded() -> None:
    found = reported(*(connection("example.com:443", f"program {number}") for number in range(MOST_PROGRAMS + 50)))
    assert len(found) == MOST_PROGRAMS + 1
    assert found[""].requests == 50
    assert total(found.values()).requests == MOST_PROGRAMS + 50

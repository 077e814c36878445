"""What decides on this computer: lists and the person's rules are followed, kept, explained and counted."""

import base64
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ssgui.config.app_config import STARTER, AppConfig, RuleSource
from ssgui.config.secret import Secret
from ssgui.engine.pages import Fetched
from ssgui.rules import pac_compiler
from ssgui.rules.acl import Route
from ssgui.rules.model import PolicyMode
from ssgui.rules.reader import ListError
from ssgui.services.connections.records import Connection
from ssgui.services.rules.current import RulesService
from ssgui.services.rules.hits import unseen_with_a_pac
from ssgui.services.rules.lists import CATALOGUE, RuleFolder, checked, geosite, names_of, parse, source_of
from ssgui.services.rules.own_file import RulesError
from ssgui.services.rules.pac_pages import PATH

PORT = ("127.0.0.1", 1080)
LIST = RuleSource(id="one", name="one", url=Secret("https://lists.example/one.txt"))
ROUTES = RuleSource(id="routes", name="routes", url=Secret("https://lists.example/routes.txt"), direct=True)


class World:
    """A data directory, a configuration that is replaced, and what is made of both."""

    def __init__(self, folder: Path, *sources: RuleSource) -> None:
        self.config = AppConfig(rule_lists=sources)
        self.folder, self.turned = folder, 0
        self.day = "2026-11-24"
        self.rules = self.service()

    def service(self) -> RulesService:
        return RulesService(self.folder, lambda: self.config, self.turn, wall=lambda: 5.0, today=lambda: self.day)

    def turn(self) -> None:
        self.turned += 1

    def body(self, source: RuleSource, text: str) -> None:
        RuleFolder(self.folder).keep(source, text.encode())

    async def follow(self, **settings: object) -> None:
        changed = msgspec.structs.replace(self.config.settings, **settings)
        self.config = msgspec.structs.replace(self.config, settings=changed)
        self.rules.follow()
        await self.rules.settled()

    def route(self, url: str) -> Route:
        return self.rules.explain(url).pac.route

    def serve(self, **values: Any) -> bytes:
        wanted = {"shared": False, "fail_open": False} | values
        self.rules.pac_pages.serve(self.rules.made.pac, PORT, Secret("secret"), **wanted)
        return self.rules.pac_pages.pages.bodies[PATH]


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., World]:
    return lambda *sources: World(tmp_path, *sources)


async def test_the_starter_rules_hold_from_the_beginning(world: Callable[..., World]) -> None:
    one = world(STARTER)
    await one.follow()
    assert one.turned == 1
    (state,) = one.rules.lists
    assert (state.name, state.there, state.error, state.problems) == ("ssgui starter rules", True, "", ())
    assert state.rules > 80
    assert one.rules.count == state.rules
    found = one.rules.explain("www.youtube.com")
    assert (found.pac.route, found.pac.list, found.pac.text) == (Route.PROXY, "ssgui starter rules", "||youtube.com")
    assert one.route("https://example.com/") is Route.DIRECT
    assert b'"PROXY 127.0.0.1:1080"' in one.serve()


async def test_order_is_precedence_and_a_list_that_is_off_decides_nothing(world: Callable[..., World]) -> None:
    one = world(ROUTES, LIST)
    one.body(LIST, "[AutoProxy]\n||both.example\n||one.example\n")
    one.body(ROUTES, "both.example\n203.0.113.0/24\n")
    await one.follow()
    assert [(each.rules, each.networks) for each in one.rules.lists] == [(1, 1), (2, 0)]
    assert one.route("https://both.example/") is Route.DIRECT
    one.config = msgspec.structs.replace(one.config, rule_lists=(LIST, ROUTES))
    await one.follow()
    assert one.route("https://both.example/") is Route.PROXY
    one.config = msgspec.structs.replace(one.config, rule_lists=(msgspec.structs.replace(LIST, enabled=False), ROUTES))
    await one.follow()
    assert one.route("https://both.example/") is Route.DIRECT
    assert one.route("https://one.example/") is Route.DIRECT
    assert [each.rules for each in one.rules.lists] == [2, 1]  # its size is shown all the same
    await one.follow(rules_mode=PolicyMode.BYPASS)
    assert one.route("https://one.example/") is Route.PROXY


async def test_networks_are_for_rules_mode_only(world: Callable[..., World]) -> None:
    one = world(ROUTES)
    one.body(ROUTES, "203.0.113.0/24\n")
    await one.follow(rules_mode=PolicyMode.BYPASS)
    found = one.rules.explain("https://203.0.113.9/")
    assert (found.pac.route, found.rules.route, found.differ) == (Route.PROXY, Route.DIRECT, True)
    assert b"203.0.113" not in one.serve()


async def test_nothing_is_made_twice(world: Callable[..., World]) -> None:
    one = world(STARTER)
    await one.follow()
    before = one.rules.made
    await one.follow(theme="dark")
    assert one.rules.made is before
    assert one.turned == 1


async def test_lists_that_are_missing_or_damaged_cost_only_themselves(world: Callable[..., World]) -> None:
    damaged = RuleSource(id="../damaged", name="damaged", url=Secret("https://lists.example/d"))
    one = world(LIST, damaged, STARTER)
    one.body(damaged, "<!DOCTYPE html><p>log in")
    await one.follow()
    missing, bad, starter = one.rules.lists
    assert (missing.there, missing.error) == (False, "")
    assert bad.error == "it is a web page, not a list"
    assert starter.there
    assert one.route("https://youtube.com/") is Route.PROXY
    assert not (one.folder.parent / "damaged.list").exists()


async def test_own_rules_are_kept_and_win(world: Callable[..., World]) -> None:
    one = world(STARTER)
    await one.follow()
    text = "! mine\n@@||youtube.com\n||example.com\n/(open[/\n"
    assert [problem.line for problem in one.rules.check(text)] == [4]
    await one.rules.save_user(text)
    await one.rules.settled()
    assert one.route("https://www.youtube.com/") is Route.DIRECT
    assert one.rules.explain("https://example.com").pac[2:] == ("user", 3, "||example.com")
    other = one.service()
    other.follow()
    await other.settled()
    assert other.user_text == text
    assert other.explain("https://example.com").pac.route is Route.PROXY
    with pytest.raises(RulesError, match="4 MiB"):
        await one.rules.save_user("x" * (5 << 20))
    assert one.rules.user_text == text


async def test_rules_that_cannot_be_written_do_not_hold(
    world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = world(STARTER)
    await one.follow()
    (tmp_path / "user-rules.txt").mkdir()
    with pytest.raises(RulesError, match=r"user-rules\.txt cannot be read: Is a directory"):
        await one.rules.save_user("||example.com")
    assert one.rules.user_text == ""
    assert one.route("https://example.com/") is Route.DIRECT
    (tmp_path / "user-rules.txt").rmdir()
    monkeypatch.setattr("ssgui.services.rules.lists.write_atomically", refuse)
    with pytest.raises(RulesError, match=r"user-rules\.txt cannot be written: No space left"):
        await one.rules.save_user("||example.com")
    assert one.route("https://example.com/") is Route.DIRECT


def refuse(path: Path, data: bytes) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_what_another_program_wrote_is_not_replaced_unseen(world: Callable[..., World], tmp_path: Path) -> None:
    one = world(STARTER)
    path = tmp_path / "user-rules.txt"
    await one.rules.save_user("||mine.example\r\n||two.example\n")
    assert path.read_bytes() == b"||mine.example\n||two.example\n"
    await one.rules.save_user("||mine.example\n")
    path.write_text("||theirs.example\n")
    with pytest.raises(RulesError, match="changed in their file meanwhile"):
        await one.rules.save_user("||mine.example\n||more.example\n")
    await one.rules.settled()
    assert path.read_text() == one.rules.user_text == "||theirs.example\n"
    assert one.route("https://theirs.example/") is Route.PROXY
    await one.rules.save_user("||mine.example\n||more.example\n")  # it was seen now
    path.write_text("||mine.example\n")
    await one.rules.save_user("||mine.example\n")  # the same: nothing is lost
    path.write_bytes(b"!" * (5 << 20))
    with pytest.raises(RulesError, match="cannot be read: more than 4 MiB"):
        await one.rules.save_user("||mine.example\n")
    assert path.stat().st_size == 5 << 20


async def test_a_file_that_cannot_be_read_is_said_and_kept(world: Callable[..., World], tmp_path: Path) -> None:
    path = tmp_path / "user-rules.txt"
    path.write_bytes(b"!" * (5 << 20))
    one = world(STARTER)
    await one.follow()
    assert (one.rules.user_text, one.route("https://youtube.com/")) == ("", Route.PROXY)
    assert one.rules.own.error == f"{path} cannot be read: more than 4 MiB"
    with pytest.raises(RulesError, match="more than 4 MiB"):
        await one.rules.save_user("||mine.example\n")
    path.write_text("||mine.example\n")
    await one.rules.read_again()
    await one.rules.settled()
    assert one.rules.own.error == ""
    assert one.route("https://mine.example/") is Route.PROXY


async def test_a_pac_that_is_too_big_is_not_served(
    world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    one = world(STARTER)
    await one.follow()
    good, url = one.serve(), one.rules.pac_pages.url()
    monkeypatch.setattr(pac_compiler, "MAX_BYTES", 20_000)
    one.config = AppConfig(rule_lists=(STARTER, LIST))
    one.body(LIST, "[AutoProxy]\n" + "".join(f"||site{n}.example\n" for n in range(2000)))
    await one.follow()
    assert one.serve() == good
    assert one.rules.pac_pages.url() == url
    assert "the list 'one' is too big" in one.rules.pac.error
    assert one.rules.explain("https://site7.example").rules.route is Route.PROXY  # other programs know the new rules
    later = one.service()  # after a restart too, at another port
    later.follow()
    await later.settled()
    one.rules = later
    later.pac_pages.serve(later.made.pac, ("127.0.0.1", 1090), Secret("secret"), shared=False, fail_open=True)
    body = later.pac_pages.pages.bodies[PATH]
    assert body == good.replace(b"PROXY 127.0.0.1:1080", b"PROXY 127.0.0.1:1090; DIRECT")


async def test_the_address_changes_with_what_it_leads_to(world: Callable[..., World]) -> None:
    one = world(STARTER)
    await one.follow()
    one.serve(shared=True)
    pages = one.rules.pac_pages
    first, stable = pages.url(), pages.stable_url("192.0.2.7")
    assert first.startswith("http://127.0.0.1:1080/proxy.pac?k=secret&h=")
    assert stable == "http://192.0.2.7:1080/proxy.pac?k=secret"
    assert one.rules.pac.version == 1
    one.serve(shared=True)
    assert one.rules.pac.version == 1
    one.rules.pac_pages.pages.fetched(Fetched("127.0.0.1", "Chrome/1", PATH, first.rpartition("=")[2]))
    await one.rules.save_user("||example.com")
    await one.rules.settled()
    one.serve(shared=True)
    assert pages.url() != first
    assert pages.stable_url("192.0.2.7") == stable
    one.rules.pac_pages.pages.fetched(Fetched("192.0.2.9", "Phone", PATH, ""))
    pac = one.rules.pac
    assert [(each.client, each.version, each.at) for each in pac.fetches] == [
        ("192.0.2.9", 2, 5.0),
        ("127.0.0.1", 1, 5.0),
    ]
    assert pac.version == 2
    one.serve(shared=False)
    assert pages.stable_url("192.0.2.7") == ""
    pages.serve(None, PORT, Secret("secret"), shared=True, fail_open=False)
    assert (pages.url(), pages.pages.bodies) == ("", {})


async def test_hits_are_counted_once_a_connection_and_kept(world: Callable[..., World]) -> None:
    one = world(STARTER)
    await one.follow()
    await one.rules.save_user("||example.com\n||never.example")
    await one.rules.settled()
    listener, hits = one.rules.listener, one.rules.hits
    for number, rule in enumerate(
        ("user: ||example.com", "user: ||example.com", "ssgui starter rules: ||x", "local", "")
    ):
        row = Connection(number, number, "http", "127.0.0.1:1", 0.0, rule=rule)
        listener.opened(row)
        listener.moved(row)
        listener.moved(row)
        listener.closed(row)
    assert hits.rules == {"||example.com": 2}
    assert hits.lists == {"user": 2, "ssgui starter rules": 1}
    assert one.rules.lists[0].hits_today == 1
    await one.rules.stop()
    one.rules = one.service()
    await one.follow()
    assert one.rules.hits.rules == {"||example.com": 2}
    one.day = "2026-11-25"
    assert one.rules.lists[0].hits_today == 0
    assert one.rules.hits.rules == {}
    assert one.rules.hits.ever == {"||example.com": "2026-11-24"}
    await one.rules.save_user("||never.example")
    await one.rules.settled()
    assert one.rules.hits.ever == {}


async def test_what_is_known_of_each_line(world: Callable[..., World]) -> None:
    one = world(STARTER)
    await one.rules.save_user("||example.com\n! note\n||www.example.com\n@@203.0.113.9/24\n203.0.0.0/8\nnot a [rule|")
    await one.follow()
    made = one.rules.made
    assert made.names == {1: "||example.com", 3: "||www.example.com", 4: "203.0.113.0/24", 5: "203.0.0.0/8"}
    assert made.covered == {3: 1}
    assert unseen_with_a_pac(made.user) == {4, 5}
    for rule in ("user: 203.0.0.0/8", "user: ||www.example.com"):
        one.rules.hits.count(rule, ("user",))
    (one.folder / "user-rules.txt").write_text("203.0.0.0/8\n")
    await one.rules.read_again()
    await one.rules.settled()
    assert set(one.rules.hits.ever) == {"203.0.0.0/8"}


@pytest.mark.parametrize("damage", [b"", b"\0\0", b"[]", b'{"hits": 3, "version": "x"}', b"[" * 100_000])
async def test_counts_that_are_damaged_begin_anew(world: Callable[..., World], damage: bytes, tmp_path: Path) -> None:
    (tmp_path / "rules-state.json").write_bytes(damage)
    one = world(STARTER)
    await one.follow()
    assert one.rules.hits.lists == {}
    assert one.rules.lists[0].there


def test_names_tell_lists_apart() -> None:
    twins = (LIST, msgspec.structs.replace(LIST, id="two"), RuleSource(id="x", name="user", url=Secret("https://x/")))
    assert names_of((*twins, STARTER)) == {
        "one": "one",
        "two": "one (2)",
        "x": "user (2)",
        "starter": "ssgui starter rules",
    }


def test_sources_that_can_be_chosen() -> None:
    assert len({source.id for source in CATALOGUE}) == len(CATALOGUE)
    assert all(source.url.reveal().startswith("https://") for source in CATALOGUE[1:])
    made = geosite(["OpenAI", " docker", "openai", ""])
    assert (made.name, made.groups) == ("geosite: openai, docker", ("openai", "docker"))
    assert made.id == geosite(["openai", "docker"]).id
    own = source_of(" https://lists.example/a/proxy.txt?token=1 ")
    assert own.name == "lists.example/a/proxy.txt"
    assert own.url.reveal() == "https://lists.example/a/proxy.txt?token=1"


def test_a_list_that_has_lost_most_of_itself_is_refused() -> None:
    text = base64.b64encode(b"[AutoProxy 0.2.9]\n" + b"".join(b"||s%d.example\n" % n for n in range(60)))
    assert len(checked(LIST, text, 0).rules) == 60
    assert len(checked(LIST, text, 119).rules) == 60
    with pytest.raises(ListError, match="it has 60 rules, the last one had 1,000"):
        checked(LIST, text, 1000)


def test_groups_of_a_dlc_are_put_together() -> None:
    def entry(name: bytes, *domains: bytes) -> bytes:
        rows = b"".join(bytes((0x12, len(row) + 4, 0x08, 2, 0x12, len(row))) + row for row in domains)
        body = bytes((0x0A, len(name))) + name + rows
        return bytes((0x0A, len(body))) + body

    data = entry(b"A", b"a.example", b"b.example") + entry(b"B", b"c.example")
    made = parse(geosite(["a", "b"], direct=True), data, "both")
    assert [rule.pattern for rule in made.rules] == ["a.example", "b.example", "c.example"]
    assert made.action is Route.DIRECT
    with pytest.raises(ListError, match="nosuch"):
        parse(geosite(["a", "nosuch"]), data, "both")

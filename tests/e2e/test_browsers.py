"""Real browsers follow our PAC through the real app: which sites go which way, and how soon a change is seen."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ssgui.system.proxy.gnome import GnomeProxy
from tests.e2e.name_server import LoopbackNameServer
from tests.support.app import App, app
from tests.support.browser import HERE, THERE, Site, chromium, firefox
from tests.support.ports import free_port
from tests.support.private_desktop import private_desktop
from tests.support.processes import METHOD, PASSWORD, Events, Process, ssgui_server, wait_until
from tests.support.programs import require

RULES = """\
||listed.test
@@||free.listed.test
||bücher.test
||[2001:db8::1]
"""
SOON = 2.0  # seconds, from a change of rules to a browser that follows it
CHANGES = 10


@dataclass
class World:
    """The app, its server behind it, the origin, and what each saw."""

    app: App
    events: Events
    site: Site
    port: int

    def proxied(self) -> set[str]:
        """The targets that came to the app's proxy."""
        return {one.target for one in self.events.connections()}

    def follow(self, rules: str) -> None:
        """Have the app follow these rules of the person's own."""
        (self.app.folder / "user-rules.txt").write_text(rules)
        self.app.ask({"do": "rules"})

    def pac_version(self) -> int:
        """Of the PAC that the app serves."""
        return int(self.app.status()["pac"])

    def fetched(self) -> list[int]:
        """The versions that programs have, the latest first."""
        return list(self.app.status()["pac_fetched"])

    def goes(self, host: str, path: str, *, scheme: str = "http", loads: bool = True) -> str:
        """Which way a browser fetches from `host`: "proxy" or "direct"; `path` is asked for once only."""
        url = f"{scheme}://{host}:{self.site.port}{path}"
        answer = self.site.fetch(url)
        assert answer == ("loaded" if loads else "failed"), url
        if loads:
            (address,) = self.site.arrived(path)
            return "direct" if address == HERE else "proxy"
        target = f"{host}:{self.site.port}"
        wait_until(lambda: target in self.proxied(), f"{target} among {self.proxied()}")
        return "proxy"


@contextmanager
def made_world(folder: Path, env: dict[str, str], mode: str) -> Iterator[World]:
    """The app is on a desktop whose proxy it sets."""
    home, port, events = folder / "app", free_port(), folder / "events"
    home.mkdir()
    (home / "user-rules.txt").write_text(RULES)
    with LoopbackNameServer(THERE) as names:
        config = folder / "server.json"
        config.write_text(json.dumps({"nameserver": names.address}))
        with ssgui_server([sys.executable, "-m", "ssgui"], flags=["-c", str(config)]) as server, Site() as site:
            entry = {"id": "1", "server": server.address[0], "server_port": server.address[1], "method": METHOD,
                     "password": PASSWORD}  # fmt: skip
            settings = {"mode": mode, "local_port": port}
            kept = {"version": 1, "servers": [entry], "current": "1", "settings": settings, "rule_lists": []}
            (home / "config.json").write_text(json.dumps(kept))
            with app(home, "--events", str(events), env=env) as one:
                wait_until(lambda: one.status()["address"], "the port")
                yield World(one, Events(events), site, port)


def every_kind_of_host(world: World) -> None:
    """Which way they go."""
    assert world.goes("listed.test", "/listed") == "proxy"
    assert world.goes("www.listed.test", "/www") == "proxy"
    assert world.goes("notlisted.test", "/not") == "direct"
    assert world.goes("free.listed.test", "/free") == "direct"
    world.site.fetch(f"http://10.1.2.3:{world.site.port}/private")  # which only Chromium can be told to find
    assert world.goes("deep.listed.test.", "/dot") == "proxy"
    assert world.goes("bücher.test", "/punycode") == "proxy"
    assert world.goes("secure.listed.test", "/secure", scheme="https", loads=False) == "proxy"
    assert world.goes("[2001:db8::1]", "/six", loads=False) == "proxy"
    assert THERE not in world.site.arrived("/private")
    assert not any(target.startswith("10.1.2.3") for target in world.proxied())  # the later ones are there


Start = Callable[[Path, str, World, dict[str, str]], AbstractContextManager[Process]]


def follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start) -> World:
    """On a desktop of GNOME's kind, whose settings the app really sets and puts back."""
    with gnome(tmp_path, monkeypatch) as (own, backend):
        before = backend.snapshot()
        with made_world(tmp_path, own, "pac") as world:
            wait_until(lambda: backend.snapshot()["mode"] == "'auto'", "the system's proxy is set")
            with start(tmp_path, world.site.page, world, own) as browser:
                every_kind_of_host(world)
                browser.require_running()
                assert world.fetched()[0] == world.pac_version()
                world.follow(RULES + "||late.test\n")
                begun = time.monotonic()
                numbers = iter(range(1000))
                wait_until(lambda: world.goes("late.test", f"/late/{next(numbers)}") == "proxy", "the rule is followed")
                assert time.monotonic() - begun < SOON * 5  # SOON, on a machine that has the time
                assert world.fetched()[0] == world.pac_version()
                browser.require_running()
            world.app.ask({"do": "quit"})
            assert world.app.process.wait() == 0
        assert backend.snapshot() == before
    return world


@contextmanager
def gnome(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[dict[str, str], GnomeProxy]]:
    """A private desktop: its environment, and what reads its settings."""
    for program in ("gsettings", "dconf"):
        require(program)
    with private_desktop(folder / "session") as environment:
        own = {**environment, "XDG_CURRENT_DESKTOP": "GNOME", "QT_QPA_PLATFORM": "offscreen"}
        for name, value in own.items():
            monkeypatch.setenv(name, value)
        yield own, GnomeProxy()


def start_chromium(folder: Path, page: str, world: World, env: dict[str, str]) -> AbstractContextManager[Process]:
    return chromium(folder, page, [], env)


def start_firefox(folder: Path, page: str, world: World, env: dict[str, str]) -> AbstractContextManager[Process]:
    names = ["notlisted.test", "free.listed.test", "late.test", *(f"late{number}.test" for number in range(CHANGES))]
    return firefox(folder, page, {"network.proxy.type": 5, "network.dns.localDomains": ",".join(names)}, env)


def test_chromium_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = follows(tmp_path, monkeypatch, start_chromium)
    assert world.site.arrived("/private") == [HERE]


@pytest.mark.long
def test_firefox_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follows(tmp_path, monkeypatch, start_firefox)


@pytest.mark.long
@pytest.mark.parametrize("start", [start_chromium, start_firefox], ids=["chromium", "firefox"])
def test_every_change_is_followed_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start, record_property: Callable[[str, object], None]
) -> None:
    """From the moment at which the file of rules is another one; the browser goes on all the time."""
    with gnome(tmp_path, monkeypatch) as (own, backend), made_world(tmp_path, own, "pac") as world:
        wait_until(lambda: backend.snapshot()["mode"] == "'auto'", "the system's proxy is set")
        with start(tmp_path, world.site.page, world, own):
            assert world.goes("listed.test", "/first") == "proxy"
            took = [_seconds_until_followed(world, number) for number in range(CHANGES)]
        record_property("seconds", took)
        print("followed after", ", ".join(f"{one:.2f}" for one in took), "s")
        assert sorted(took)[CHANGES // 2] < SOON, took
        assert max(took) < SOON * 5, took


def _seconds_until_followed(world: World, number: int) -> float:
    host, paths = f"late{number}.test", iter(range(1000))
    assert world.goes(host, f"/{number}/before") == "direct"
    begun = time.monotonic()
    world.follow(RULES + f"||{host}\n")
    wait_until(lambda: world.goes(host, f"/{number}/{next(paths)}") == "proxy", "the rule is followed")
    return time.monotonic() - begun


def test_global_is_followed_and_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with gnome(tmp_path, monkeypatch) as (own, backend):
        before = backend.snapshot()
        with made_world(tmp_path, own, "global") as world:
            wait_until(lambda: backend.snapshot()["mode"] == "'manual'", "the system's proxy is set")
            with start_chromium(tmp_path, world.site.page, world, own):
                assert world.goes("anything.test", "/global") == "proxy"
                assert world.goes("10.1.2.3", "/private") == "direct"
            world.app.ask({"do": "quit"})
            assert world.app.process.wait() == 0
        assert backend.snapshot() == before

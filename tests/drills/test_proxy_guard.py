"""Killed at any step of setting or restoring the system's proxy, alone or with a guard, once or several times in a
row, with another program changing things in between: nothing of ours is ever left, and nothing of others' is lost."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ssgui.system.proxy.backend import Snapshot
from ssgui.system.proxy.choose import backend_named
from ssgui.system.proxy.journal import Journal
from tests.support.private_desktop import private_desktop
from tests.support.processes import ROOT, wait_until
from tests.support.programs import require
from tests.support.stepping_proxy import SteppingProxy, guards, system

DEAD = system("manual", host="127.0.0.1", port=8118)
BEFORE = (
    system(),
    system("auto", "http://wpad.example/x.pac"),
    system("manual", host="proxy.example", port=3128),
    DEAD,
)
OTHERS: tuple[dict[str, Any], ...] = (
    {"mode": "none"},
    {"mode": "manual", "http": {"host": "vpn.example", "port": 8080}},
    {"mode": "auto", "url": "http://vpn.example/x.pac"},
    {"ignore": ["*.corp"]},
)
STEPS = 60  # more than a run has


class Drill:
    """One desktop, and what an app, its guard and another program do to it."""

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir()
        self.folder, self.random = folder, random.Random(seed)
        self.backend, self.journal = SteppingProxy(folder), Journal(folder, listens=lambda port: False)
        self.before = self.wanted = self.random.choice(BEFORE)
        self.backend.write(self.before)
        self.log: list[object] = [seed, self.before]

    def crash(self, *, guarded: bool) -> bool:
        """An app that dies at a step, or is killed once it has set something; whether it came so far."""
        what = self.random.choice(("set", "restore"))
        port, step = self.random.choice((1080, 1081)), self.random.randrange(STEPS)
        arguments = [what, self.random.choice(("pac", "global")), str(port), str(step), *["guard"] * guarded]
        command = [sys.executable, "-m", "tests.support.stepping_proxy", str(self.folder), *arguments]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = process.stdout.readline()
            if what == "set":
                process.kill()
            code = process.wait(60)
        assert code in (0, -signal.SIGKILL), code
        self.log.append((arguments, said, code))
        return bool(said)

    def others(self) -> None:
        """Another program sets some of it."""
        change = self.random.choice(OTHERS)
        self.log.append(change)
        self.backend.write({**self.backend.snapshot(), **change})
        self.wanted = {**self.wanted, **change}

    def settle(self) -> None:
        """Every guard has done what it can."""
        wait_until(lambda: not guards(self.folder), "the guards are gone", 90)

    def next_start(self) -> None:
        """Or `ssgui restore-proxy`."""
        with self.journal.locked():
            self.journal.restore(lambda name: self.backend)

    def check(self) -> None:
        """A proxy of before that is dead may have been switched off."""
        now: Snapshot = self.backend.snapshot()
        good = [self.wanted]
        if self.before is DEAD and self.wanted["http"] == DEAD["http"]:
            good.append({**self.wanted, "mode": "none"})
        assert now in good, (now, self.wanted, self.log)
        assert not self.journal.path.exists(), self.log


@pytest.mark.long
@pytest.mark.parametrize("part", range(10))
def test_nothing_is_ever_left(tmp_path: Path, part: int) -> None:
    """20 drills a part, 200 in all."""
    for number in range(20):
        drill = Drill(tmp_path / str(number), 1000 * part + number)
        guarded = drill.random.random() < 0.5
        for _crash in range(drill.random.choice((1, 1, 2, 3))):
            was_set = drill.crash(guarded=guarded)
            if drill.random.random() < 0.4:
                drill.settle()
                drill.others()
        drill.settle()
        if guarded and was_set:
            drill.check()  # the guard alone
        drill.next_start()
        drill.check()


SCHEMA = "org.gnome.system.proxy"
Settings = tuple[tuple[str, str, str], ...]  # where, key, value


class Gnome:
    """As a person and other programs use it."""

    name = "gnome"
    needs = ("gsettings", "dconf")
    persons: tuple[Settings, ...] = (
        (),
        ((SCHEMA, "mode", "'auto'"), (SCHEMA, "autoconfig-url", "'http://wpad.example/x.pac'")),
        ((SCHEMA, "mode", "'manual'"), (f"{SCHEMA}.http", "host", "'a.example'"), (f"{SCHEMA}.http", "port", "3128")),
    )
    programs: tuple[Settings, ...] = (
        ((SCHEMA, "mode", "'none'"),),
        ((SCHEMA, "ignore-hosts", "['*.corp']"),),
        ((SCHEMA, "autoconfig-url", "'http://vpn.example/x.pac'"), (SCHEMA, "mode", "'auto'")),
    )

    @staticmethod
    def set(where: str, key: str, value: str) -> None:
        told(["gsettings", "set", where, key, value])

    @staticmethod
    def stored() -> dict[tuple[str, str], str]:
        """All that is set, as dconf says it."""
        found, section = {}, ""
        for line in told(["dconf", "dump", "/system/proxy/"]).splitlines():
            key, equals, value = line.partition("=")
            section = section if equals else line.strip("[]/")
            if equals:
                found[f"{SCHEMA}.{section}".rstrip("."), key] = value
        return found


class Kde:
    """The same of KDE."""

    name = "kde"
    needs = ("kwriteconfig5", "kreadconfig5", "dbus-send")
    persons: tuple[Settings, ...] = (
        (),
        (("Proxy Settings", "ProxyType", "2"), ("Proxy Settings", "Proxy Config Script", "http://wpad.example/x.pac")),
        (("Proxy Settings", "ProxyType", "1"), ("Proxy Settings", "httpProxy", "http://a.example 3128"),
         ("Proxy Settings", "NoProxyFor", "localhost"), ("Else", "key", "value")),
    )  # fmt: skip
    programs: tuple[Settings, ...] = (
        (("Proxy Settings", "ProxyType", "0"),),
        (("Proxy Settings", "NoProxyFor", "*.corp"),),
        (("Proxy Settings", "Proxy Config Script", "http://vpn.example/x.pac"), ("Proxy Settings", "ProxyType", "2")),
    )

    @staticmethod
    def set(where: str, key: str, value: str) -> None:
        told(["kwriteconfig5", "--file", "kioslaverc", "--group", where, "--key", key, value])

    @staticmethod
    def stored() -> dict[tuple[str, str], str]:
        """All that stands in its file."""
        path, found, section = Path(os.environ["XDG_CONFIG_HOME"]) / "kioslaverc", {}, ""
        for line in path.read_text().splitlines() if path.exists() else []:
            key, equals, value = line.partition("=")
            section = section if equals else line.strip("[]")
            if equals:
                found[section, key] = value
        return found


def told(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("desktop", [Gnome, Kde])
def test_nothing_is_left_on_a_desktop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, desktop: type[Gnome | Kde], part: int
) -> None:
    """12 drills a part with the desktop's own programs and the real guard."""
    for program in desktop.needs:
        require(program)
    for number in range(12):
        with private_desktop(tmp_path / str(number)) as environment:
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            _drill_on(desktop, tmp_path / str(number), random.Random(100 * part + number))


def _drill_on(desktop: type[Gnome | Kde], folder: Path, chance: random.Random) -> None:
    def guards_gone() -> None:
        wait_until(lambda: not guards(folder), "the guards are gone", 90)

    for one in chance.choice(desktop.persons):
        desktop.set(*one)
    wanted, log = desktop.stored(), []
    for _crash in range(chance.choice((1, 2))):
        arguments = [chance.choice(("set", "restore")), chance.choice(("pac", "global")), "1080"]
        arguments += [str(chance.randrange(2 * STEPS)), desktop.name, *["guard"] * chance.choice((0, 1))]
        log.append(arguments)
        command = [sys.executable, "-m", "tests.support.stepping_proxy", str(folder), *arguments]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.kill()
        if chance.random() < 0.4:
            guards_gone()
            with Journal(folder).locked():  # what an app that was killed had begun comes to its end
                pass
            change = chance.choice(desktop.programs)
            log.append([" ".join(one) for one in change])
            for where, key, value in change:
                desktop.set(where, key, value)
                wanted[where, key] = value
    guards_gone()
    with Journal(folder).locked():
        Journal(folder).restore(backend_named)
    assert desktop.stored() == wanted, log


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("crashes", [1, 2], ids=["once", "twice"])
@pytest.mark.parametrize("guarded", [False, True], ids=["alone", "guarded"])
@pytest.mark.parametrize("mode", ["pac", "global"])
def test_every_step(tmp_path: Path, mode: str, guarded: bool, crashes: int) -> None:
    """One after the other, until a run comes to its end; and the run after it too, which begins by putting back."""
    before = system("auto", "http://wpad.example/x.pac")
    for step in range(10 * STEPS):
        folder = tmp_path / str(step)
        folder.mkdir()
        backend, journal = SteppingProxy(folder), Journal(folder)
        backend.write(before)
        arguments = ["restore", mode, "1080", str(step), *["guard"] * guarded]
        command = [sys.executable, "-m", "tests.support.stepping_proxy", str(folder), *arguments]
        for _ in range(crashes):
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, timeout=60)
        wait_until(lambda folder=folder: not guards(folder), "the guards are gone", 90)  # type: ignore[misc]
        with journal.locked():
            journal.restore(lambda name, backend=backend: backend)  # type: ignore[misc]
        assert backend.snapshot() == before, step
        assert not journal.path.exists()
        if done.returncode == 0:
            assert step > 20
            return
    pytest.fail("no run came to its end")

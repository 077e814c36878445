"""Killed at any step of setting or restoring the system's proxy, alone or with a guard, once or several times in a
row, with another program changing things in between: nothing of ours is ever left, and nothing of others' is lost."""

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
PERSONS: tuple[tuple[tuple[str, str, str], ...], ...] = (
    (),
    ((SCHEMA, "mode", "'auto'"), (SCHEMA, "autoconfig-url", "'http://wpad.example/x.pac'")),
    ((SCHEMA, "mode", "'manual'"), (f"{SCHEMA}.http", "host", "'proxy.example'"), (f"{SCHEMA}.http", "port", "3128")),
)
PROGRAMS: tuple[tuple[tuple[str, str, str], ...], ...] = (
    ((SCHEMA, "mode", "'none'"),),
    ((SCHEMA, "ignore-hosts", "['*.corp']"),),
    ((SCHEMA, "autoconfig-url", "'http://vpn.example/x.pac'"), (SCHEMA, "mode", "'auto'")),
)


def told(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def stored() -> dict[str, str]:
    """All that is set, as dconf says it."""
    found, section = {}, ""
    for line in told(["dconf", "dump", "/system/proxy/"]).splitlines():
        key, equals, value = line.partition("=")
        section = section if equals else line.strip("[]/")
        if equals:
            found[f"{section} {key}".strip()] = value
    return found


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_nothing_is_left_in_gnome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    """12 drills a part with the real gsettings and the real guard."""
    for program in ("gsettings", "dconf"):
        require(program)
    for number in range(12):
        chance = random.Random(100 * part + number)
        folder = tmp_path / str(number)
        with private_desktop(folder) as environment:
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            for one in chance.choice(PERSONS):
                told(["gsettings", "set", *one])
            wanted, log = stored(), []
            for _crash in range(chance.choice((1, 2))):
                arguments = [chance.choice(("set", "restore")), chance.choice(("pac", "global")), "1080"]
                arguments += [str(chance.randrange(2 * STEPS)), "gnome", *["guard"] * chance.choice((0, 1))]
                log.append(arguments)
                command = [sys.executable, "-m", "tests.support.stepping_proxy", str(folder), *arguments]
                with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
                    assert process.stdout is not None
                    process.stdout.readline()
                    process.kill()
                if chance.random() < 0.4:
                    wait_until(lambda folder=folder: not guards(folder), "the guards are gone", 90)  # type: ignore[misc]
                    with Journal(folder).locked():  # what an app that was killed had begun comes to its end
                        pass
                    change = chance.choice(PROGRAMS)
                    log.append([" ".join(one) for one in change])
                    for schema, key, value in change:
                        told(["gsettings", "set", schema, key, value])
                        wanted[f"{schema.removeprefix(SCHEMA).lstrip('.')} {key}".strip()] = value
            wait_until(lambda folder=folder: not guards(folder), "the guards are gone", 90)  # type: ignore[misc]
            with Journal(folder).locked():
                Journal(folder).restore(backend_named)
            assert stored() == wanted, (part, number, log)


@pytest.mark.long
@pytest.mark.parametrize("guarded", [False, True], ids=["alone", "guarded"])
@pytest.mark.parametrize("mode", ["pac", "global"])
def test_every_step(tmp_path: Path, mode: str, guarded: bool) -> None:
    """One after the other, until a run comes to its end."""
    before = system("auto", "http://wpad.example/x.pac")
    for step in range(10 * STEPS):
        folder = tmp_path / str(step)
        folder.mkdir()
        backend, journal = SteppingProxy(folder), Journal(folder)
        backend.write(before)
        arguments = ["restore", mode, "1080", str(step), *["guard"] * guarded]
        command = [sys.executable, "-m", "tests.support.stepping_proxy", str(folder), *arguments]
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

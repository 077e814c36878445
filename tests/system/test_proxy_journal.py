"""The journal: what was set before us is never lost, and only what is still ours is put back."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from ssgui.system.proxy import held
from ssgui.system.proxy.backend import ProxyError, Snapshot
from ssgui.system.proxy.journal import LOCK_NAME, NAME, Journal, Restored, put_back
from tests.support.stepping_proxy import Refusing, SteppingProxy, setting, system

CORPORATE = system("manual", host="proxy.example", port=3128)


class Desk:
    """A journal and a system; nobody listens anywhere but on `alive`."""

    def __init__(self, folder: Path, before: Snapshot) -> None:
        self.alive: set[int] = set()
        self.journal = Journal(folder, self.alive.__contains__)
        self.backend = SteppingProxy(folder)
        self.backend.write(before)

    def set(self, mode: str, port: int = 1080, owner: str = "one") -> Snapshot:
        with self.journal.locked():
            return self.journal.set(self.backend, setting(mode, port), owner)

    def restore(self, owner: str = "") -> tuple[Restored, ...]:
        with self.journal.locked():
            return self.journal.restore(lambda name: self.backend, owner)

    @property
    def now(self) -> Snapshot:
        return self.backend.snapshot()


@pytest.mark.parametrize("before", [system(), system("auto", "http://wpad/x.pac"), CORPORATE])
@pytest.mark.parametrize("modes", [["pac"], ["global"], ["pac", "global", "pac"]])
def test_what_was_is_put_back(tmp_path: Path, before: Snapshot, modes: list[str]) -> None:
    desk = Desk(tmp_path, before)
    for mode in modes:
        after = desk.set(mode)
        assert desk.now == after
        assert after["mode"] == {"pac": "auto", "global": "manual"}[mode]
    assert desk.restore() == (Restored("stepping", changed=True),)
    assert desk.now == before
    assert not (tmp_path / NAME).exists()
    assert desk.restore() == ()


def test_it_is_written_before_the_change_and_only_for_us(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CORPORATE)
    seen: list[Any] = []
    desk.backend.step = lambda: seen.append(json.loads((tmp_path / NAME).read_text()))
    desk.set("pac")
    (entry,) = seen[0]["entries"]
    assert entry["previous"] == CORPORATE
    assert entry["ours"][0]["mode"] == "auto"
    assert (entry["pid"], entry["backend"], entry["ports"]) == (os.getpid(), "stepping", [1080])
    assert len(entry["boot_id"]) == 36 or sys.platform != "linux"
    for name in (NAME, LOCK_NAME):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_our_own_values_are_never_what_was_before(tmp_path: Path) -> None:
    desk = Desk(tmp_path, system("manual", host="127.0.0.1", port=1080))  # of a run whose journal is gone
    desk.set("global")
    assert desk.restore() == (Restored("stepping", changed=True),)
    assert desk.now["mode"] == "none"


def test_a_second_crash_does_not_overwrite_the_journal(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CORPORATE)
    desk.set("global", owner="first")
    desk.set("pac", 1081, owner="second")
    desk.set("global", 1082, owner="third")
    desk.restore("third")
    assert desk.now == CORPORATE


def test_a_dead_proxy_of_before_is_switched_off_and_said(tmp_path: Path) -> None:
    desk = Desk(tmp_path, system("manual", host="localhost", port=8118))
    desk.set("pac")
    assert desk.restore() == (Restored("stepping", changed=True, dead=(8118,)),)
    assert desk.now == system("none", host="localhost", port=8118)
    desk.backend.write(system("manual", host="localhost", port=8118))
    desk.alive.add(8118)
    desk.set("pac")
    assert desk.restore() == (Restored("stepping", changed=True),)
    assert desk.now == system("manual", host="localhost", port=8118)


def test_what_another_program_set_stays(tmp_path: Path) -> None:
    desk = Desk(tmp_path, system())
    desk.set("global")
    vpn = system("manual", "http://vpn/x.pac", "vpn.example", 8080)
    desk.backend.write(vpn)
    assert desk.restore() == (Restored("stepping", changed=False, others=True),)
    assert desk.now == vpn
    desk.backend.write(system())
    desk.set("global")
    desk.backend.write({**desk.now, "http": vpn["http"]})  # its host in place of ours, and our switch stays on
    assert desk.restore() == (Restored("stepping", changed=True, others=True),)
    assert desk.now["ignore"] == ["localhost"]
    assert desk.now["http"] == vpn["http"]
    assert desk.now["mode"] == "manual"
    desk.backend.write(system())
    desk.set("pac")
    desk.backend.write({**desk.now, "mode": "none"})  # a person, in the desktop's settings
    assert desk.restore() == (Restored("stepping", changed=True),)
    assert desk.now == system()


def test_only_its_own_port_is_undone_beside_a_change_of_another(tmp_path: Path) -> None:
    desk = Desk(tmp_path, system())
    desk.set("global")
    desk.backend.write({**desk.now, "ignore": ["*.corp"]})
    assert desk.restore()[0].others
    assert desk.now == {**system(), "ignore": ["*.corp"]}
    stale = system("none", "http://stale.example/x.pac")
    desk.backend.write(stale)
    desk.set("pac")
    desk.backend.write({**desk.now, "ignore": ["*.corp"]})
    assert desk.restore()[0].others
    assert desk.now == {**stale, "ignore": ["*.corp"]}  # not switched on, to where a person had switched it off
    desk.set("pac")
    desk.backend.write(system("manual", host="127.0.0.1", port=1080))  # by hand, to our port
    assert desk.restore()[0].dead == (1080,)
    assert desk.now["mode"] == "none"


def test_a_desktop_that_refuses(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CORPORATE)
    desk.backend = refusing = Refusing(tmp_path)
    with pytest.raises(ProxyError, match="does not take it"):
        desk.set("pac")
    assert desk.now == CORPORATE
    assert not (tmp_path / NAME).exists()
    refusing.broken = False
    assert desk.set("pac")["mode"] == "auto"


def test_who_set_it_puts_it_back_and_nobody_elses_guard(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CORPORATE)
    desk.set("pac", owner="new")
    assert desk.restore("old") == ()
    assert desk.now["mode"] == "auto"


def test_a_backend_that_cannot_be_reached_keeps_its_entry(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CORPORATE)
    desk.set("pac")

    def gone(name: str) -> SteppingProxy:
        raise ProxyError(f"{name} is not here")

    with desk.journal.locked(), pytest.raises(ProxyError, match="stepping is not here"):
        desk.journal.restore(gone)
    desk.restore()
    assert desk.now == CORPORATE


@pytest.mark.parametrize("text", ["", "{", "[]", '{"entries": [1]}', '{"entries": [{"backend": 1}]}', "[" * 10_000])
def test_a_damaged_journal_is_set_aside_and_said(tmp_path: Path, text: str) -> None:
    desk = Desk(tmp_path, CORPORATE)
    (tmp_path / NAME).write_text(text)
    with pytest.raises(ProxyError, match="damaged"):
        desk.restore()
    assert [path.read_text() for path in tmp_path.glob("proxy-journal.damaged-*.json")] == [text]
    assert desk.restore() == ()
    assert desk.now == CORPORATE


def test_no_note_no_change(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CORPORATE)
    (tmp_path / NAME).mkdir()
    with pytest.raises(ProxyError, match="cannot be"):
        desk.set("pac")
    assert desk.now == CORPORATE
    (tmp_path / "file").touch()
    with pytest.raises(ProxyError, match="no note can be taken"), Journal(tmp_path / "file" / "x").locked():
        pass


def test_one_at_a_time_threads_too(tmp_path: Path) -> None:
    journal, inside, go = Journal(tmp_path), threading.Event(), threading.Event()

    def hold() -> None:
        with journal.locked():
            inside.set()
            go.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(10)
    with pytest.raises(ProxyError, match="another process"), journal.locked(0.05):
        pass
    go.set()
    with journal.locked():
        thread.join(10)


def test_a_child_that_outlives_us_keeps_the_lock(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with journal.locked():
        child = subprocess.Popen(["sleep", "60"], pass_fds=held.held())
    try:
        with pytest.raises(ProxyError, match="another process"), journal.locked(0.05):
            pass
    finally:
        child.kill()
        child.wait()
    with journal.locked():
        assert len(held.held()) == 1


def test_leaves_are_told_apart() -> None:
    before = {"a": 1, "deep": {"x": "x", "gone": 1}, "list": [1]}
    ours = {"a": 2, "deep": {"x": "y", "new": 5}, "list": [2, 3]}
    assert put_back(ours, [ours], before) == before
    assert put_back(before, [ours], before) == before
    theirs = {"a": 2, "deep": {"x": "z", "new": 6}, "list": [2, 3], "more": {"k": 1}}
    assert put_back(theirs, [ours], before) == {
        "a": 1, "deep": {"x": "z", "gone": 1, "new": 6}, "list": [1], "more": {"k": 1},
    }  # fmt: skip

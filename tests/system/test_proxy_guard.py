"""The guard: small, still, deaf to signals, and there when the app is not."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssgui.system.proxy.backend import ProxyError
from ssgui.system.proxy.guard import ARGUMENT, Guard, keep_restoring
from ssgui.system.proxy.journal import Journal
from tests.support.processes import ROOT, wait_until
from tests.support.stepping_proxy import SYSTEM, SteppingProxy, guard_command, setting, system

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Guard]:
    one = Guard(tmp_path, "me", guard_command())
    yield one
    one.dismiss()


def status(pid: int, key: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(key))


def still(guard: Guard) -> bool:
    """For half a second it is not woken once."""
    switches = ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")
    before = [status(guard.pid, key) for key in switches]
    with pytest.raises(subprocess.TimeoutExpired):
        guard._process.wait(0.5)
    return before == [status(guard.pid, key) for key in switches]


@needs_proc
def test_it_is_small_and_sleeps(tmp_path: Path) -> None:
    (tmp_path / "odd \udcff -x '\n").mkdir()
    real = Guard(tmp_path / "odd \udcff -x '\n", "-me")  # as the app starts it, in a directory with an odd name
    try:
        assert status(real.pid, "VmRSS") < 20_000  # kB
        wait_until(lambda: still(real), "it sleeps, once it has started")
        assert status(real.pid, "Threads") == 1
        assert os.getsid(real.pid) == real.pid
        assert os.readlink(f"/proc/{real.pid}/cwd") == "/"
        assert ARGUMENT in Path(f"/proc/{real.pid}/cmdline").read_text("utf-8", "replace").split("\0")
    finally:
        real.dismiss()
    assert real._process.returncode == 0


def test_nobody_inherits_its_pipe_and_no_signal_ends_it(guard: Guard) -> None:
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        os.kill(guard.pid, number)
    assert guard.alive()
    assert guard._process.stdin is not None
    assert not os.get_inheritable(guard._process.stdin.fileno())
    child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        guard.dismiss()
        assert guard._process.returncode == 0
    finally:
        child.kill()
        child.wait()


def test_the_command_knows_the_hidden_argument(tmp_path: Path) -> None:
    """How a frozen program starts it."""
    guard = Guard(tmp_path, "me", [sys.executable, "-m", "ssgui", ARGUMENT])
    assert guard.alive()
    guard.dismiss()
    assert guard._process.returncode == 0


def test_one_that_does_not_come_up_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProxyError, match="cannot be started"):
        Guard(tmp_path, "me", [str(tmp_path / "nothing")])
    with pytest.raises(ProxyError, match="ends as soon"):
        Guard(tmp_path, "me", [sys.executable, "-c", ""])


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.support.stepping_proxy", str(folder), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("mode", ["pac", "global"])
def test_it_restores_when_the_app_is_killed(tmp_path: Path, mode: str) -> None:
    before = system("manual", host="proxy.example", port=3128)
    backend = SteppingProxy(tmp_path)
    backend.write(before)
    with start(tmp_path, "set", mode, "1080", "-1", "guard") as process:
        assert said(process).startswith("set ")
        assert backend.snapshot() != before
        process.kill()
    wait_until(lambda: backend.snapshot() == before, "the proxy is back")
    wait_until(lambda: not Journal(tmp_path).path.exists(), "the journal is gone")


def test_an_orderly_end_leaves_it_nothing_to_do(tmp_path: Path) -> None:
    SteppingProxy(tmp_path).write(system())
    with start(tmp_path, "restore", "pac", "1080", "-1", "guard") as process:
        assert process.wait(30) == 0
    assert json.loads((tmp_path / SYSTEM).read_text()) == system()


def test_a_new_app_takes_over_from_it(tmp_path: Path) -> None:
    """The old app is dead, its guard waits for the lock, and the new app sets what it wants under that lock."""
    backend, journal = SteppingProxy(tmp_path), Journal(tmp_path)
    backend.write(system())
    guard = Guard(tmp_path, "old", guard_command())
    with journal.locked():
        journal.set(backend, setting("pac", 1080), "old")
        assert guard._process.stdin is not None
        guard._process.stdin.close()  # as the kernel does it for an app that died
        journal.set(backend, setting("global", 1081), "new")
    assert guard._process.wait(30) == 0
    assert backend.snapshot()["http"] == {"host": "127.0.0.1", "port": 1081}
    with journal.locked():
        journal.restore(lambda name: backend, "new")
    assert backend.snapshot() == system()


def test_it_tries_again_and_then_leaves_it_to_the_next_start(tmp_path: Path) -> None:
    backend, journal = SteppingProxy(tmp_path), Journal(tmp_path)
    backend.write(system())
    with journal.locked():
        journal.set(backend, setting("pac", 1080), "me")
    slept: list[float] = []
    failing = 2

    def find(name: str) -> SteppingProxy:
        if len(slept) < failing:
            raise ProxyError("no bus")
        return backend

    assert keep_restoring(journal, find, "me", slept.append) == 0
    assert len(slept) == failing + 1  # and once to see whether it stays
    assert backend.snapshot() == system()
    with journal.locked():
        journal.set(backend, setting("pac", 1080), "me")
    failing = 100
    assert keep_restoring(journal, find, "me", lambda seconds: None) == 1
    assert journal.entries()

"""A system's proxy setting in a JSON file, changed one value after the other, so that a process can die between any
two of them; and the program that sets it, dies, or restores it, with its guard.

python -m tests.support.stepping_proxy FOLDER set|restore MODE PORT [die at step] [guard] [gnome|kde]

With a desktop's name it is that desktop's proxy that is set, step by step, and the guard is the real one.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from ssgui.system.proxy import guard
from ssgui.system.proxy.backend import ProxyBackend, ProxyError, ProxyKind, ProxySetting, Snapshot
from ssgui.system.proxy.gnome import GnomeProxy
from ssgui.system.proxy.guard import Guard
from ssgui.system.proxy.journal import Journal
from ssgui.system.proxy.kde import KdeProxy

SYSTEM = "system.json"
ROOT = Path(__file__).parents[2]
DESKTOPS: dict[str, Callable[[], ProxyBackend]] = {"gnome": GnomeProxy, "kde": KdeProxy}
_GUARD = (
    "import sys; sys.path.append(sys.argv[1]); from tests.support import stepping_proxy as s; s.run_guard(sys.argv[2:])"
)
_LOOPBACK = ("127.0.0.1", "localhost")


def system(mode: str = "none", url: str | None = None, host: str = "", port: int = 0) -> Snapshot:
    """What the file says."""
    manual = {"host": host, "port": port}
    return {"mode": mode, "url": url, "http": manual, "ignore": ["localhost"]}


class SteppingProxy(ProxyBackend):
    """The file in `folder`. `step` is called before every write."""

    name = "stepping"

    def __init__(self, folder: Path, step: Callable[[], None] = lambda: None) -> None:
        self.path, self.step = folder / SYSTEM, step

    def snapshot(self) -> Snapshot:
        made: Snapshot = json.loads(self.path.read_text())
        return made

    def write(self, snapshot: Snapshot) -> None:
        """As another program does it: all at once."""
        beside = self.path.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps(snapshot))
        os.replace(beside, self.path)

    def planned(self, setting: ProxySetting, snapshot: Snapshot) -> Snapshot:
        if setting.kind is ProxyKind.PAC:
            return {**snapshot, "url": setting.url, "mode": "auto"}
        manual = {"host": setting.host, "port": setting.port}
        return {**snapshot, "http": manual, "ignore": list(setting.bypass), "mode": "manual"}

    def apply(self, setting: ProxySetting) -> Snapshot:
        self._turn(self.planned(setting, self.snapshot()))
        return self.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        self._turn(snapshot)

    def _turn(self, wanted: Snapshot) -> None:
        self._write({**self.snapshot(), "url": wanted["url"]})
        for part in ("host", "port"):
            now = self.snapshot()
            self._write({**now, "http": {**now["http"], part: wanted["http"][part]}})
        for key in ("ignore", "mode"):
            self._write({**self.snapshot(), key: wanted[key]})
        if self.snapshot() != wanted:
            raise ProxyError("the file does not say what was written")

    def _write(self, snapshot: Snapshot) -> None:
        if snapshot != self.snapshot():
            self.step()
            self.write(snapshot)

    def cleared(self, snapshot: Snapshot) -> Snapshot:
        return {**snapshot, "mode": "none"}

    def loopback_ports(self, snapshot: Snapshot) -> tuple[int, ...]:
        if snapshot["mode"] == "manual" and snapshot["http"]["host"] in _LOOPBACK:
            return (snapshot["http"]["port"],)
        if snapshot["mode"] == "auto" and "://127.0.0.1:" in (snapshot["url"] or ""):
            return (int(snapshot["url"].split(":")[2].partition("/")[0]),)
        return ()

    def leads_to(self, snapshot: Snapshot) -> tuple[str, ...]:
        there = {"manual": snapshot["http"]["host"], "auto": snapshot["url"]}.get(snapshot["mode"])
        return (there,) if there else ()


class Refusing(SteppingProxy):
    """Changes half of what it should, and then fails, for as long as `broken`."""

    broken = True

    def apply(self, setting: ProxySetting) -> Snapshot:
        if self.broken:
            self.write({**self.snapshot(), "url": self.planned(setting, self.snapshot())["url"]})
            raise ProxyError("the desktop does not take it")
        return super().apply(setting)


def setting(mode: str, port: int) -> ProxySetting:
    """What we set in `mode`."""
    if mode == "pac":
        return ProxySetting(ProxyKind.PAC, url=f"http://127.0.0.1:{port}/proxy.pac?k=1")
    return ProxySetting(ProxyKind.MANUAL, host="127.0.0.1", port=port, bypass=("localhost", "10.0.0.0/8"))


def run_guard(arguments: list[str]) -> None:
    """The guard, with this backend instead of a desktop's."""
    folder = Path(arguments[1])
    sys.exit(guard.main(arguments[1:], lambda name: SteppingProxy(folder)))


def guard_command() -> list[str]:
    """What starts `run_guard`."""
    return [sys.executable, "-I", "-S", "-c", _GUARD, str(ROOT), guard.ARGUMENT]


def guards(folder: Path) -> list[int]:
    """The guards of a data directory that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if guard.ARGUMENT.encode() in words and os.fsencode(folder) in words:
            found.append(int(path.parent.name))
    return found


class Steps:
    """Dies, as `kill -9` does it, before step `last`: a write of the backend, or a file that is opened, renamed or
    removed, a lock that is taken, a program that is started."""

    EVENTS = ("open", "os.rename", "os.remove", "fcntl.flock", "subprocess.Popen")

    def __init__(self, last: int) -> None:
        self.last, self.count = last, 0
        sys.addaudithook(self._heard)

    def _heard(self, event: str, _arguments: object) -> None:
        if event in self.EVENTS:
            self()

    def __call__(self) -> None:
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1


def main(arguments: list[str]) -> None:
    """One run of an "app": puts back what a run before left, sets, says so, and with "restore" puts back."""
    folder, what, mode, port = Path(arguments[0]), arguments[1], arguments[2], int(arguments[3])
    guarded, desktop = "guard" in arguments, next((DESKTOPS[one] for one in arguments if one in DESKTOPS), None)
    journal = Journal(folder, listens=lambda port: False)
    owner = f"owner-{os.getpid()}"
    keep: list[Guard] = []
    arm = (lambda: keep.append(Guard(folder, owner, () if desktop else guard_command()))) if guarded else (lambda: None)
    step = Steps(int(arguments[4]) if len(arguments) > 4 else -1)
    backend = desktop() if desktop else SteppingProxy(folder, step)
    with journal.locked():
        journal.restore(lambda name: backend)
    with journal.locked():
        journal.set(backend, setting(mode, port), owner, arm)
    sys.stdout.write(f"set {step.count}\n")
    sys.stdout.flush()
    if what == "set":
        signal.pause()
    with journal.locked():
        journal.restore(lambda name: backend, owner)
    sys.stdout.write(f"restored {step.count}\n")
    for one in keep:
        one.dismiss()


if __name__ == "__main__":
    main(sys.argv[1:])

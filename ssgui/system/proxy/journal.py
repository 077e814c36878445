"""The system's proxy as a person had it, written down before we change it, and put back.

Standard library only. The journal is a file in the data directory with one entry for each backend that is changed. It
is written before the change and removed after the restore, and everything between happens under one file lock, which
the app, its guard and `ssgui restore-proxy` share: whoever dies at any point leaves what the next one needs.

What is put back is decided leaf by leaf: what still says what we set gets its value of before, and what anybody else
has set since stays. So an entry may be restored any number of times, also when a restore was cut short.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ssgui.config.atomic_file import flush_directory, write_atomically
from ssgui.system.proxy import held
from ssgui.system.proxy.backend import ProxyBackend, ProxyError, ProxySetting, Snapshot
from ssgui.system.proxy.listening import somebody_listens

NAME = "proxy-journal.json"
LOCK_NAME = "proxy-journal.lock"
LOCK_SECONDS = 15.0  # whoever has it calls programs of the system, each with a limit of its own
_LOCK_STEP = 0.02
_VERSION = 1
_MISSING: Any = object()
Find = Callable[[str], ProxyBackend]


class ChangedByOthers(ProxyError):
    """Another program has changed what we set; the text is where that leads."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of the system's proxy. `owner` is who made it, one word for each run that sets something.

    `ours` are the snapshots that we made or were about to make; with `known` False what we were about to make
    is not known, and all that differs from `previous` counts as ours.
    """

    backend: str
    previous: Snapshot
    ours: tuple[Snapshot, ...]
    ports: tuple[int, ...]
    owner: str
    known: bool = True
    pid: int = 0
    boot_id: str = ""


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of an entry: whether anything was put back, what of another program's stayed, and the loopback
    ports to which the person's own setting led and where nobody listens, so that it was switched off."""

    backend: str
    changed: bool
    others: bool = False
    dead: tuple[int, ...] = ()


class Journal:
    """The journal in the directory `folder`. Its methods block, and raise ProxyError."""

    def __init__(self, folder: Path, listens: Callable[[int], bool] = somebody_listens) -> None:
        self.path = folder / NAME
        self._lock, self._listens = folder / LOCK_NAME, listens

    # ---- the lock and the file

    @contextmanager
    def locked(self, seconds: float = LOCK_SECONDS) -> Iterator[None]:
        """Hold the lock, also against other threads of this process. The file stays: who deletes a lock breaks it."""
        try:
            self._lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ProxyError(f"no note can be taken in {self._lock.parent}: {error.strerror}") from None
        try:
            _take(descriptor, time.monotonic() + seconds)
            held.hold(descriptor)
            try:
                yield
            finally:
                held.drop(descriptor)
        finally:
            os.close(descriptor)

    def entries(self) -> tuple[Entry, ...]:
        """What is to be put back. A file that cannot be understood is set aside, and said: it says nothing to us."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise ProxyError(f"{self.path} cannot be read: {error.strerror}") from None
        try:
            return tuple(_entry(one) for one in json.loads(data)["entries"])
        except (ValueError, KeyError, TypeError, RecursionError):
            aside = self.path.with_suffix(f".damaged-{time.time_ns()}.json")
            self._file(os.replace, self.path, aside)
            raise ProxyError(
                f"the note of what the system's proxy was is damaged; it is kept as {aside.name}"
            ) from None

    def _keep(self, entries: Sequence[Entry]) -> None:
        if entries:
            text = json.dumps({"version": _VERSION, "entries": [asdict(one) for one in entries]}, indent=1)
            self._file(write_atomically, self.path, text.encode())
        else:
            self._file(self.path.unlink)
            flush_directory(self.path.parent)

    def _file(self, act: Callable[..., object], *arguments: object) -> None:
        try:
            with suppress(FileNotFoundError):
                act(*arguments)
        except OSError as error:
            raise ProxyError(f"{self.path} cannot be written: {error.strerror}") from None

    def _put(self, entry: Entry) -> None:
        self._keep((*(one for one in self.entries() if one.backend != entry.backend), entry))

    def _drop(self, entry: Entry) -> None:
        self._keep([one for one in self.entries() if one.backend != entry.backend])

    # ---- setting

    def set(
        self, backend: ProxyBackend, setting: ProxySetting, owner: str, arm: Callable[[], None] = lambda: None,
        *, take: bool = True,
    ) -> Snapshot:  # fmt: skip
        """Write down what is set, `arm` the guard, and set `setting`; what is set then. Under the lock.

        Where it fails what was set before us is put back, if that can be. What another program has set in place of
        what we had set becomes what was before, or without `take` stays: ChangedByOthers.
        """
        entry = next((one for one in self.entries() if one.backend == backend.name), None)
        now = _plain(backend.snapshot())
        if entry is not None and entry.owner == owner and now != entry.ours[-1] and not take:
            raise ChangedByOthers(", ".join(backend.leads_to(now)))
        if entry is not None and (entry.owner != owner or now != entry.ours[-1]):  # or of a run that was killed
            self._undo(backend, entry)
            self._drop(entry)
            entry, now = None, _plain(backend.snapshot())
        ports = _ports(backend, setting)
        if entry is None:
            own = set(ports) & set(backend.loopback_ports(now))
            previous = _plain(backend.cleared(now)) if own else now  # ours, of a run that left no journal
            entry = Entry(backend.name, previous, (), (), owner, pid=os.getpid(), boot_id=boot_id())
        plan = _plain(backend.planned(setting, now))
        entry = replace(
            entry,
            ours=(*entry.ours, plan) if plan else entry.ours,
            ports=tuple(sorted({*entry.ports, *ports})),
            known=bool(plan),
        )
        self._put(entry)
        arm()
        try:
            after = _plain(backend.apply(setting))
        except ProxyError:
            self._undo(backend, entry)
            self._drop(entry)
            raise
        self._put(replace(entry, ours=(after,), known=True))
        return after

    # ---- restoring

    def restore(self, find: Find, owner: str = "", settle: Callable[[], object] | None = None) -> tuple[Restored, ...]:
        """Put everything back, or what `owner` changed. Under the lock.

        ProxyError says why an entry could not be; the others are put back before it is raised. After a death in the
        midst of a change that may still be on its way to the system: `settle` waits, and it is looked at again.
        """
        done: list[Restored] = []
        failed: ProxyError | None = None
        for entry in self.entries():
            if owner and entry.owner != owner:
                continue
            try:
                backend = find(entry.backend)
                done.append(self._undo(backend, entry))
                if settle is not None:
                    settle()
                    self._undo(backend, entry)
                self._drop(entry)
            except ProxyError as error:
                failed = error
        if failed is not None:
            raise failed
        return tuple(done)

    def _undo(self, backend: ProxyBackend, entry: Entry) -> Restored:
        now = _plain(backend.snapshot())
        wanted = put_back(now, entry.ours, entry.previous) if entry.known else entry.previous
        others = wanted != entry.previous
        if others:
            wanted = self._as_others_switch(backend, entry, now, wanted)
        dead = self._dead(backend, wanted, entry)
        if dead:
            wanted = _plain(backend.cleared(wanted))
        if wanted != now:
            backend.restore(wanted)
        return Restored(backend.name, wanted != now, others, dead)

    def _as_others_switch(self, backend: ProxyBackend, entry: Entry, now: Snapshot, wanted: Snapshot) -> Snapshot:
        """`wanted`, with each switch of `now` that leads to somebody else's proxy: it is on as ours was."""
        on = entry.ours[-1]
        off = _plain(backend.cleared(on))
        for path in _different(on, off):
            switch = _leaf(now, path)
            if _MISSING not in (switch, _leaf(wanted, path), _leaf(entry.previous, path)):
                kept = _with_leaf(wanted, path, switch)
                without = (_with_leaf(wanted, path, _leaf(off, path)), _with_leaf(entry.previous, path, switch))
                theirs = set(backend.leads_to(kept)).difference(*map(backend.leads_to, without))
                if theirs and not set(backend.loopback_ports(kept)) & set(entry.ports):
                    wanted = kept
        return wanted

    def _dead(self, backend: ProxyBackend, wanted: Snapshot, entry: Entry) -> tuple[int, ...]:
        """Loopback ports that must not be set: our own, which are about to close, and the person's, if nobody listens.

        What another program has set is its own affair.
        """
        theirs = backend.loopback_ports(entry.previous)
        return tuple(
            port
            for port in backend.loopback_ports(wanted)
            if port in entry.ports or (port in theirs and not self._listens(port))
        )


def put_back(now: Any, ours: Sequence[Any], previous: Any) -> Any:
    """`previous` in every leaf where `now` says what one of `ours` says; elsewhere `now`, which is somebody else's."""
    if not (isinstance(now, dict) and isinstance(previous, dict)):
        return previous if any(now is one or now == one for one in ours) else now
    made = {}
    for key in dict.fromkeys((*previous, *now)):
        there = [one.get(key, _MISSING) if isinstance(one, dict) else _MISSING for one in ours]
        value = put_back(now.get(key, _MISSING), there, previous.get(key, _MISSING))
        if value is not _MISSING:
            made[key] = value
    return made


def _different(one: Any, other: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where the leaves are in which the two differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key, value in one.items():
            yield from _different(value, other.get(key, _MISSING), (*path, key))
    elif one != other:
        yield path


def _leaf(snapshot: Any, path: Sequence[str]) -> Any:
    for key in path:
        snapshot = snapshot.get(key, _MISSING) if isinstance(snapshot, dict) else _MISSING
    return snapshot


def _with_leaf(snapshot: Snapshot, path: Sequence[str], value: Any) -> Snapshot:
    return {**snapshot, path[0]: _with_leaf(snapshot[path[0]], path[1:], value) if path[1:] else value}


def boot_id() -> str:
    """What changes with every start of the system; "" where there is no such thing."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return ""


def _ports(backend: ProxyBackend, setting: ProxySetting) -> tuple[int, ...]:
    """The port of ours that `setting` leads to."""
    if setting.port:
        return (setting.port,)
    authority = setting.url.partition("://")[2].partition("/")[0]
    port = authority.rpartition(":")[2]
    return (int(port),) if port.isdigit() else ()


def _plain(snapshot: Snapshot) -> Snapshot:
    """As it is when it has been written and read."""
    plain: Snapshot = json.loads(json.dumps(snapshot))
    return plain


def _entry(tree: dict[str, Any]) -> Entry:
    known = {key: tree[key] for key in Entry.__dataclass_fields__ if key in tree}
    entry = Entry(**{**known, "ours": tuple(tree["ours"]), "ports": tuple(map(int, tree["ports"]))})
    texts = all(isinstance(text, str) for text in (entry.backend, entry.owner))
    if not texts or not all(isinstance(one, dict) for one in (entry.previous, *entry.ours)):
        raise ValueError("not an entry")
    return entry


def _take(descriptor: int, deadline: float) -> None:
    while not _try(descriptor):
        if time.monotonic() > deadline:
            raise ProxyError("another process is changing the system's proxy, and does not come to an end")
        time.sleep(_LOCK_STEP)  # noqa: TID251  in a worker, or at the very end


if sys.platform == "win32":
    import msvcrt

    def _try(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

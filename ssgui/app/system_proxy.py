"""The system's proxy follows the app: the mode, the port, the PAC's address; and goes back when the app ends.

Everything that asks or changes the system happens in worker threads, except the restore at the end, which comes
first and is not put off. What another program sets is said and not fought: a person may take it back.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ssgui.config.app_config import Mode
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.system.proxy.backend import ProxyBackend, ProxyError, ProxyKind, ProxySetting, Snapshot
from ssgui.system.proxy.choose import backend_named
from ssgui.system.proxy.guard import Guard
from ssgui.system.proxy.journal import ChangedByOthers, Find, Journal, Restored

BYPASS = (
    "localhost", "127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fe80::/10",
    "fc00::/7", ".local",
)  # fmt: skip
LOOK_SECONDS, UNSEEN_SECONDS = 10.0, 60.0
_PATIENCE = (0.5, 2.0)
_log = logging.getLogger("ssgui")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the system is to be told because of `mode`."""

    mode: Mode
    setting: ProxySetting


def wanted_setting(mode: Mode, address: tuple[str, int] | None, pac_url: str) -> Wanted | None:
    """What `mode` asks for while the proxy listens at `address`; None for nothing.

    PAC is for programs that ask a PAC; Rules and Global are for all that know a proxy, and the rules are ours.
    """
    if address is None or mode is Mode.OFF:
        return None
    if mode is Mode.PAC:
        return Wanted(mode, ProxySetting(ProxyKind.PAC, url=pac_url)) if pac_url else None
    host = "127.0.0.1" if address[0] in ("0.0.0.0", "::") else address[0]  # noqa: S104
    return Wanted(mode, ProxySetting(ProxyKind.MANUAL, host=host, port=address[1], bypass=BYPASS))


class SystemProxy:
    """Keeps the system's proxy as `wanted` says, with `backend`, or does nothing where there is none.

    `changed` are called when something that is shown has changed, and `refused` with the mode that holds when one
    that was asked for could not be set. `busy`, `error`, `others`, `dead` and `was_set` are for whoever shows it:
    the system is changing; why the last change failed; another program has changed it, and what that leads to;
    loopback ports of a person's own setting that was switched off, because nobody listens there; it was set in
    this run.
    """

    def __init__(
        self, folder: Path, backend: ProxyBackend | None, wanted: Callable[[], Wanted | None],
        refused: Callable[[Mode], None], *,
        find: Find = backend_named, guard: Callable[[Path, str], Guard] = Guard,
    ) -> None:  # fmt: skip
        self.backend, self._wanted, self._refused = backend, wanted, refused
        self.changed: list[Callable[[], None]] = []
        self._folder, self._others_find, self._make_guard = folder, find, guard
        self._journal = Journal(folder)
        self._owner = secrets.token_hex(8)
        self._guard: Guard | None = None
        self.held: Wanted | None = None
        self._after: Snapshot = {}
        self._failed: Wanted | None = None
        self._good = Mode.OFF
        self._asked = self._closed = self._looking = False
        self._work: asyncio.Task[None] | None = None
        self._patience: list[float] = []
        self._looked = 0.0
        self.busy = self.was_set = False
        self.error = ""
        self.restoring_failed = False
        self.others: str | None = None
        self.dead: tuple[int, ...] = ()

    # ---- life

    def start(self) -> None:
        """Put back what a run left that was killed, then do what is wanted."""
        self._patience = list(_PATIENCE)
        self._work = spawn(self._begin(), name="take over the system's proxy")

    async def _begin(self) -> None:
        try:
            await run_blocking(self._recover)
        except ProxyError as error:
            self._say_failure(error, restoring=True)
        await self._follow()

    def restore_now(self) -> None:
        """The end: put back what was, at once, without giving way. Nothing is set from now on."""
        self._closed = True
        try:
            if self.busy or self._guard is not None or self._journal.path.exists():
                self._clear()
        except ProxyError as error:
            _log.error("the system's proxy is not back to what it was: %s", error)
            self._dismiss(0.5)  # it goes on trying

    # ---- following

    def follow(self, *, asked: bool = False) -> None:
        """What is wanted may have changed; `asked` when a person wants it so, whatever another program has set."""
        if asked:
            self._asked, self._failed = True, None
            self._forget_error()
        if not self._following and not self._closed and self._differs(self._wanted()):
            self._work = spawn(self._follow(), name="set the system's proxy")

    def take_back(self) -> None:
        """Set it again, in place of what another program has set."""
        self.held, self.others = None, None
        self.follow(asked=True)

    async def settled(self) -> None:
        """Wait until the system is as wanted, or could not be made so."""
        while self._work is not None and not self._work.done():
            await asyncio.wait([self._work])

    @property
    def _following(self) -> bool:
        return self._work is not None and not self._work.done()

    async def _follow(self) -> None:
        try:
            while not self._closed and self._differs(wanted := self._wanted()):
                if not self.busy:
                    self.busy = True
                    self._tell()
                await self._turn(wanted)
        finally:
            self._patience = []
            self.busy = False
            if not self._closed:
                self._tell()

    def _differs(self, wanted: Wanted | None) -> bool:
        if self.backend is None or (wanted is not None and wanted == self._failed):
            return False
        if wanted is None and self.held is not None and self.restoring_failed and not self._asked:
            return False
        if self.others is not None and wanted is not None and not self._asked:
            return False
        return (wanted and wanted.setting) != (self.held and self.held.setting)

    async def _turn(self, wanted: Wanted | None) -> None:
        take, self._asked = self._asked, False
        try:
            if wanted is None:
                self._note(await run_blocking(self._clear))
            else:
                self._after = await run_blocking(self._set, wanted.setting, take)
        except ChangedByOthers as error:
            self.others = str(error)
            _log.warning("the system's proxy was changed by another program, and is left as it is")
            return
        except ProxyError as error:
            if self._closed:
                return
            if self._patience:  # right after the login a desktop may not be there yet
                await asyncio.sleep(self._patience.pop(0))
                return
            self._fail(error, wanted)
            return
        self.held, self.others, self._failed = wanted, None, None
        self._looked = time.monotonic()
        self.was_set = self.was_set or wanted is not None
        self._good = wanted.mode if wanted is not None else Mode.OFF
        if wanted is None:
            self._forget_error(restoring=True)

    def _fail(self, error: ProxyError, wanted: Wanted | None) -> None:
        self._say_failure(error, restoring=wanted is None)
        if wanted is None:
            self._refused(self._good)
            return
        self.held, self._failed = None, wanted
        back, self._good = self._good, Mode.OFF
        self._refused(back if back is not wanted.mode else Mode.OFF)

    def _say_failure(self, error: ProxyError, *, restoring: bool) -> None:
        _log.error("the system's proxy could not be %s: %s", "put back" if restoring else "set", error)
        self.error, self.restoring_failed = str(error), restoring

    def _forget_error(self, *, restoring: bool | None = None) -> None:
        if restoring is None or restoring == self.restoring_failed:
            self.error, self.restoring_failed = "", False

    def _note(self, restored: tuple[Restored, ...]) -> None:
        self.dead = next((one.dead for one in restored if one.dead), ())

    # ---- looking

    def glance(self, *, seen: bool) -> None:
        """Look whether another program has changed it, if the last look is long ago; `seen` when somebody looks."""
        now = time.monotonic()
        if now - self._looked > (LOOK_SECONDS if seen else UNSEEN_SECONDS):
            self.look()

    def look(self) -> None:
        """Look whether another program has changed it."""
        if self.held is not None and not (self._following or self._looking or self._closed):
            self._looked = time.monotonic()
            spawn(self._look(), name="look at the system's proxy")

    async def _look(self) -> None:
        held = self.held
        self._looking = True
        try:
            others = await run_blocking(self._read)
        except ProxyError as error:
            _log.debug("the system's proxy cannot be looked at: %s", error)
        else:
            if held is self.held and not self._following and others != self.others:
                self.others = others
                self._tell()
        finally:
            self._looking = False

    @property
    def failed_mode(self) -> Mode:
        """The mode that could not be set."""
        return self._failed.mode if self._failed is not None else Mode.OFF

    def _tell(self) -> None:
        for listener in list(self.changed):
            listener()

    # ---- in a worker

    def _recover(self) -> None:
        if self._journal.path.exists():
            with self._journal.locked():
                restored = self._journal.restore(self._backend_named)
            self._note(restored)
            if any(one.changed for one in restored):
                _log.warning("the system's proxy was still set by a run that was killed; it is back to what it was")

    def _set(self, setting: ProxySetting, take: bool) -> Snapshot:
        assert self.backend is not None
        try:
            with self._journal.locked():
                if self._closed:
                    raise ProxyError("the app ends")
                return self._journal.set(self.backend, setting, self._owner, self._arm, take=take)
        except ProxyError:
            if not self._journal.path.exists():  # nothing is left to guard
                self._dismiss()
            raise

    def _clear(self) -> tuple[Restored, ...]:
        with self._journal.locked():
            restored = self._journal.restore(self._backend_named, self._owner)
        self._dismiss()
        return restored

    def _read(self) -> str | None:
        """Where the setting of another program leads; None while ours is set."""
        assert self.backend is not None
        now = self.backend.snapshot()
        return None if now == self._after else ", ".join(self.backend.leads_to(now))

    def _arm(self) -> None:
        """Have a guard that watches. Without one the next start would put things back."""
        if self._guard is None or not self._guard.alive():
            try:
                self._guard = self._make_guard(self._folder, self._owner)
            except ProxyError as error:
                _log.warning("%s; should ssgui be killed, its next start puts the system's proxy back", error)

    def _dismiss(self, seconds: float = 5.0) -> None:
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.dismiss(seconds)

    def _backend_named(self, name: str) -> ProxyBackend:
        return self.backend if self.backend is not None and self.backend.name == name else self._others_find(name)

"""SIP003 plugins: programs that carry a server's TCP connections, looked after while their relay lives.

    client   program -> us -> plugin (SS_LOCAL, a free port on the loopback) -> plugin's far end (SS_REMOTE)
    server   plugin (SS_REMOTE, the public port) -> us (SS_LOCAL, a port on the loopback)

A plugin that ends is started again after 1, 2, 4 ... 30 seconds. What it says goes to our log. UDP goes past it.
"""

import asyncio
import logging
import os
import shutil
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from ssgui.config.models import PluginSettings
from ssgui.engine.errors import PluginError
from ssgui.engine.plugins.process import STOP_SECONDS, PluginProcess
from ssgui.engine.stages import Role
from ssgui.engine.tasks import spawn

READY_SECONDS = 5.0
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0  # after which a failure is a new one
_READY_POLL = 0.02
_LINES_A_SECOND = 20
_LAST_WORDS = 5
_LOOPBACK = "127.0.0.1"
_OURS = ("SSGUI_PASSWORD", "SSGUI_UPSTREAM_PROXY")  # not for others to inherit
# What configurations call them, and what the programs are called, best first.
_ALIASES = {
    ("v2ray-plugin", Role.LOCAL): ("v2ray-plugin", "ss-v2ray-plugin"),
    ("v2ray-plugin", Role.SERVER): ("v2ray-plugin", "ss-v2ray-plugin"),
    ("simple-obfs", Role.LOCAL): ("obfs-local",),
    ("simple-obfs", Role.SERVER): ("obfs-server",),
    ("obfs", Role.LOCAL): ("obfs-local",),
    ("obfs", Role.SERVER): ("obfs-server",),
}
_log = logging.getLogger("ssgui.plugin")


class PluginState(StrEnum):
    """How a plugin is doing."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"  # it will be started again
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class PluginView:
    """A plugin for the eye."""

    name: str
    state: PluginState
    restarts: int
    last_words: tuple[str, ...]


def find_program(name: str, role: Role) -> str:
    """The path of a plugin's program. PluginError when it is not there."""
    for candidate in _ALIASES.get((name, role), (name,)):
        if found := shutil.which(candidate):
            return found
    raise PluginError(f"the plugin {name!r} is not there: no such program in PATH", missing=True)


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Plugin:
    """One plugin of a relay. `remote` is where its other side is (client) or listens (server).

    A client's plugin listens on `local`, which `moved` is told of whenever it changes; a server's plugin
    connects to `local`, our own listener.
    """

    def __init__(
        self,
        settings: PluginSettings,
        role: Role,
        remote: tuple[str, int],
        local: tuple[str, int] | None = None,
        moved: Callable[[tuple[str, int]], None] | None = None,
    ) -> None:
        self._settings, self._role, self._remote = settings, role, remote
        self.local = local or (_LOOPBACK, 0)
        self._moved = moved
        self._program = find_program(settings.program, role)
        self._process: PluginProcess | None = None
        self._ended: asyncio.Future[int] | None = None
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self.state, self._restarts = PluginState.STARTING, 0
        self._words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._said_in, self._said = 0, 0
        self._hurry = asyncio.Event()

    @property
    def name(self) -> str:
        """As the settings call it."""
        return self._settings.program

    @property
    def ready(self) -> bool:
        """Whether connections can go through it."""
        return self.state is PluginState.READY

    def view(self) -> PluginView:
        """How it is doing."""
        return PluginView(self.name, self.state, self._restarts, tuple(self._words))

    # ---- life

    async def start(self) -> None:
        """Start it and wait until it listens; then it is looked after. PluginError when it does not come up."""
        try:
            await self._run_once()
        except PluginError:
            await self.stop()
            raise
        self._task = spawn(self._look_after(), name=f"plugin {self.name}")

    async def stop(self) -> None:
        """End it and all that it has started."""
        self.state = PluginState.STOPPED
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        process, ended = self._process, self._ended
        if process is None or ended is None:
            return
        process.signal_group(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.shield(ended)
        except TimeoutError:
            process.signal_group(getattr(signal, "SIGKILL", signal.SIGTERM))
            await ended
        self._process = self._ended = None

    def hurry(self) -> None:
        """Start it again now, if it is only waiting for that."""
        self._hurry.set()

    async def _run_once(self) -> None:
        """Start the program and wait until it is ready."""
        self.state = PluginState.STARTING
        if self._role is Role.LOCAL:
            self.local = _LOOPBACK, _free_port()
            if self._moved is not None:
                self._moved(self.local)
        self._words.clear()
        self._ended = self._loop.create_future()
        command = [self._program, *self._settings.arguments]
        try:
            self._process = PluginProcess(command, self._environment(), self._heard, self._exited)
        except OSError as error:
            raise PluginError(f"the plugin {self.name!r} cannot be started: {error.strerror or error}") from error
        await self._wait_until_ready()
        self.state = PluginState.READY

    def _environment(self) -> dict[str, str]:
        environment = {key: value for key, value in os.environ.items() if key not in _OURS}
        environment["SS_REMOTE_HOST"], environment["SS_REMOTE_PORT"] = self._remote[0], str(self._remote[1])
        environment["SS_LOCAL_HOST"], environment["SS_LOCAL_PORT"] = self.local[0], str(self.local[1])
        environment.pop("SS_PLUGIN_OPTIONS", None)
        if self._settings.options:
            environment["SS_PLUGIN_OPTIONS"] = self._settings.options
        return environment

    async def _wait_until_ready(self) -> None:
        """It listens: a client's on the loopback, a server's on the public port."""
        host, port = self.local if self._role is Role.LOCAL else self._remote
        target = (_LOOPBACK if host in ("0.0.0.0", "") else "::1" if host == "::" else host), port  # noqa: S104
        deadline = self._loop.time() + READY_SECONDS
        while self._loop.time() < deadline:
            assert self._ended is not None
            if self._ended.done():
                raise PluginError(f"the plugin {self.name!r} ended with {self._ended.result()}{self._quoted()}")
            if await _accepts(target):
                return
            await asyncio.sleep(_READY_POLL)
        raise PluginError(f"the plugin {self.name!r} does not listen within {READY_SECONDS:g} s{self._quoted()}")

    def _quoted(self) -> str:
        return f": {self._words[-1]}" if self._words else ""

    async def _look_after(self) -> None:
        pause = 1.0
        while True:
            began = time.monotonic()
            assert self._ended is not None
            code = await asyncio.shield(self._ended)
            self.state = PluginState.FAILED
            if time.monotonic() - began > STEADY_SECONDS:
                pause = 1.0
            _log.warning("the plugin %s ended with %d%s; starting it again in %g s", self.name, code,
                         self._quoted(), pause)  # fmt: skip
            pause = await self._start_again(pause)

    async def _start_again(self, pause: float) -> float:
        """Until it runs; the pause before the next try after that."""
        while True:
            await self._rest(pause)
            pause = min(LONGEST_PAUSE, pause * 2)
            self._restarts += 1
            try:
                await self._run_once()
            except PluginError as error:
                self.state = PluginState.FAILED
                _log.warning("%s; trying again in %g s", error, pause)
                await self._end_run()
            else:
                _log.info("the plugin %s runs again", self.name)
                return pause

    async def _rest(self, pause: float) -> None:
        """Wait before the next try, unless somebody is in a hurry."""
        self._hurry.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._hurry.wait()

    async def _end_run(self) -> None:
        """What did not become ready must not stay."""
        if self._process is not None and self._ended is not None:
            self._process.signal_group(getattr(signal, "SIGKILL", signal.SIGTERM))
            await asyncio.shield(self._ended)

    # ---- from its threads

    def _heard(self, line: str) -> None:
        self._call(self._log_line, line)

    def _exited(self, code: int) -> None:
        self._call(self._set_ended, self._ended, code)

    def _call(self, callback: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            _log.debug("the loop ended before the plugin %s did", self.name)

    @staticmethod
    def _set_ended(ended: "asyncio.Future[int] | None", code: int) -> None:
        if ended is not None and not ended.done():
            ended.set_result(code)

    def _log_line(self, line: str) -> None:
        """At most so many a second: a plugin that floods must not fill the log."""
        line = _plain(line)
        self._words.append(line)
        second = int(self._loop.time())
        if second != self._said_in:
            if self._said > _LINES_A_SECOND:
                _log.info("%s: %d more lines", self.name, self._said - _LINES_A_SECOND)
            self._said_in, self._said = second, 0
        self._said += 1
        if self._said <= _LINES_A_SECOND and line:
            _log.info("%s: %s", self.name, line)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind((_LOOPBACK, 0))
        port: int = sock.getsockname()[1]
        return port


async def _accepts(address: tuple[str, int]) -> bool:
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection(*address)
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True

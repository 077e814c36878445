"""A Shadowsocks server as a client uses it."""

import logging
import time
from typing import TYPE_CHECKING

from ssgui.config.models import ServerProfile
from ssgui.engine.errors import DialError, DialFailure
from ssgui.engine.plugins.plugin import Plugin
from ssgui.engine.stages import Role
from ssgui.engine.tunnel import client_tunnel
from ssgui.engine.upstream.health import ServerHealth
from ssgui.protocol.address import join_host_port
from ssgui.protocol.sip022 import MAX_SKEW, clock_words

if TYPE_CHECKING:
    from ssgui.engine.upstream.latency import Latency

COMPLAINT_PAUSE = 30.0
CLOCK_PAUSE = 600.0
SUSPECT_SKEW = 10  # seconds; a clock that is this far off goes on drifting
_HINTS = {
    DialFailure.REFUSED: "is it running, and is the port right?",
    DialFailure.TIMEOUT: "is it up, and does every firewall let this port through?",
    DialFailure.UNREACHABLE: "is this computer online?",
    DialFailure.DNS: "is the name right, and is this computer online?",
    DialFailure.DENIED: "it may not be used",
    DialFailure.PLUGIN: "the log says what its plugin said",
}
_log = logging.getLogger(__name__)


class Upstream:
    """One server: where it is, its keys, and what is known of it.

    `host` and `port` are where its TCP connections are dialled. `legacy` names the stream ciphers that are allowed.
    """

    def __init__(self, profile: ServerProfile, legacy: frozenset[str] = frozenset()) -> None:
        self._complained = -COMPLAINT_PAUSE
        self.profile, self.legacy = profile, legacy
        self.host, self.port = profile.host, profile.port
        self.name = profile.remarks or join_host_port(profile.host, profile.port)
        self.health = ServerHealth()
        self.latency: Latency | None = None
        self.plugin: Plugin | None = None
        self.clock_offset: int | None = None  # seconds that the server's clock is ahead, once it has said so
        self.clock_base = 0.0  # what our own clock was ahead of the monotonic one then
        self._warned = -CLOCK_PAUSE
        self.tunnel = client_tunnel(profile.method, profile.password.reveal(), self._heard_clock, legacy)

    async def start(self) -> None:
        """Start its plugin, if it has one: connections are then dialled where that listens. PluginError."""
        if self.profile.plugin is not None:
            remote = self.profile.host, self.profile.port
            self.plugin = Plugin(self.profile.plugin, Role.LOCAL, remote, moved=self._move)
            await self.plugin.start()

    async def stop(self) -> None:
        """Stop it."""
        if self.plugin is not None:
            await self.plugin.stop()

    def _move(self, address: tuple[str, int]) -> None:
        self.host, self.port = address

    def explain(self, error: DialError) -> DialError:
        """A dial that failed because the plugin does not run was not the server's failure."""
        if self.plugin is None or (self.plugin.ready and error.kind is not DialFailure.REFUSED):
            return error
        detail = f"the plugin {self.plugin.name} does not run"
        return DialError(DialFailure.PLUGIN, self.profile.host, self.profile.port, detail)

    def complain(self, error: DialError) -> None:
        """Say that the server cannot be reached, and what to look at; not for every connection."""
        now = time.monotonic()
        if now - self._complained >= COMPLAINT_PAUSE:
            self._complained = now
            _log.warning("cannot reach the server %s: %s; %s", self.name, error.detail, _HINTS[error.kind])

    def _heard_clock(self, offset: int) -> None:
        self.clock_offset, self.clock_base = offset, time.time() - time.monotonic()
        if abs(offset) <= SUSPECT_SKEW:
            return
        now = time.monotonic()
        if now - self._warned >= CLOCK_PAUSE:
            self._warned = now
            words = clock_words(offset)
            if abs(offset) > MAX_SKEW:
                _log.warning("%s (%s): nothing works until it is set", words, self.name)
            else:
                _log.warning("%s (%s); beyond %d s nothing will work", words, self.name, MAX_SKEW)

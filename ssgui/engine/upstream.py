"""A Shadowsocks server as a client uses it."""

import logging
import time

from ssgui.config.models import ServerProfile
from ssgui.engine.errors import DialError, DialFailure
from ssgui.engine.tunnel import client_tunnel

COMPLAINT_PAUSE = 30.0
_HINTS = {
    DialFailure.REFUSED: "is it running, and is the port right?",
    DialFailure.TIMEOUT: "is it up, and does every firewall let this port through?",
    DialFailure.UNREACHABLE: "is this computer online?",
    DialFailure.DNS: "is the name right, and is this computer online?",
    DialFailure.DENIED: "it may not be used",
}
_log = logging.getLogger(__name__)


class Upstream:
    """One server: where it is, its keys, and what was said about it.

    `host` and `port` are where its TCP connections are dialled.
    """

    def __init__(self, profile: ServerProfile) -> None:
        self._complained = -COMPLAINT_PAUSE
        self.profile = profile
        self.host, self.port = profile.host, profile.port
        self.name = profile.remarks or f"{profile.host}:{profile.port}"
        self.tunnel = client_tunnel(profile.method, profile.password.reveal())

    def complain(self, error: DialError) -> None:
        """Say that the server cannot be reached, and what to look at; not for every connection."""
        now = time.monotonic()
        if now - self._complained >= COMPLAINT_PAUSE:
            self._complained = now
            _log.warning("cannot reach the server %s: %s; %s", self.name, error.detail, _HINTS[error.kind])

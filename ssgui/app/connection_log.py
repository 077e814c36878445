"""The log's lines about connections: one for each that ended, read from the journal.

What ended as it should is told at DEBUG, the rest at INFO: the log is for what is worth reading. Where a
connection went is told only when DEBUG is on, for that is nobody's business.
"""

import logging

from ssgui.app.rate_limit import RateLimit
from ssgui.engine.events import Closed
from ssgui.engine.journal import Journal
from ssgui.engine.stages import Reason, Stage

# Of these the detail says which fault in the protocol it was, and nothing of where a connection went.
_FAULTS = frozenset({Reason.AUTH_FAILED, Reason.BAD_REQUEST, Reason.CLOCK_SKEW, Reason.REPLAY})
_ROUTINE = frozenset({Reason.FINISHED, Reason.CLIENT_RESET, Reason.SERVER_RESET, Reason.SHUTDOWN})


class ConnectionLog:
    """A reader of `journal` that writes to `logger`, within the bounds of `limit`."""

    def __init__(self, journal: Journal, logger: logging.Logger, limit: RateLimit | None = None) -> None:
        self._journal, self._log = journal, logger
        self._limit = limit or RateLimit()
        self._next = journal.sequence
        self._with_target = logger.isEnabledFor(logging.DEBUG)

    def pump(self) -> None:
        """Write what is new."""
        if self._journal.sequence == self._next:
            return
        events, self._next, dropped = self._journal.read_since(self._next, Closed)
        if dropped:
            self._log.info("%d events came too fast to be logged", dropped)
        for event in events:
            if isinstance(event, Closed):
                self._ended(event)

    def close(self) -> None:
        """Write what is new, and how much was held back."""
        self.pump()
        for key in self._limit.known():
            self._tell_held_back(key)

    def _ended(self, event: Closed) -> None:
        level = logging.DEBUG if _is_routine(event) else logging.INFO
        if not self._log.isEnabledFor(level):
            return
        why = f"{event.reason} ({event.detail})" if event.detail and event.reason in _FAULTS else str(event.reason)
        key = (event.client.rpartition(":")[0], why)
        if not self._limit.allow(key, event.t):
            return
        self._tell_held_back(key)
        seconds = sum(event.stages.values())
        fields: dict[str, object] = {
            "id": event.id,
            "client": event.client,
            "reason": str(event.reason),
            "up": event.up,
            "down": event.down,
            "seconds": round(seconds, 3),
        }
        if why != event.reason:
            fields["detail"] = event.detail
        if event.user:
            fields["user"] = event.user
        target = ""
        if self._with_target and event.target:
            fields["target"] = event.target
            target = f" to {event.target}"
        self._log.log(
            level,
            "%s%s: %s, %d bytes up, %d down, %.1f s",
            *(event.client, target, why, event.up, event.down, seconds),
            extra={"fields": fields},
        )

    def _tell_held_back(self, key: object) -> None:
        if count := self._limit.held_back(key):
            client, why = key if isinstance(key, tuple) else (key, "")
            self._log.info("%s: %s, %d more connections", client, why, count)


def _is_routine(event: Closed) -> bool:
    """Datagrams have no other end than that no more come."""
    idle = event.reason is Reason.IDLE_TIMEOUT and Stage.UDP_ASSOC.name in event.stages
    return idle or event.reason in _ROUTINE

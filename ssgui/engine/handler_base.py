"""What the handlers of TCP and UDP have in common: who they are, their stages, and what they look like to others."""

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import msgspec

from ssgui.engine.events import Endpoint, opened, stage_changed
from ssgui.engine.stages import Reason, Role, Stage, StreamStatus
from ssgui.protocol.address import Address

if TYPE_CHECKING:
    from ssgui.engine.relay import TCPRelay

# What changes all the time, for who looks often at thousands: payload bytes up and down, bytes held up and down, and
# bits: 1 and 2 the status of up, 4 and 8 that of down, 16 and 32 whether payload went up and down yet.
Pulse = tuple[int, int, int, int, int]
NO_PULSE: Pulse = (0, 0, 0, 0, 0)


class HandlerView(msgspec.Struct, frozen=True, gc=False):
    """What a handler looks like at one moment; times are monotonic seconds, bytes are payload."""

    id: int
    conn: int
    role: Role
    inbound: str
    client: str
    target: str
    route: str
    rule: str
    server: str
    user: str
    stage: Stage
    up_status: StreamStatus
    down_status: StreamStatus
    up: int
    down: int
    held_up: int
    held_down: int
    timeline: tuple[tuple[Stage, float], ...]
    first_up: float | None
    first_down: float | None
    acked: int | None = None  # as in `events.Closed`


class Handler(ABC):
    """One target that somebody asked for: `id` is its number, `conn` that of the client's connection.

    It ends through `destroy`, once.
    """

    is_association = False  # whether datagrams alone have begun it
    __slots__ = (
        "client", "conn", "id", "inbound", "relay", "route", "rule", "server", "stage", "target", "timeline", "user",
    )  # fmt: skip

    def __init__(self, number: int, conn: int, relay: "TCPRelay", client: Endpoint) -> None:
        self.id, self.conn, self.relay, self.client = number, conn, relay, client
        self.target: Address | None = None
        self.route = self.rule = self.server = self.user = self.inbound = ""
        self.stage = Stage.INIT
        self.timeline = [(Stage.INIT, time.monotonic())]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.stage.name}>"

    def announce(self, inbound: str) -> None:
        """Tell that it is there, now that it is known what its client speaks."""
        self.inbound = inbound
        relay = self.relay
        relay.journal.record(opened, self.id, self.conn, self.timeline[0][1], relay.role, inbound, self.client)

    def enter(self, stage: Stage) -> None:
        """Go to `stage`, if the table of the role allows it."""
        relay = self.relay
        if stage not in relay.transitions[self.stage]:
            raise RuntimeError(f"{self!r} cannot go to {stage.name}")
        now = time.monotonic()
        self.stage = stage
        self.timeline.append((stage, now))
        relay.journal.record(stage_changed, self.id, now, stage, self.target, self.route, self.rule, self.server)

    @abstractmethod
    def destroy(self, reason: Reason, /, *, detail: str = "") -> None:
        """End, for `reason`; `detail` says more, for the log and the eye."""

    @abstractmethod
    def sweep(self, now: float, idle_limit: float, /) -> None:
        """Called about once a second: end what has waited too long."""

    @abstractmethod
    def pulse(self) -> Pulse:
        """How things stand, in short."""

    @abstractmethod
    def view(self) -> HandlerView:
        """A record of how things stand."""

"""What the engine tells: one frozen record per thing that happened. Times are monotonic seconds."""

from dataclasses import dataclass
from itertools import pairwise

from ssgui.engine.stages import Reason, Role, Stage


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection was accepted; `id` is its handler's, `conn` its session's."""

    id: int
    conn: int
    t: float
    role: Role
    inbound: str
    client: str


@dataclass(frozen=True, slots=True)
class StageChanged:
    """A handler entered `stage`. `target` is "host:port" once known, `route` "proxy" or "direct"."""

    id: int
    t: float
    stage: Stage
    target: str
    route: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A handler is DESTROYED: why, payload bytes each way, and the seconds it spent in each stage."""

    id: int
    t: float
    reason: Reason
    up: int
    down: int
    stages: dict[str, float]
    target: str
    client: str


def closed(
    number: int,
    timeline: tuple[tuple[Stage, float], ...],
    reason: Reason,
    up: int,
    down: int,
    target: str,
    client: str,
) -> "Closed":
    """The end of a handler that entered each stage when `timeline` says, DESTROYED last."""
    spent = {stage.name: end - start for (stage, start), (_, end) in pairwise(timeline)}
    return Closed(number, timeline[-1][1], reason, up, down, spent, target, client)


Event = Opened | StageChanged | Closed

"""What the journal tells, put together: one `Trip` for each handler, with its stages and its end."""

from dataclasses import dataclass, field

from ssgui.engine.events import Closed, Opened, StageChanged
from ssgui.engine.journal import Journal
from ssgui.engine.stages import Role, Stage


@dataclass
class Trip:
    """One connection as one end of the tunnel saw it. Times are monotonic seconds."""

    role: Role
    stages: list[tuple[Stage, float]]
    target: str = ""
    closed: Closed | None = None

    @property
    def began(self) -> float:
        """When it was accepted."""
        return self.stages[0][1]

    def spent(self, stage: Stage) -> float | None:
        """Seconds in `stage`; None while it lasts, or when it was not passed."""
        return None if self.closed is None else self.closed.stages.get(stage.name)


@dataclass
class Trips:
    """A reader of `journal`."""

    journal: Journal
    _next: int = 0
    _live: dict[int, Trip] = field(default_factory=dict)

    def read(self) -> list[Trip]:
        """The trips that ended since the last call, in order of their ends."""
        events, self._next, dropped = self.journal.read_since(self._next)
        if dropped:
            self._live.clear()  # whose end was lost would stay for ever
        ended = []
        for event in events:
            trip = self._live.get(event.id)
            match event:
                case Opened():
                    self._live[event.id] = Trip(event.role, [(Stage.INIT, event.t)])
                case StageChanged() if trip is not None:
                    trip.stages.append((event.stage, event.t))
                    trip.target = event.target
                case Closed() if trip is not None:
                    trip.closed = event
                    ended.append(self._live.pop(event.id))
        return ended

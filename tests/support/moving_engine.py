"""An engine without sockets: connections open, move, carry bytes and end when a test says so."""

from collections.abc import Callable

from ssgui.engine.events import Closed, Opened, StageChanged
from ssgui.engine.handler_base import HandlerView, Pulse
from ssgui.engine.journal import Journal
from ssgui.engine.stages import Reason, Role, Stage, StreamStatus

TOKYO = "Tokyo 1 东京"
CLIENT = "127.0.0.1:5000"
USUAL_WAY = (Stage.ADDR, Stage.DNS, Stage.CONNECTING, Stage.STREAM)


class MovingHandler:
    """A live connection; its fields are what an engine's handler would tell."""

    def __init__(self, number: int, target: str, t: float, client: str, end: Callable[[int, Reason], None]) -> None:
        self._end = end
        self.id, self.target, self.route, self.rule, self.server = number, "", "proxy", "gfwlist", TOKYO
        self.client = client
        self.going_to = target
        self.stage, self.timeline = Stage.INIT, [(Stage.INIT, t)]
        self.up = self.down = self.held_up = self.held_down = 0
        self.up_status = self.down_status = StreamStatus.READING
        self.first_up: float | None = None
        self.first_down: float | None = None

    def pulse(self) -> Pulse:
        """As cheap as the engine's: enums are slow."""
        held_up, held_down = self.held_up, self.held_down
        bits = (2 if held_up else 1) | (8 if held_down else 4)
        bits |= (0 if self.first_up is None else 16) | (0 if self.first_down is None else 32)
        return self.up, self.down, held_up, held_down, bits

    def destroy(self, reason: Reason) -> None:
        """End it."""
        self._end(self.id, reason)

    def view(self) -> HandlerView:
        return HandlerView(
            self.id, self.id, Role.LOCAL, "socks5", self.client, self.target, self.route, self.rule, self.server, "",
            self.stage, self.up_status, self.down_status, self.up, self.down, self.held_up, self.held_down,
            tuple(self.timeline), self.first_up, self.first_down,
        )  # fmt: skip


class MovingEngine:
    """Its clock is `now`; numbers are never given twice."""

    def __init__(self, size: int = 8192) -> None:
        self.journal, self.handlers = Journal(size), dict[int, MovingHandler]()
        self.now, self.last = 1000.0, 0

    def clock(self) -> float:
        return self.now

    def open(self, target: str = "example.com:443", stage: Stage = Stage.INIT, client: str = CLIENT) -> int:
        """A new connection that gets as far as `stage`; its number."""
        self.last += 1
        handler = self.handlers[self.last] = MovingHandler(self.last, target, self.now, client, self.end)
        self.journal.append(Opened(self.last, self.last, self.now, Role.LOCAL, "socks5", client))
        if stage in USUAL_WAY:
            for one in USUAL_WAY[: USUAL_WAY.index(stage) + 1]:
                self.move(handler.id, one)
        return self.last

    def move(self, number: int, stage: Stage) -> None:
        one = self.handlers[number]
        one.stage, one.target = stage, one.going_to
        one.timeline.append((stage, self.now))
        self.journal.append(StageChanged(number, self.now, stage, one.target, one.route, one.rule, one.server))

    def carry(self, number: int, up: int = 0, down: int = 0, *, blocked: bool = False) -> None:
        """Payload went through; `blocked` if the program does not take more."""
        one = self.handlers[number]
        one.up, one.down = one.up + up, one.down + down
        if up and one.first_up is None:
            one.first_up = self.now
        if down and one.first_down is None:
            one.first_down = self.now
        one.down_status = StreamStatus.WRITING if blocked else StreamStatus.READING
        one.held_down = 4096 if blocked else 0

    def end(self, number: int, reason: Reason = Reason.FINISHED) -> None:
        one = self.handlers.pop(number)
        self.journal.append(
            StageChanged(number, self.now, Stage.DESTROYED, one.target, one.route, one.rule, one.server)
        )  # fmt: skip
        timeline = (*one.timeline, (Stage.DESTROYED, self.now))
        self.journal.append(
            Closed(
                number, self.now, reason, one.up, one.down, timeline, one.target, one.client, conn=number,
                inbound="socks5", route=one.route, rule=one.rule, server=one.server, first_up=one.first_up,
                first_down=one.first_down,
            )
        )  # fmt: skip

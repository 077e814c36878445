"""An engine without sockets: connections open, move, carry bytes and end when a test says so."""

from ssgui.engine.events import Closed, Opened, StageChanged
from ssgui.engine.handler import HandlerView, Pulse
from ssgui.engine.journal import Journal
from ssgui.engine.stages import Reason, Role, Stage, StreamStatus

TOKYO = "Tokyo 1 东京"
USUAL_WAY = (Stage.ADDR, Stage.DNS, Stage.CONNECTING, Stage.STREAM)


class MovingHandler:
    """A live connection; its fields are what an engine's handler would tell."""

    def __init__(self, number: int, target: str, t: float) -> None:
        self.id, self.target, self.route, self.rule, self.server = number, "", "proxy", "gfwlist", TOKYO
        self.going_to = target
        self.stage, self.timeline = Stage.INIT, [(Stage.INIT, t)]
        self.up = self.down = self.held_up = self.held_down = 0
        self.up_status = self.down_status = StreamStatus.READING
        self.first_up: float | None = None
        self.first_down: float | None = None

    def pulse(self) -> Pulse:
        bits = int(self.up_status) | int(self.down_status) << 2
        bits |= 16 * (self.first_up is not None) | 32 * (self.first_down is not None)
        return self.up, self.down, self.held_up, self.held_down, bits

    def view(self) -> HandlerView:
        return HandlerView(
            id=self.id, conn=self.id, role=Role.LOCAL, inbound="socks5", client="127.0.0.1:5000", target=self.target,
            route=self.route, rule=self.rule, server=self.server, user="", stage=self.stage,
            up_status=self.up_status, down_status=self.down_status, up=self.up, down=self.down, held_up=self.held_up,
            held_down=self.held_down, first_up=self.first_up, first_down=self.first_down,
            timeline=tuple(self.timeline),
        )  # fmt: skip


class MovingEngine:
    """Its clock is `now`; numbers are never given twice."""

    def __init__(self, size: int = 8192) -> None:
        self.journal, self.handlers = Journal(size), dict[int, MovingHandler]()
        self.now, self.last = 1000.0, 0

    def clock(self) -> float:
        return self.now

    def open(self, target: str = "example.com:443", stage: Stage = Stage.INIT) -> int:
        """A new connection that gets as far as `stage`; its number."""
        self.last += 1
        handler = self.handlers[self.last] = MovingHandler(self.last, target, self.now)
        self.journal.append(Opened(self.last, self.last, self.now, Role.LOCAL, "socks5", "127.0.0.1:5000"))
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
        timeline = (*one.timeline, (Stage.DESTROYED, self.now))
        self.journal.append(
            Closed(
                number, self.now, reason, one.up, one.down, timeline, one.target, "127.0.0.1:5000", conn=number,
                inbound="socks5", route=one.route, rule=one.rule, server=one.server, first_up=one.first_up,
                first_down=one.first_down,
            )
        )  # fmt: skip

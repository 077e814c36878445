"""Journal and snapshots make rows, evidence and totals."""

from msgspec.structs import replace

from ssgui.engine.events import Closed, Opened, StageChanged
from ssgui.engine.handler_base import HandlerView, Pulse
from ssgui.engine.journal import Journal
from ssgui.engine.stages import Reason, Role, Stage, StreamStatus
from ssgui.services.connections.meter import Meter
from ssgui.services.connections.records import (
    MOST_CLOSED,
    Connection,
    Connections,
    Listener,
    Moment,
    is_waiting,
)
from ssgui.services.diagnosis.evidence import Evidence, ServerEvidence, Verdict, judge

TOKYO = "Tokyo 1"


class FakeHandler:
    """Looks like a view, and so does its pulse."""

    viewed = 0  # how often, of all of them

    def __init__(self, view: HandlerView) -> None:
        self._view = view

    def view(self) -> HandlerView:
        FakeHandler.viewed += 1
        return self._view

    def pulse(self) -> Pulse:
        one = self._view
        bits = int(one.up_status) | int(one.down_status) << 2
        bits |= 16 * (one.first_up is not None) | 32 * (one.first_down is not None)
        return one.up, one.down, one.held_up, one.held_down, bits


class FakeEngine:
    """A journal and live handlers that tests fill."""

    def __init__(self, size: int | None = None) -> None:
        self.journal = Journal() if size is None else Journal(size)
        self.views: list[HandlerView] = []

    @property
    def handlers(self) -> dict[int, FakeHandler]:
        return {one.id: FakeHandler(one) for one in self.views}


class World:
    def __init__(self, size: int | None = None) -> None:
        self.now = 100.0
        self.routes: dict[int, str] = {}
        self.engine = FakeEngine(size)
        self.connections = Connections(self.engine, lambda: self.now)
        self.evidence, self.meter = ServerEvidence(), Meter(lambda: "2026-11-23")
        self.connections.listeners += [self.evidence, self.meter]

    def begin(self, number: int, stage: Stage = Stage.CONNECTING, route: str = "proxy") -> None:
        journal, self.routes[number] = self.engine.journal, route
        journal.append(Opened(number, number, self.now, Role.LOCAL, "socks5", "127.0.0.1:5"))
        for one in (Stage.ADDR, Stage.DNS, Stage.CONNECTING, Stage.STREAM):
            server = TOKYO if route == "proxy" else ""
            journal.append(StageChanged(number, self.now, one, "example.com:443", route, "a rule", server))
            if one is stage:
                return

    def end(self, number: int, reason: Reason, up: int = 0, down: int = 0) -> None:
        journal = self.engine.journal
        journal.append(StageChanged(number, self.now, Stage.DESTROYED, "example.com:443", "proxy"))
        timeline = ((Stage.INIT, self.now), (Stage.DESTROYED, self.now))
        target, client, route = "example.com:443", "127.0.0.1:5", self.routes.get(number, "proxy")
        server = TOKYO if route == "proxy" else ""
        journal.append(Closed(number, self.now, reason, up, down, timeline, target, client, route=route, server=server))

    def pull(self, seconds: float = 0.2) -> None:
        self.now += seconds
        self.connections.pull()

    def verdict(self) -> str:
        return judge(TOKYO, self.evidence.of(TOKYO), self.now).kind


def view(number: int, up: int = 0, down: int = 0, stage: Stage = Stage.STREAM) -> HandlerView:
    return HandlerView(
        id=number, conn=number, role=Role.LOCAL, inbound="socks5", client="127.0.0.1:5", target="example.com:443",
        route="proxy", rule="a rule", server=TOKYO, user="", stage=stage, up_status=StreamStatus.READING,
        down_status=StreamStatus.WRITING, up=up, down=down, held_up=0, held_down=7, first_up=None, first_down=None,
        timeline=((Stage.INIT, 100.0), (stage, 100.5)),
    )  # fmt: skip


def test_a_connection_from_beginning_to_end() -> None:
    world = World()
    world.begin(1)
    world.pull()
    one = world.connections.live[1]
    assert (one.stage, one.target, one.rule, one.server) == (Stage.CONNECTING, "example.com:443", "a rule", TOKYO)
    assert [stage for stage, _ in one.timeline] == [Stage.INIT, Stage.ADDR, Stage.DNS, Stage.CONNECTING]
    world.engine.views = [view(1, up=100, down=5000)]
    world.pull(0.5)
    assert (one.up_rate, one.down_rate) == (200.0, 10_000.0)
    assert (one.down_status, one.held_down) == (StreamStatus.WRITING, 7)
    world.engine.views = []
    world.end(1, Reason.FINISHED, 100, 9000)
    world.pull()
    assert not world.connections.live
    assert (one.reason, one.up, one.down, one.down_rate) == (Reason.FINISHED, 100, 9000, 0.0)
    assert not one.live
    assert world.meter.servers[TOKYO].down == 9000


def test_a_reader_that_fell_behind_sees_what_is_there() -> None:
    world = World(size=4)
    world.begin(1)
    world.pull()
    for number in range(2, 30):
        world.begin(number)
    world.engine.views = [view(28), view(29)]
    world.pull()
    assert set(world.connections.live) == {28, 29}
    assert world.connections.ended[1].reason is None


def test_those_that_ended_are_bounded() -> None:
    world = World()
    for number in range(MOST_CLOSED + 10):
        world.begin(number)
        world.end(number, Reason.FINISHED)
        if not number % 500:
            world.pull()
    world.pull()
    assert len(world.connections.ended) == MOST_CLOSED
    assert 9 not in world.connections.ended


def test_the_header_says_connected_only_after_bytes_came_back() -> None:
    world = World()
    assert judge("", None, 0).kind == "none"
    assert judge(TOKYO, None, 0, off=True).kind == "off"
    assert judge(TOKYO, Evidence(last_byte=9.0), 10, off=True).seconds == 1
    assert judge(TOKYO, Evidence(last_byte=9.0), 1000, off=True).seconds == 0
    assert judge(TOKYO, Evidence(last_byte=9.0), 10, blocked="plugin") == Verdict("blocked", TOKYO, why="plugin")
    assert judge(TOKYO, None, 0, online=False).kind == "offline"
    assert world.verdict() == "ready"
    world.begin(1)
    world.pull()
    assert world.verdict() == "connecting"
    world.engine.views = [view(1, up=10)]
    world.pull()
    assert world.verdict() == "connecting"
    world.engine.views = [view(1, up=10, down=1)]
    world.pull()
    assert world.verdict() == "on"
    world.engine.views = [view(1, up=10, down=1)]
    world.pull(59.9)
    assert world.verdict() == "on"
    world.pull(0.2)
    assert world.verdict() == "ready"


def test_failing_is_said_on_evidence_and_taken_back_on_evidence() -> None:
    world = World()
    for number in range(4):
        world.begin(number)
        world.end(number, Reason.CONNECT_TIMEOUT)
    world.pull()
    verdict = judge(TOKYO, world.evidence.of(TOKYO), world.now)
    assert (verdict.kind, verdict.count, verdict.attempts, verdict.reason) == ("failing", 4, 4, Reason.CONNECT_TIMEOUT)
    world.pull(3600)
    assert world.verdict() == "failing"
    world.begin(9, Stage.STREAM)
    world.engine.views = [view(9, 1, 1)]
    world.pull()
    assert world.verdict() == "on"


def test_a_wrong_password_is_suspected_when_nothing_ever_came_back() -> None:
    world = World()
    for number in range(3):
        world.begin(number, Stage.STREAM)
        world.end(number, Reason.NO_ANSWER, up=100)
    world.pull()
    assert world.verdict() == "suspicious"
    world.evidence.forget(TOKYO)
    assert world.verdict() == "ready"


def test_one_silent_target_is_no_wrong_password() -> None:
    world = World()
    world.begin(1, Stage.STREAM)
    world.end(1, Reason.FINISHED, 10, 10)
    for number in range(2, 12):
        world.begin(number, Stage.STREAM)
        world.end(number, Reason.NO_ANSWER, up=100)
    world.pull()
    assert world.verdict() == "on"


def test_direct_connections_say_nothing_about_a_server() -> None:
    world = World()
    for number in range(5):
        world.begin(number, route="direct")
        world.end(number, Reason.CONNECT_REFUSED)
    world.pull()
    assert world.verdict() == "ready"


def test_rates_and_the_turn_of_the_day() -> None:
    days = ["a"]
    meter = Meter(lambda: days[0])
    world = World()
    world.connections.listeners = [meter]
    meter.tick(100.0)
    world.begin(1, Stage.STREAM)
    world.pull()
    world.engine.views = [replace(view(1), down=2_000_000, up=10)]
    world.pull()
    meter.tick(102.0)
    assert meter.down[-1] == 1_000_000
    assert len(meter.down) == 60
    meter.restore("a", {TOKYO: (1, 2)})
    assert (meter.servers[TOKYO].up, meter.servers[TOKYO].down) == (11, 2_000_002)
    meter.restore("another day", {TOKYO: (1, 2)})
    assert meter.servers[TOKYO].down == 2_000_002
    days[0] = "b"
    meter.tick(103.0)
    assert not meter.servers


def test_a_look_that_comes_late_makes_no_gap_and_no_peak() -> None:
    meter = Meter(lambda: "a")
    meter.tick(100.0)
    for now, down in ((101.0, 500), (103.0, 3000), (104.0, 0)):
        meter.flowed("", 0, down, now)
        meter.tick(now)
    assert list(meter.down)[-5:] == [0.0, 500.0, 1500.0, 1500.0, 0.0]
    meter.flowed("", 0, 7200, 7304.0)
    meter.tick(7304.0)  # the machine slept
    assert list(meter.down) == [1.0] * 60


def test_bytes_may_wait_for_a_closer_look() -> None:
    world = World()
    world.begin(1, Stage.STREAM)
    world.engine.views = [view(1, up=10, down=20)]
    world.connections.pull(closely=False)
    one = world.connections.live[1]
    assert (one.stage, one.down, world.meter.servers[TOKYO].down) == (Stage.STREAM, 0, 0)
    world.begin(2, Stage.STREAM)
    world.end(2, Reason.FINISHED, 1, 100)
    world.connections.pull(closely=False)
    assert world.connections.ended[2].down == 100
    world.pull(1.0)
    assert (one.down, one.down_rate) == (20, 20 / (world.now - 100.0))
    assert world.meter.servers[TOKYO].down == 120


def test_a_server_has_a_course_of_its_traffic_by_minutes_and_of_how_connections_ended() -> None:
    day = ["2026-11-23"]
    meter = Meter(lambda: day[0])
    meter.servers[TOKYO].down = 10
    for second in range(121):
        meter.tick(float(second))
        meter.servers[TOKYO].down += 1
    assert list(meter.courses[TOKYO]) == [0, 70, 130]
    day[0] = "2026-11-24"
    meter.tick(122.0)
    assert not meter.courses


def test_what_happened_between_the_stages_is_kept() -> None:
    world = World()
    world.begin(1, Stage.STREAM)
    world.engine.views = [replace(view(1, up=5), first_up=100.0, down_status=StreamStatus.READING, acked=40)]
    world.pull()
    one = world.connections.live[1]
    assert is_waiting(one)
    assert (one.acked, one.down_blocked) == (40, None)
    world.engine.views = [replace(view(1, up=5, down=90), first_up=100.0, first_down=100.3)]
    world.pull()
    assert one.down_blocked == world.now
    begun = world.now
    world.pull()
    assert one.down_blocked == begun
    assert not is_waiting(one)
    world.engine.views = [replace(view(1, up=5, down=90), down_status=StreamStatus.READING, held_down=0)]
    world.pull()
    happened = [Moment.FIRST_UP, Moment.FIRST_DOWN, Moment.DOWN_BLOCKED, Moment.DOWN_FLOWS]
    assert [moment for _, moment in one.moments] == happened
    assert one.course.between(0, 1000) == (5, 90)
    assert not one.down_blocked
    assert (one.up_rate, one.down_rate) == (0, 0)


def test_an_end_alone_says_everything() -> None:
    world = World(size=1)
    world.begin(1, Stage.STREAM)
    timeline = ((Stage.INIT, 90.0), (Stage.DNS, 91.0), (Stage.STREAM, 92.0), (Stage.DESTROYED, 95.0))
    world.engine.journal.append(
        Closed(1, 95.0, Reason.NO_ANSWER, 7, 0, timeline, "a.example:443", "127.0.0.1:5", "more", "ann", 8, Role.LOCAL,
               "http", "proxy", "gfwlist", TOKYO, 92.5, None, 7)
    )  # fmt: skip
    world.pull()
    (one,) = world.connections.ended.values()
    assert (one.opened, one.ended, one.reason, one.detail) == (90.0, 95.0, Reason.NO_ANSWER, "more")
    assert (one.target, one.route, one.rule, one.server) == ("a.example:443", "proxy", "gfwlist", TOKYO)
    assert (one.inbound, one.conn, one.user, one.up, one.first_up, one.acked) == ("http", 8, "ann", 7, 92.5, 7)
    assert one.timeline == list(timeline)
    assert world.meter.servers[TOKYO].up == 7


def test_of_a_stream_that_only_carries_bytes_nothing_else_is_asked() -> None:
    world = World()
    world.begin(1, Stage.STREAM)
    first = replace(view(1, up=10, down=20), first_up=100.1, first_down=100.3)
    world.engine.views = [first]
    world.pull()
    one, viewed = world.connections.live[1], FakeHandler.viewed
    world.engine.views = [replace(first, up=30, down=60, held_down=9)]
    world.pull(0.5)
    assert FakeHandler.viewed == viewed
    assert (one.up, one.down, one.held_down, one.up_rate, one.down_rate) == (30, 60, 9, 40.0, 80.0)
    assert one.course.between(0, 1000) == (30, 60)
    world.pull(0.5)
    assert (one.up_rate, one.down_rate) == (0.0, 0.0)
    world.engine.views = [replace(first, up=30, down=60, down_status=StreamStatus.READING)]
    world.pull(0.5)
    assert FakeHandler.viewed == viewed + 1
    assert (one.down_status, one.down_blocked) == (StreamStatus.READING, None)


def test_while_nothing_comes_back_it_is_asked_what_was_acknowledged_though_more_is_sent() -> None:
    world = World()
    world.begin(1, Stage.STREAM)
    waiting = replace(view(1, up=10), first_up=100.1, acked=10)
    world.engine.views = [waiting]
    world.pull()
    world.engine.views = [replace(waiting, up=500, acked=300)]
    world.pull(0.5)
    assert world.connections.live[1].acked == 10  # not at every look
    world.engine.views = [replace(waiting, up=900, acked=700)]
    world.pull(0.6)
    assert world.connections.live[1].acked == 700


def test_listeners_hear_what_they_want_to_hear() -> None:
    class Ends(Listener):
        def __init__(self) -> None:
            self.heard: list[int] = []

        def closed(self, one: Connection) -> None:
            self.heard.append(one.id)

    world, ends = World(), Ends()
    world.connections.listeners.append(ends)
    world.begin(1, Stage.STREAM)
    world.end(1, Reason.FINISHED, 5, 6)
    world.pull()
    assert ends.heard == [1]
    assert world.meter.servers[TOKYO].up == 5


def test_what_flowed_through_each_server_is_told_once_a_look() -> None:
    class Flows(Listener):
        def __init__(self) -> None:
            self.heard: list[tuple[str, int, int]] = []

        def flowed(self, server: str, up: int, down: int, now: float) -> None:
            self.heard.append((server, up, down))

    world, flows = World(), Flows()
    world.connections.listeners.append(flows)
    world.begin(1, Stage.STREAM)
    world.begin(2, Stage.STREAM)
    world.begin(3, Stage.STREAM, route="direct")
    views = [view(1, up=10, down=20), view(2, up=1), replace(view(3, up=5), route="direct", server="")]
    world.engine.views = views
    world.pull()
    assert sorted(flows.heard) == [("", 5, 0), (TOKYO, 11, 20)]
    flows.heard.clear()
    world.pull()
    assert not flows.heard
    world.engine.views = views[1:]
    world.end(1, Reason.FINISHED, 10, 500)
    world.pull()
    assert flows.heard == [(TOKYO, 0, 480)]

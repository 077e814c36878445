"""The demo proves what it says, says no when it cannot, and lets no stranger's name reach the terminal raw."""

import io
import socket

import httpx
import pytest
from rich.console import Console

from ssgui.app.demo import command as demo
from ssgui.app.demo.screen import Screen, milliseconds, rate
from ssgui.app.demo.site import BULK_PATH, BULK_SIZE, PAGE, Site, bulk, bulk_hash
from ssgui.app.demo.trips import Trip, Trips
from ssgui.engine.events import Closed, Event, Opened, StageChanged
from ssgui.engine.journal import Journal
from ssgui.engine.stages import Reason, Role, Stage

STAGES = ("INIT", "ADDR", "DNS", "CONNECTING", "STREAM", "DESTROYED")


def run_once() -> tuple[int, str]:
    console = Console(file=io.StringIO(), width=100)
    code = demo.run_demo(once=True, console=console)
    assert isinstance(console.file, io.StringIO)
    return code, console.file.getvalue()


# ---- the whole


def test_once_proves_and_ends_with_0() -> None:
    code, text = run_once()
    assert code == 0
    assert all(stage in text for stage in STAGES)
    assert f"ok  SHA-256 as sent\n    {bulk_hash()}\n" in text
    assert text.count("MB/s") >= 3
    assert "curl" not in text


def test_wrong_bytes_fail_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "bulk_hash", lambda: "0" * 64)
    code, text = run_once()
    assert code == 1
    assert "failed  50,000,000 of 50,000,000 bytes came, with SHA-256" in text


def test_wrong_page_fails_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "PAGE", b"another page")
    code, text = run_once()
    assert code == 1
    assert f"the page that came ({len(PAGE)} bytes) is not the one the site has" in text


def test_broken_proxy_fails_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> demo.Fetched:
        raise httpx.ConnectError("the proxy hung up")

    monkeypatch.setattr(demo, "fetch", broken)
    code, text = run_once()
    assert code == 1
    assert "failed  the proxy hung up" in text


def test_client_takes_another_port_when_the_usual_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(demo, "DEFAULT_LOCAL_PORT", port)
        code, text = run_once()
    assert code == 0
    client = next(line for line in text.splitlines() if "client" in line)
    assert "127.0.0.1:" in client
    assert f"127.0.0.1:{port} " not in client


# ---- the site


def test_site_serves_a_page_and_the_bulk_whose_hash_is_known() -> None:
    with Site() as site, httpx.Client(trust_env=False) as client:
        url = f"http://127.0.0.1:{site.port}"
        assert client.get(f"{url}/").content == PAGE
        assert client.get(f"{url}/elsewhere").status_code == 404
        answer = client.get(f"{url}{BULK_PATH}")
        assert answer.headers["content-length"] == str(BULK_SIZE)
        assert answer.content == b"".join(bulk())


def test_no_two_blocks_of_the_bulk_are_equal() -> None:
    blocks = list(bulk())
    assert sum(map(len, blocks)) == BULK_SIZE
    assert len(set(blocks)) == len(blocks)
    assert bulk_hash(10) != bulk_hash(11)


# ---- what was seen


class TellTale(Journal):
    """Tells `events` once, and that `dropped` others were lost."""

    def __init__(self, events: list[Event], dropped: int = 0) -> None:
        super().__init__()
        self.events, self.dropped = events, dropped

    def read_since(self, sequence: int, only: type[Event] | None = None) -> tuple[list[Event], int, int]:
        events, self.events = self.events, []
        return events, sequence + len(events), self.dropped


TIMELINE = ((Stage.INIT, 1.0), (Stage.DNS, 1.25), (Stage.DESTROYED, 1.5))


def trip_events(target: str) -> list[Event]:
    return [
        Opened(1, 1, 1.0, Role.LOCAL, "socks5", "127.0.0.1:5"),
        StageChanged(1, 1.25, Stage.DNS, target, "proxy"),
        StageChanged(1, 1.5, Stage.DESTROYED, target, "proxy"),
        Closed(1, 1.5, Reason.DNS_FAILED, 3, 4, TIMELINE, target, "127.0.0.1:5"),
    ]


def test_trips_are_put_together_from_events() -> None:
    (trip,) = Trips(TellTale(trip_events("a:1"))).read()
    assert trip.stages == [(Stage.INIT, 1.0), (Stage.DNS, 1.25), (Stage.DESTROYED, 1.5)]
    assert (trip.role, trip.target, trip.began) == (Role.LOCAL, "a:1", 1.0)
    assert (trip.spent(Stage.DNS), trip.spent(Stage.STREAM)) == (0.25, None)


def test_trips_whose_beginning_was_lost_are_left_out() -> None:
    assert Trips(TellTale(trip_events("a:1")[1:], dropped=1)).read() == []


def test_trips_still_open_are_not_read() -> None:
    journal = TellTale(trip_events("a:1")[:2])
    trips = Trips(journal)
    assert trips.read() == []
    journal.events = trip_events("a:1")[2:]
    assert [trip.target for trip in trips.read()] == ["a:1"]


# ---- how it looks


def test_names_of_strangers_are_text_only() -> None:
    console = Console(file=io.StringIO(), width=200, force_terminal=True, color_system=None)
    (trip,) = Trips(TellTale(trip_events("[red]\x1b]0;title\x07\n:1"))).read()
    Screen(console).ended(trip)
    assert isinstance(console.file, io.StringIO)
    line = console.file.getvalue()
    assert "[red]\\x1b]0;title\\x07" in line
    assert "\x1b" not in line
    assert "dns-failed: 3 bytes up, 4 down" in line


def test_timeline_is_in_the_order_of_time() -> None:
    console = Console(file=io.StringIO(), width=100)
    client = Trip(Role.LOCAL, [(Stage.INIT, 5.0), (Stage.DESTROYED, 5.004)])
    server = Trip(Role.SERVER, [(Stage.INIT, 5.001)])
    Screen(console).timeline([server, client])
    assert isinstance(console.file, io.StringIO)
    rows = [line.split("  ")[0].strip() for line in console.file.getvalue().splitlines() if " ms" in line]
    assert [row.split(" ms")[0] for row in rows] == ["0.00", "1.00", "4.00"]


@pytest.mark.parametrize(("seconds", "text"), [(None, "-"), (0.0012345, "1.23 ms"), (2.0, "2000.00 ms")])
def test_milliseconds(seconds: float | None, text: str) -> None:
    assert milliseconds(seconds) == text


def test_rate() -> None:
    assert rate(50_000_000, 0.5) == "100 MB/s"

"""The page of connections with whole lives on it: bars, details, a diagnosis, and thirty that stall; at its widths."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication, QLabel, QWidget

from ssgui.engine.stages import Reason
from ssgui.gui.connections.page import ConnectionsPage
from ssgui.services.connections.records import Connection
from tests.support import sample_lives
from tests.support.sample import NOW
from tests.support.traffic import traffic

if TYPE_CHECKING:
    from tests.support.screens import Screens

Shown = Iterator[tuple[str, QWidget]]
WIDTHS = {"wide": (1360, 860), "middle": (1120, 760), "small": (960, 720)}
_WINDOW = 12.0  # seconds


def lives(screens: "Screens") -> Shown:
    """Each picture, at the widths where it differs."""
    window, page = screens.window, screens.presenter.connections
    before = window.size()
    window.open_page("connections")
    for width, size in WIDTHS.items():
        window.resize(*size)
        with filled(screens, [*sample_lives.every_kind(), *_failures()]):
            page.picture.strip.brush.choose(NOW - _WINDOW, NOW, NOW)
            page.look()
            if width != "middle":
                yield f"waterfall-{width}", settled(window)
                _choose(page, "a-very-long")
                yield f"diagnosis-{width}", settled(window)
            _choose(page, "objects.")
            yield f"detail-{width}", settled(window)
            page.inspector.shut()
            page.picture.clear()
            if width == "wide":
                page.table.head.begin_at_zero(True)
                page.look()
                yield "from-zero", settled(window)
                page.table.head.begin_at_zero(False)
        if width != "middle":
            with filled(screens, [*sample_lives.stalled(), *_failures()]):
                page.filter.setText("stage:waiting")
                yield f"stalled-{width}", settled(window)
                page.filter.clear()
            yield f"newer-{width}", newer(screens)
    yield from popovers(screens)
    window.resize(before)
    settled(window)


def popovers(screens: "Screens") -> Shown:
    """What a bar says when it is pointed at."""
    pointing = screens.presenter.connections.picture.pointing
    for name, one in (("streaming", sample_lives.stuck()), ("servers", sample_lives.two_servers())):
        pointing.popover.take(one, NOW)
        yield f"timing-{name}", pointing.popover


def newer(screens: "Screens") -> QWidget:
    """The table while a row that is seen is selected, and others come."""
    page, connections = screens.presenter.connections, screens.context.connections
    rows = sample_lives.stalled()
    with filled(screens, rows[:24]):
        page.table.to_top()
        page.select(page.model.rows[2].id)
        for number, one in enumerate(rows[24:], 1000):
            one.id = number
            connections.live[number] = one
        connections.version += 1
        page.look()
        picture = settled(screens.window)
        label = QLabel()
        label.setPixmap(picture.grab())
    page.table.selectionModel().clear()
    return label


def settled(window: QWidget) -> QWidget:
    """Laid out and painted."""
    for _ in range(3):
        QApplication.processEvents()
    return window


@contextmanager
def filled(screens: "Screens", rows: list[Connection]) -> Iterator[None]:
    """With these connections, and a minute of traffic."""
    connections, page = screens.context.connections, screens.presenter.connections
    live, ended = dict(connections.live), dict(connections.ended)
    made = sample_lives.connections(rows)
    flows, failures = page.picture.strip.flows, page.picture.failures
    page.picture.strip.flows = traffic(NOW)
    for one in made.ended.values():
        failures.closed(one)
    _put(screens, made.live, made.ended)
    yield
    page.picture.strip.flows = flows
    failures.__init__()  # type: ignore[misc]  # as it was
    _put(screens, live, ended)


def _put(screens: "Screens", live: dict[int, Connection], ended: dict[int, Connection]) -> None:
    connections = screens.context.connections
    for kept, new in ((connections.live, live), (connections.ended, ended)):
        kept.clear()
        kept.update(new)
    connections.version += 1
    screens.presenter.connections.look()
    screens.window.sidebar.show_count("connections", len(connections.live))


def _choose(page: ConnectionsPage, target: str) -> None:
    one = next(one for one in page.model.rows if one.target.startswith(target))
    page.select(one.id)
    page.inspector.open(one)
    page.look()


def _failures() -> list[Connection]:
    """Older ends, so that there is something to count."""
    way = (("addr", 0.01), ("dns", 0.05), ("conn", 0.1))
    return [
        sample_lives.life("img.example-shop.com:443", "gfwlist", "chrome", 60.0 + at * 20, *way, ended=10.1,
                          reason=Reason.CONNECT_TIMEOUT)
        for at in range(3)
    ]  # fmt: skip

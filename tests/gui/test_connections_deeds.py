"""What is done with connections: closed, reset, copied, exported; by mouse and by keys."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QWidget

from ssgui.engine.stages import Reason, Stage
from ssgui.gui.connections.columns import Column
from ssgui.rules.acl import Route
from ssgui.services.connections import export as connection_export
from tests.support.flows import Flow, until
from tests.support.live_page import LEFT, LivePage

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def live(application: QApplication, tmp_path: Path) -> Iterator[LivePage]:
    made = LivePage(tmp_path, connection_export)
    made.context.listens = "127.0.0.1:1080"
    made.open(30)
    made.step()
    QApplication.clipboard().clear()
    yield made
    made.close()


def copied() -> str:
    return QApplication.clipboard().text()


def toast(live: LivePage) -> str:
    return live.window.toast.accessibleName() if live.window.toast.isVisible() else ""


def menu_of(live: LivePage, number: int) -> QMenu:
    """The menu that a click with the right button opens."""
    at = QPoint(live.table.head.sectionViewportPosition(Column.TARGET) + 30, live.place_of(number) + 10)
    view = live.table.viewport()
    QApplication.sendEvent(view, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.mapToGlobal(at)))
    live.settle()
    return popup()


def popup() -> QMenu:
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def choose(menu: QMenu, text: str) -> None:
    (action,) = [one for one in menu.actions() if one.text() == text]
    QTest.mouseClick(menu, LEFT, Qt.KeyboardModifier.NoModifier, menu.actionGeometry(action).center())
    QApplication.processEvents()


def closed(live: LivePage) -> list[int]:
    live.step()
    return sorted(number for number, one in live.connections.ended.items() if one.reason is Reason.CLOSED_BY_USER)


def test_one_is_closed_by_its_key_and_by_its_menu(live: LivePage) -> None:
    live.click(28)
    QTest.keyClick(live.table, Qt.Key.Key_Delete)
    assert closed(live) == [28]
    assert toast(live) == ""  # its row says it
    choose(menu_of(live, 25), "Close the connection")
    assert closed(live) == [25, 28]
    texts = [one.text() for one in menu_of(live, 25).actions()]
    popup().close()
    assert "Close the connection" not in texts  # it is
    live.click(25)
    QTest.keyClick(live.table, Qt.Key.Key_Delete)
    assert closed(live) == [25, 28]


def test_several_that_are_selected_are_closed_and_counted(live: LivePage) -> None:
    live.click(28)
    live.click(26, adding=True)
    live.click(20, adding=True)
    QTest.keyClick(live.table, Qt.Key.Key_Delete)
    assert closed(live) == [20, 26, 28]
    assert toast(live) == "3 connections closed"


def test_what_a_filter_shows_is_closed_and_nothing_else(live: LivePage) -> None:
    live.open(4, host="other", stage=Stage.CONNECTING)
    live.engine.end(live.engine.last)
    live.step()
    QTest.keyClicks(live.page.filter, "other")
    QTest.mouseClick(live.page.close_filtered, LEFT)
    assert closed(live) == [31, 32, 33]
    assert toast(live) == "3 connections closed"
    assert not live.page.close_filtered.isEnabled()  # nothing that is shown lives
    live.window.resize(1000, 700)
    live.page.filter.setText("host-1")
    live.settle()
    QTest.mouseClick(live.page.toolbar.more, LEFT)
    live.settle()
    choose(popup(), "Close filtered")
    assert closed(live) == [1, *range(10, 20), 31, 32, 33]


def test_all_to_one_host_are_reset_whatever_is_shown(live: LivePage) -> None:
    same = [live.engine.open(target, Stage.STREAM) for target in ("Twin.example:443", "twin.example:80")]
    live.engine.open("twin.example.org:443", Stage.STREAM)
    live.step()
    live.page.filter.setText("port:80")
    choose(menu_of(live, same[1]), "Reset connections to twin.example")
    assert closed(live) == same
    assert toast(live) == "2 connections closed"


def test_rules_and_reasons_are_asked_for_from_the_menu(live: LivePage) -> None:
    ruled: list[tuple[str, Route]] = []
    explained: list[str] = []
    live.page.ruled.connect(lambda host, route: ruled.append((host, route)))
    live.page.explained.connect(explained.append)
    choose(menu_of(live, 30), "Always direct: host-30.example.com")
    choose(menu_of(live, 30), "Always proxy: example.com")
    choose(menu_of(live, 30), "Why does it go there?")
    assert ruled == [("host-30.example.com", Route.DIRECT), ("example.com", Route.PROXY)]
    assert explained == ["https://host-30.example.com/"]


def test_targets_and_commands_are_copied(live: LivePage) -> None:
    live.click(29)
    live.click(27, adding=True)
    QTest.keyClick(live.table, Qt.Key.Key_C, CONTROL)
    assert copied() == "host-29.example.com:443\nhost-27.example.com:443"
    QTest.keyClick(live.table, Qt.Key.Key_C, CONTROL | SHIFT)
    assert copied() == "curl -v -x socks5h://127.0.0.1:1080 https://host-29.example.com/"
    assert toast(live) == "Copied as a curl command"
    choose(menu_of(live, 5), "Copy the target")
    assert copied() == "host-5.example.com:443"
    choose(menu_of(live, 5), "Copy as curl")
    assert copied() == "curl -v -x socks5h://127.0.0.1:1080 https://host-5.example.com/"


def test_keys_of_the_table_do_not_reach_it_while_somebody_types(live: LivePage) -> None:
    live.click(29)
    live.page.filter.setText("host-2")
    live.page.filter.setFocus()
    QTest.keyClicks(live.page.filter, " -x")
    QTest.keyClick(live.page.filter, Qt.Key.Key_Delete)
    assert live.page.filter.text() == "host-2 -x"
    assert not live.page.paused
    assert closed(live) == []


def test_f6_goes_round_the_panes(live: LivePage) -> None:
    panes: dict[str, QWidget] = {
        "sidebar": live.window.sidebar, "header": live.window.header, "toolbar": live.page.toolbar, "table": live.table,
    }  # fmt: skip

    def press(keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> str:
        focused = QApplication.focusWidget()
        assert focused is not None
        QTest.keyClick(focused, Qt.Key.Key_F6, keys)
        focused = QApplication.focusWidget()
        assert focused is not None
        return next(name for name, one in panes.items() if one in (focused, *parents(focused)))

    live.window.header.modes.set_modes([("off", "Off", ""), ("global", "Global", "")])
    live.window.header.modes.set_mode("off")
    live.table.setFocus()
    assert [press() for _ in range(4)] == ["sidebar", "header", "toolbar", "table"]
    assert [press(SHIFT) for _ in range(4)] == ["toolbar", "header", "sidebar", "table"]


def parents(widget: QWidget) -> Iterator[QWidget]:
    one = widget.parentWidget()
    while one is not None:
        yield one
        one = one.parentWidget()


def csv_row(text: str) -> tuple[str, int, float]:
    (line,) = csv.DictReader(text.splitlines())
    return line["target"], int(line["down"]), float(line["seconds"])


def json_row(text: str) -> tuple[str, int, float]:
    (one,) = json.loads(text)
    return one["target"], one["down"], one["seconds"]


def har_row(text: str) -> tuple[str, int, float]:
    (entry,) = json.loads(text)["log"]["entries"]
    return entry["_ssgui"]["target"], entry["_ssgui"]["down"], entry["time"] / 1000


@pytest.mark.parametrize(
    ("text", "form", "row"), [("CSV, for a spreadsheet…", "csv", csv_row), ("JSON…", "json", json_row),
                              ("HAR…", "har", har_row)],
)  # fmt: skip
def test_what_is_shown_is_exported_as_it_was_when_it_was_asked_for(
    live: LivePage, flow: Flow, tmp_path: Path, text: str, form: str, row: Callable[[str], tuple[str, int, float]]
) -> None:
    live.engine.carry(30, 1, 5)
    live.step(2.0)
    live.page.filter.setText("host-30")
    name = f"ssgui-connections.{form}"

    async def steps() -> None:
        QTest.mouseClick(live.page.toolbar.export, LEFT)
        live.settle()
        choose(popup(), text)
        chooser = live.window.findChild(QFileDialog)
        assert chooser is not None
        assert Path(chooser.selectedFiles()[0]).name == name
        live.engine.carry(30, 1, 900)
        live.open(1, host="host-30")
        live.step()
        chooser.fileSelected.emit(str(tmp_path / name))
        await until(lambda: toast(live) == f"{name} written")
        chooser.close()

    flow(steps)
    target, down, seconds = row((tmp_path / name).read_text())
    assert (target, down, round(seconds, 3)) == ("host-30.example.com:443", 5, 2.2)


def test_what_curl_cannot_ask_for_is_not_copied(live: LivePage) -> None:
    QApplication.clipboard().setText("before")
    number = live.engine.open("192.0.2.10:3478")
    live.engine.move(number, Stage.ADDR)
    live.engine.move(number, Stage.UDP_ASSOC)
    live.step()
    live.click(number)
    QTest.keyClick(live.table, Qt.Key.Key_C, CONTROL | SHIFT)
    assert toast(live) == "curl cannot ask for that"
    assert copied() == "before"


def test_without_somebody_who_writes_no_file_is_offered(application: QApplication, tmp_path: Path) -> None:
    live = LivePage(tmp_path)
    try:
        live.open(1)
        live.step()
        assert not live.page.toolbar.export.isVisible()
        live.click(1)
        QTest.keyClick(live.table, Qt.Key.Key_C, CONTROL | SHIFT)
        texts = [one.text() for one in menu_of(live, 1).actions()]
        popup().close()
        assert "Copy as curl" not in texts
    finally:
        live.close()

"""The list of servers and one server's details, through the widgets that a person uses."""

import pytest
from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from ssgui.app.server_states import Result
from ssgui.gui.servers.model import ServersModel
from ssgui.gui.servers.page import ServersPage
from tests.support import past, sample
from tests.support.screens import StillContext


def names(page: ServersPage) -> list[str]:
    return [str(page.model.data(page.model.index(row))) for row in range(page.model.rowCount())]


def ids(context: StillContext) -> list[str]:
    return [one.id for one in context.config.servers]


def test_groups_rows_and_what_is_known(servers_page: ServersPage, context: StillContext) -> None:
    assert names(servers_page)[0] == "My servers"
    assert names(servers_page)[5] == "Nebula"
    assert servers_page.model.rowCount() == 11
    servers_page.states.tested("1", 0.038)
    servers_page.states.tested("6", None, "timed out")
    context.meter.servers["Los Angeles 3"].down = 5_000_000
    servers_page.look()
    by_key = {row.key: row for row in servers_page.model.rows}
    assert by_key["1"].state.result is Result.WORKS
    assert by_key["6"].state.result is Result.FAILED
    assert by_key["6"].state.today == 5_000_000
    assert by_key["4"].state.result is Result.UNSUPPORTED
    assert by_key["8"].state.result is Result.NO_PASSWORD
    assert by_key["9"].state.result is Result.GONE
    sentence = servers_page.model.sentence(by_key["1"])
    assert sentence.startswith(f"{sample.TOKYO}, tokyo-1.example.net:8388, In use, Works")


def test_folding_and_search(servers_page: ServersPage, qtbot: QtBot) -> None:
    servers_page.model.fold("Nebula")
    assert names(servers_page)[-1] == "Nebula"
    qtbot.keyClicks(servers_page.search, "los ange")
    assert names(servers_page) == ["Nebula", "Los Angeles 3"]
    servers_page.search.clear()
    servers_page.model.fold("Nebula")
    assert servers_page.model.rowCount() == 11


def test_editing_is_checked_saved_and_reverted(
    servers_page: ServersPage, context: StillContext, qtbot: QtBot
) -> None:  # fmt: skip
    editor = servers_page.editor
    assert editor.host.text() == "tokyo-1.example.net"
    assert not editor.save.isEnabled()
    editor.port.edit.selectAll()
    qtbot.keyClicks(editor.port.edit, "838800")
    qtbot.mouseClick(editor.save, Qt.MouseButton.LeftButton)
    assert editor.port.edit.accessibleDescription() == "Port must be 1\N{EN DASH}65535."
    assert context.config.servers[0].port == 8388
    editor.port.edit.selectAll()
    qtbot.keyClicks(editor.port.edit, "8443")
    assert editor.port.edit.accessibleDescription() == ""
    assert servers_page.model.drafts == {"1"}
    qtbot.mouseClick(editor.save, Qt.MouseButton.LeftButton)
    assert context.config.servers[0].port == 8443
    assert not servers_page.model.drafts
    qtbot.keyClicks(editor.name.edit, "changed ")
    qtbot.mouseClick(editor.revert, Qt.MouseButton.LeftButton)
    assert editor.name.text() == sample.TOKYO


def test_a_draft_waits_while_another_row_is_looked_at(servers_page: ServersPage, context: StillContext) -> None:
    servers_page.editor.name.set_text("Tokyo One")
    servers_page.list.select("2")
    assert servers_page.editor.name.text() == "香港 02 专线"
    servers_page.list.select("1")
    assert servers_page.editor.name.text() == "Tokyo One"
    assert context.config.servers[0].remarks == sample.TOKYO


@pytest.mark.parametrize(
    ("method", "password", "wrong"),
    [
        ("aes-256-gcm", "anything", ""),
        ("aes-256-gcm", "", "missing"),
        ("2022-blake3-aes-128-gcm", "not a key", "16"),
        ("2022-blake3-aes-128-gcm", "MDEyMzQ1Njc4OTAxMjM0NQ==", ""),
    ],
)
def test_the_password_is_checked_for_its_method(
    servers_page: ServersPage, method: str, password: str, wrong: str
) -> None:  # fmt: skip
    servers_page.editor.method.set_value(method)
    servers_page.editor.password.set_text(password)
    problem = servers_page.editor.password.problem()
    assert (wrong in problem) if wrong else not problem
    assert not password or password not in problem


def test_plugin_fields_appear_with_a_plugin(servers_page: ServersPage) -> None:
    assert not servers_page.editor.options.isVisible()
    servers_page.list.select("3")
    assert servers_page.editor.options.isVisible()
    assert servers_page.editor.options.text() == "tls;host=a"


def test_delete_and_undo(servers_page: ServersPage, context: StillContext, qtbot: QtBot) -> None:
    servers_page.list.select("1")
    qtbot.mouseClick(servers_page.delete, Qt.MouseButton.LeftButton)
    assert ids(context) == ["2", "3", "4", "5", "6", "7", "8", "9"]
    assert context.config.current == "2"
    toast = servers_page._toast
    assert toast.can_undo()
    toast.undo()
    assert ids(context) == [str(number) for number in range(1, 10)]
    assert context.config.current == "1"
    assert not toast.isVisible()


def test_duplicate_add_by_hand_and_use(servers_page: ServersPage, context: StillContext, qtbot: QtBot) -> None:
    servers_page.list.select("2")
    qtbot.mouseClick(servers_page.duplicate, Qt.MouseButton.LeftButton)
    assert context.config.servers[2].remarks == "香港 02 专线 copy"
    assert context.config.servers[2].id != "2"
    qtbot.mouseClick(servers_page.use_button, Qt.MouseButton.LeftButton)
    assert context.config.current == context.config.servers[2].id
    next(one for one in servers_page.menu.actions() if one.text().startswith("Enter details")).trigger()
    assert context.config.servers[-1].host == ""
    assert servers_page.editor.problems()


def test_keys(servers_page: ServersPage, context: StillContext, qtbot: QtBot) -> None:
    servers_page.list.select("2")
    qtbot.keyClick(servers_page.list, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert ids(context)[:2] == ["2", "1"]
    qtbot.keyClick(servers_page.list, Qt.Key.Key_Return)
    assert context.config.current == "2"
    qtbot.keyClick(servers_page.list, Qt.Key.Key_F2)
    qtbot.keyClick(servers_page.list, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert len(context.config.servers) == 10
    qtbot.keyClick(servers_page.list, Qt.Key.Key_Delete)
    assert len(context.config.servers) == 9


def test_dragging_a_row(servers_page: ServersPage, context: StillContext) -> None:
    model = servers_page.model
    data = model.mimeData([model.index(model.row_of("4"))])
    assert not model.dropMimeData(data, Qt.DropAction.MoveAction, model.row_of("2"), 0, QModelIndex())
    assert ids(context)[:4] == ["1", "4", "2", "3"]
    data = model.mimeData([model.index(model.row_of("1"))])
    model.dropMimeData(data, Qt.DropAction.MoveAction, -1, -1, QModelIndex())
    assert ids(context)[-1] == "1"


def test_tests_are_asked_for_and_stopped(servers_page: ServersPage, qtbot: QtBot) -> None:
    asked: list[list[str]] = []
    stopped: list[bool] = []
    servers_page.testing.connect(asked.append)
    servers_page.stopped.connect(lambda: stopped.append(True))
    qtbot.mouseClick(servers_page.editor.test, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(servers_page.test_all, Qt.MouseButton.LeftButton)
    assert asked == [["1"], [str(number) for number in range(1, 9)]]
    servers_page.states.testing |= {"1", "2"}
    servers_page.look()
    assert "2 left" in servers_page.test_all.text()
    qtbot.mouseClick(servers_page.test_all, Qt.MouseButton.LeftButton)
    assert stopped == [True]


def test_a_narrow_page_shows_one_pane_at_a_time(servers_page: ServersPage) -> None:
    servers_page.window().resize(900, 600)
    servers_page.resize(844, 600)
    assert not servers_page.panel.isVisible()
    servers_page.list.select("2")
    assert servers_page.panel.isVisible()
    assert not servers_page.list.isVisible()
    servers_page._back.click()
    assert servers_page.list.isVisible()


def test_the_model_keeps_qts_rules(servers_page: ServersPage, context: StillContext) -> None:
    model = ServersModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for servers in (context.config.servers, context.config.servers[:3], (), context.config.servers[4:]):
        model.show(servers, "1", {})
        for text in ("a", "", "no such"):
            model.set_filter(text)
        model.set_filter("")
        model.fold("Nebula")
    del tester


def test_the_three_numbers_of_a_server(servers_page: ServersPage, context: StillContext) -> None:
    servers_page.list.select("1")
    figures = servers_page.figures
    assert figures.accessibleName() == "Median latency \N{EM DASH}, Succeeded \N{EM DASH}, Traffic today \N{EM DASH}"
    for latency in (0.040, 0.030, None, 0.050):
        servers_page.states.tested("1", latency, "" if latency else "timed out")
    name = context.name_of(context.config.servers[0])
    context.evidence.of(name).ended.extend([True, True, False, True])
    context.meter.servers[name].down = 1_500_000
    servers_page.look()
    assert figures.accessibleName() == "Median latency 40 ms, Succeeded 75.0 %, Traffic today 1.50 MB"
    known = servers_page.states.figures(context.config.servers[0], name)
    assert (known.latencies, known.traffic) == ((0.040, 0.030, 0.050), (1_500_000,))
    assert [round(one, 2) for one in known.successes[:3]] == [1.0, 1.0, 0.67]
    figures.grab()


def test_real_traffic_beside_tests(servers_page: ServersPage, context: StillContext) -> None:
    figures, quality = servers_page.figures, context.quality
    lower = figures.sizeHint().height()
    for number in range(20):
        quality.closed(past.ended(number, server=sample.TOKYO, connect=0.04, wait=0.1 + number / 100))
    now = servers_page.states._clock()
    quality.flowed(sample.TOKYO, 0, 10_000_000, now)
    servers_page.look()
    assert figures.sizeHint().height() > lower
    assert figures.accessibleName().endswith("Time to connect 40 ms, First byte 195 ms, Throughput 2.00 MB/s")
    shown = figures._figures()
    assert shown[4].hint == "Real connections: half took up to 195 ms, 95 % up to 281 ms."
    assert len(shown[4].course) == 20
    figures.grab()
    for number, figure in enumerate(shown):
        column, row = number % 3, number // 3
        at = QPoint(round(24 + column * (figures._width() + 12)), 10 + row * 76)
        QApplication.sendEvent(figures, QHelpEvent(QEvent.Type.ToolTip, at, figures.mapToGlobal(at)))
        assert QToolTip.text() == figure.hint
    context.quality.forget(sample.TOKYO)
    servers_page.look()
    assert figures.sizeHint().height() == lower

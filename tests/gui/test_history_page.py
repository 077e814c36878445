"""The history through its widgets: asked, sorted, searched by day, gone into, exported, cleared and brought back."""

import asyncio
import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from ssgui.app.context import AppContext
from ssgui.app.log_buffer import LogBuffer
from ssgui.config.app_config import HistoryHosts, Settings
from ssgui.config.store import Store
from ssgui.gui import theme
from ssgui.gui.history.columns import columns, hint, sentence
from ssgui.gui.history.exporting import table_csv, table_json
from ssgui.gui.history.model import HistoryModel
from ssgui.gui.history.page import HistoryPage
from ssgui.gui.presenter import Presenter
from ssgui.gui.texts import tr
from ssgui.gui.window import MainWindow
from ssgui.services.history import recorder as service
from ssgui.services.history.file import HistoryError, HistoryFile
from ssgui.services.history.queries import Answer, AnyRow, DayTotal, Past, Query, ServerTotal, Total, View, answer
from tests.services.connections.test_connection_export import FORMULA, HARMFUL, texts
from tests.support.flows import Flow, click, until
from tests.support.past import NOW, bytes_in, ended, many, row

TODAY = date.fromtimestamp(NOW).toordinal()
CLEAR = HistoryHosts.CLEAR


class Asked:
    """A page that is answered at once from a file."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.settings, self.file = Settings(history_hosts=CLEAR), HistoryFile(folder, wall=lambda: NOW)
        self.queries: list[Query] = []
        self.page = HistoryPage(lambda: self.settings, self.file.bytes, today=lambda: TODAY)
        qtbot.addWidget(self.page)
        self.page.asked.connect(self._answer)
        self.page.resize(1080, 700)

    def _answer(self, query: Query) -> None:
        self.queries.append(query)
        found = self.file.ask(lambda db, naming: answer(db, naming, query), self.settings.history_hosts, Answer())
        self.page.show_answer(query, found)

    def fact(self) -> str:
        """What is said in place of a table, "" if there is one."""
        return "" if self.page.table.isVisible() else self.page._empty._fact.text()

    def names(self) -> list[str]:
        return [str(getattr(one, "name", "")) for one in self.page.model.rows]


@pytest.fixture
def asked(qtbot: QtBot, tmp_path: Path) -> Asked:
    made = Asked(qtbot, tmp_path)
    made.file.add(many(600), CLEAR)
    made.page.show()
    return made


def test_it_asks_when_it_is_shown_and_shows_what_comes(asked: Asked) -> None:
    page = asked.page
    assert [query.view for query in asked.queries] == [View.HOSTS]
    assert page.table.isVisible()
    assert page.chart.isVisible()
    assert page.table.hasFocus()
    assert len(page.chart._days) == 30
    downs = [getattr(one, "down", 0) for one in page.model.rows]
    assert downs == sorted(downs, reverse=True)
    assert page._kept.text().startswith("Kept for 30 days · ")
    assert page._kept.text().endswith("sites by name")


def test_every_view_has_its_table(asked: Asked, qtbot: QtBot) -> None:
    page = asked.page
    tester = QAbstractItemModelTester(page.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for view, segment in page.views._segments.items():
        qtbot.mouseClick(segment, Qt.MouseButton.LeftButton)
        assert page.model.view == view
        assert len(page.model.rows) > 0
        assert page.model.columnCount() == len(columns(View(view)))
        page.grab()  # every cell is painted
        for at in range(page.model.columnCount()):
            assert page.model.data(page.model.index(0, at))
            assert page.model.headerData(at, Qt.Orientation.Horizontal)
        assert page.model.data(page.model.index(0, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert page._foot.text() == "589 rows"  # of thirty days, of which the first is not whole
    del tester


def test_typing_searches_after_a_while_and_says_when_nothing_is_found(asked: Asked, qtbot: QtBot) -> None:
    page = asked.page
    qtbot.keyClicks(page.search, "host-00")
    before = len(asked.queries)
    qtbot.waitUntil(lambda: len(asked.queries) > before)
    assert asked.names()
    assert all("host-00" in name for name in asked.names())
    page.search.setText("no such site")
    page.ask()
    assert asked.fact() == tr("Nothing matches.")
    qtbot.mouseClick(page._empty._button, Qt.MouseButton.LeftButton)
    assert page.table.isVisible()
    assert page.search.text() == ""


def test_a_head_orders_and_turns_around(asked: Asked) -> None:
    page = asked.page
    head = page.table.horizontalHeader()
    head.sectionClicked.emit(1)
    assert (page.query().order, page.query().descending) == ("connections", True)
    head.sectionClicked.emit(1)
    assert not page.query().descending
    counts = [one.connections for one in page.model.rows]  # type: ignore[union-attr]
    assert counts == sorted(counts)
    assert page.model.headerData(1, Qt.Orientation.Horizontal).endswith("↑")
    head.sectionClicked.emit(0)
    assert asked.names() == sorted(asked.names())


def test_a_day_is_chosen_by_keys_and_by_mouse(asked: Asked, qtbot: QtBot) -> None:
    page = asked.page
    chart = page.chart
    chart.setFocus()
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Return):
        qtbot.keyClick(chart, key)
    assert asked.queries[-1].day == TODAY - 1
    assert "failed" in chart.accessibleName()
    assert sum(getattr(one, "connections", 0) for one in page.model.rows) == 20
    assert len(chart._days) == 30  # the others are still there to be chosen
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    assert asked.queries[-1].day == 0
    at = chart._bar(3).center().toPoint()
    qtbot.mouseMove(chart, at)
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=at)
    assert asked.queries[-1].day == TODAY - 26
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=at)
    assert asked.queries[-1].day == 0
    for key, expected in ((Qt.Key.Key_Home, 0), (Qt.Key.Key_End, 29), (Qt.Key.Key_Right, 29)):
        qtbot.keyClick(chart, key)
        assert chart._at == expected
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=QPoint(2, 60))  # beside of the bars
    assert chart.day == 0


def test_ranges(asked: Asked) -> None:
    page = asked.page
    for index, days in ((0, 7), (1, 30), (2, 31)):
        page.range.setCurrentIndex(index)
        page.range.activated.emit(index)
        assert len(page.chart._days) == days
    page.chart.choose(TODAY - 20)
    page.range.setCurrentIndex(0)
    page.range.activated.emit(0)
    assert page.chart.day == 0  # it is not among these


def test_a_total_leads_to_its_connections_and_escape_leads_back(asked: Asked, qtbot: QtBot) -> None:
    page = asked.page
    first = page.model.rows[0]
    assert isinstance(first, Total)
    page.table.setCurrentIndex(page.model.index(0, 0))
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    assert page.model.view is View.CONNECTIONS
    assert page.search.text() == first.name
    assert len(page.model.rows) == first.connections
    page.go_into(page.model.rows[0])  # of one connection there is nothing more
    page.set_view(View.DAYS)
    page.search.clear()
    page.go_into(DayTotal(TODAY - 2, 1, 0, 0, 0))
    assert (page.model.view, page.chart.day) == (View.CONNECTIONS, TODAY - 2)
    page.search.setText("x")
    with qtbot.waitSignal(page.left, timeout=2000):
        for _ in range(3):  # the search, the day, the page
            qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert (page.search.text(), page.chart.day) == ("", 0)


def test_what_is_copied_is_one_line_a_row_and_harmless(asked: Asked, qtbot: QtBot) -> None:
    page = asked.page
    page.show_answer(
        page.query(), Answer((Total("a\nb\u202ec", False, 1, 0, 1, 1, NOW), Total("d", False, 1, 0, 1, 1, NOW)), 2)
    )
    page.table.selectAll()
    page._copy()
    assert len(QApplication.clipboard().text().split("\n")) == 2
    assert not HARMFUL.search(QApplication.clipboard().text().replace("\n", ""))
    menu = page.row_menu(page.model.rows[0], QPoint(5, 5))
    assert [one.text() for one in menu.actions()] == [tr("Show its connections"), tr("Copy")]
    menu.hide()


def test_a_late_answer_to_another_question_is_not_shown(asked: Asked) -> None:
    page = asked.page
    late, before = page.query(), page.model.rows
    page.set_view(View.SERVERS)
    shown = page.model.rows
    page.show_answer(late, Answer(before, len(before)))
    assert page.model.rows is shown


def test_the_selection_stays_while_more_comes(asked: Asked) -> None:
    page = asked.page
    page.table.selectRow(3)
    name = asked.names()[3]
    asked.file.add([row(1, "the-largest.example:443", down=10**9)], CLEAR)
    page.ask()
    assert asked.names()[0] == "the-largest.example"
    (at,) = page.table.selectionModel().selectedRows()
    assert asked.names()[at.row()] == name


def test_a_question_that_takes_long_is_seen(qtbot: QtBot) -> None:
    page = HistoryPage(Settings, lambda: 0)
    qtbot.addWidget(page)
    page.show()
    accent = f"background: {theme.current().accent}"
    qtbot.waitUntil(lambda: page._line.styleSheet() == accent, timeout=2000)
    page.show_answer(page.query(), Answer())
    assert page._line.styleSheet() == f"background: {theme.current().bg}"


def test_what_stands_in_place_of_a_table(qtbot: QtBot, tmp_path: Path) -> None:
    asked = Asked(qtbot, tmp_path)
    asked.page.show()
    assert asked.fact() == tr("Nothing has ended yet.")
    assert not asked.page.export.isEnabled()
    assert not asked.page.clear.isEnabled()
    asked.settings = Settings(keep_history=False)
    asked.page.refresh()
    assert asked.fact() == tr("No history is kept.")
    with qtbot.waitSignal(asked.page.keeping, timeout=1000):
        qtbot.mouseClick(asked.page._empty._button, Qt.MouseButton.LeftButton)
    asked.settings = Settings()
    asked.file.add([row(1)], HistoryHosts.NONE)
    asked.page.ask()
    assert asked.fact() == tr("Sites are left out.")
    with qtbot.waitSignal(asked.page.settings, timeout=1000):
        qtbot.mouseClick(asked.page._empty._button, Qt.MouseButton.LeftButton)
    asked.page.set_view(View.PROGRAMS)
    assert asked.fact() == ""
    asked.settings = Settings(history_hosts=CLEAR)
    asked.page.set_view(View.HOSTS)
    assert asked.fact() == ""  # as a total of what is not known


# ---- strangers

numbers = st.integers(0, 1 << 40)
totals = st.builds(Total, texts, st.booleans(), numbers, numbers, numbers, numbers, st.floats(0, 4e9))
pasts = st.builds(
    Past, st.floats(0, 4e9), st.floats(0, 1e6), texts, st.booleans(), st.integers(0, 65535), *[texts] * 7, numbers,
    numbers, st.none() | st.floats(0, 60), st.none() | st.floats(0, 60), st.none() | st.floats(0, 60),
)  # fmt: skip


@given(st.lists(st.lists(totals, max_size=4) | st.lists(pasts, max_size=4), max_size=4))
@settings(max_examples=30, deadline=None)
def test_any_rows_make_a_sound_model_and_tables_that_read_back(
    application: QApplication, answers: list[list[AnyRow]]
) -> None:  # fmt: skip
    model = HistoryModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for rows in answers:
        view = View.CONNECTIONS if rows and isinstance(rows[0], Past) else View.PROGRAMS
        if model.view is not view:
            model.set_view(view)
        model.show(rows)
        for at, one in enumerate(rows):
            for number, column in enumerate(model.columns):
                text = model.data(model.index(at, number))
                assert not HARMFUL.search(text)
                hint(one, column)
            sentence(view, one)
        table = list(csv.reader(table_csv(rows).splitlines(), strict=True))
        assert len(table) == len(rows) + 1 if rows else table == [] or table == [[]]
        assert not [cell for line in table for cell in line if cell.startswith(FORMULA)]
        assert len(json.loads(table_json(rows))) == len(rows)
    del tester


def test_what_a_file_of_servers_says(tmp_path: Path) -> None:
    file = HistoryFile(tmp_path, wall=lambda: NOW)
    file.add(many(300), CLEAR)
    rows = file.ask(lambda db, naming: answer(db, naming, Query(View.SERVERS, TODAY - 30, TODAY)), CLEAR, Answer()).rows
    assert all(isinstance(one, ServerTotal) for one in rows)
    table = list(csv.DictReader(table_csv(rows).splitlines()))
    assert {"name", "succeeded", "connect_p50", "connect_p95", "first_byte_p50", "throughput"} <= set(table[0])
    tree = json.loads(table_json(rows))
    assert tree[0]["points"][0]["start"].endswith("Z")
    assert set(tree[0]["connect"]) == {"p50", "p95"}
    days = file.ask(lambda db, naming: answer(db, naming, Query(View.DAYS, TODAY - 1, TODAY)), CLEAR, Answer()).rows
    assert json.loads(table_json(days))[0]["day"] == date.fromordinal(TODAY).isoformat()
    assert table_csv([]) == "\r\n"


# ---- with a loop: the window, its service, its file


class Running:
    """The window with a real history."""

    def __init__(self, folder: Path) -> None:
        self.context = AppContext(Store(folder), LogBuffer())
        self.context.load()
        self.context.change_settings(history_hosts=CLEAR)
        self.window = MainWindow()
        self.presenter = Presenter(self.context, self.window, lambda: None)
        self.ways = self.presenter.past
        self.window.show()

    async def __aenter__(self) -> "Running":
        self.context.history.start()
        await self.context.settled()
        await self.context.history.settled()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.presenter.end()
        await self.context.settled()
        await self.context.history.stop()
        self.window.hide()
        self.window.deleteLater()

    def add(self, count: int) -> None:
        for number in range(count):
            self.context.history.closed(
                ended(number, f"site-{number}.example:443", at=asyncio.get_running_loop().time())
            )

    def rows(self) -> list[Any]:
        return list(self.ways.page.model.rows)

    def notices(self) -> list[str]:
        return [one for one in list(self.window.banners.keys()) if one.startswith("history")]


def test_it_opens_in_place_of_the_connections_and_keeps_up(flow: Flow, tmp_path: Path) -> None:
    async def steps() -> None:
        async with Running(tmp_path) as one:
            one.add(2)
            one.window.open_page("connections")
            click(one.presenter.connections.toolbar.history)
            assert one.ways.page.isVisible()
            assert one.window.current_page() == "connections"
            await until(lambda: len(one.rows()) == 2)
            one.add(3)
            await one.context.history._written()
            await until(lambda: len(one.rows()) == 3)
            one.window.open_page("connections")  # as by the sidebar
            assert one.presenter.connections.isVisible()
            both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
            QTest.keyClick(one.window, Qt.Key.Key_H, both)
            assert one.ways.page.isVisible()
            page = one.ways.page
            page.chart.setFocus()
            for pane in (page.table, one.window.sidebar, one.window.header, page.views, page.chart):
                QTest.keyClick(one.window, Qt.Key.Key_F6)
                focused = one.window.focusWidget()
                assert focused is pane or pane.isAncestorOf(focused)
            one.window.open_page("servers")
            one.ways.show()
            click(one.ways.page.back)
            assert one.presenter.connections.isVisible()
            one.ways.show()
            one.context.change_settings(history_hosts=HistoryHosts.NONE)
            await one.context.settled()
            await until(lambda: one.ways.page._empty.isVisible())
            one.ways.page.settings.emit()
            assert one.window.current_page() == "settings"
            assert one.presenter.settings.rows["history_hosts"].control.hasFocus()

    flow(steps)


def test_cleared_taken_back_and_gone(flow: Flow, tmp_path: Path) -> None:
    async def steps() -> None:
        async with Running(tmp_path) as one:
            one.add(4)
            one.ways.show()
            await until(lambda: len(one.rows()) == 4)
            click(one.ways.page.clear)
            await until(lambda: not one.rows())
            assert one.window.toast.can_undo()
            one.window.toast.undo()
            await until(lambda: len(one.rows()) == 4)
            one.window.open_page("settings")
            one.presenter.settings.reveal("clear_history")
            button = one.presenter.settings.rows["clear_history"].control
            assert isinstance(button, QPushButton)
            click(button)
            await until(lambda: one.context.history.cleared)
            assert b"site-1.example" in bytes_in(tmp_path)
            one.window.toast.say("something else")  # the way back is gone
            await until(lambda: not one.context.history.cleared)
            assert b"site-1.example" not in bytes_in(tmp_path)
            assert b"SQLite" not in bytes_in(tmp_path)

    flow(steps)


def test_the_toast_is_over_by_itself(flow: Flow, tmp_path: Path) -> None:
    async def steps() -> None:
        async with Running(tmp_path) as one:
            one.window.toast._leaving.setInterval(10)
            over: list[str] = []
            one.window.toast.say("a", lambda: over.append("undone"), lambda: over.append("over"))
            await until(lambda: over)
            assert over == ["over"]
            assert not one.window.toast.can_undo()
            one.window.toast.say("b", lambda: over.append("undone"), lambda: over.append("over"))
            one.window.toast.undo()
            one.window.toast.say("c")
            assert over == ["over", "undone"]

    flow(steps)


def test_what_is_wrong_with_it_is_said(flow: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps() -> None:
        async with Running(tmp_path) as one:
            file, real = one.context.history.file, one.context.history.file.add

            def full(*_: object) -> None:
                raise HistoryError("database or disk is full")

            monkeypatch.setattr(file, "add", full)
            one.add(1)
            one.context.history._begin_work()
            await until(lambda: one.notices() == ["history"])
            monkeypatch.setattr(file, "add", real)
            one.context.history._begin_work()
            await until(lambda: not one.notices())
            file.close()
            file.path.write_bytes(b"damaged" * 2000)
            one.ways.show()
            await until(lambda: "history-damaged" in one.notices())
            monkeypatch.setattr(file, "ask", full)
            one.ways.page.ask()
            await until(lambda: "history" in one.notices())

    flow(steps)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_what_is_shown_is_exported(flow: Flow, tmp_path: Path, form: str) -> None:
    async def steps() -> None:
        async with Running(tmp_path / "data") as one:
            one.add(5)
            one.ways.show()
            await until(lambda: len(one.rows()) == 5)
            menu = one.ways.page.export_menu(QPoint(50, 50))
            menu.actions()[("csv", "json").index(form)].trigger()
            menu.hide()
            await until(lambda: one.window.findChildren(QFileDialog))
            (dialog,) = one.window.findChildren(QFileDialog)
            path = tmp_path / f"out.{form}"
            dialog.fileSelected.emit(str(path))
            dialog.reject()
            await until(path.exists)
            text = path.read_text("utf-8")
            names = [one["name"] for one in (json.loads(text) if form == "json" else csv.DictReader(text.splitlines()))]
            assert sorted(names) == [f"site-{number}.example" for number in range(5)]

    flow(steps)


def test_the_settings_are_those_of_the_service() -> None:
    assert (service.DAYS, service.MEGABYTES) == ((1, 365), (5, 2000))

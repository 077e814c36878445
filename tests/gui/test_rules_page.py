"""The page of rules, through the widgets that a person uses."""

from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetricsF, QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QLabel, QMenu

from ssgui.config.app_config import STARTER, Mode
from ssgui.config.secret import Secret
from ssgui.engine.pages import Fetched
from ssgui.gui import theme
from ssgui.gui.adding.subscription import LineDialog
from ssgui.gui.presenter import Presenter
from ssgui.gui.rules.lists import RuleListsModel, _fitting
from ssgui.gui.rules.marks import Note
from ssgui.gui.rules.page import RulesPage
from ssgui.gui.rules.problems import ProblemsDialog
from ssgui.gui.rules.wording import fetch_line, list_parts, list_tip, program
from ssgui.rules.acl import Problem, Route
from ssgui.rules.model import PolicyMode
from ssgui.services.connections.records import Connection
from ssgui.services.fetching import Answer, FetchError
from ssgui.services.rules.lists import CATALOGUE, ListState, source_of
from ssgui.services.rules.pac_pages import PATH, PacFetch
from tests.support.flows import Flow, click, until
from tests.support.screens import StillContext

GFWLIST = CATALOGUE[1]
BODY = b"[AutoProxy]\n||listed.example\n||youtube.com\n"


@pytest.fixture
def page(presenter: Presenter, context: StillContext, monkeypatch: pytest.MonkeyPatch) -> RulesPage:
    """Open, of a context whose rules follow its configuration."""
    monkeypatch.setattr("ssgui.app.rule_updates.own_proxy", lambda _context: "socks5://127.0.0.1:1080")
    context.changed.append(context.rules.follow)
    presenter.window.open_page("rules")
    presenter.rules.updates._get = publisher
    return presenter.rules.page


async def publisher(url: Secret, **more: Any) -> Answer:
    more["limits"].progress(0.5)
    if "missing" in url.reveal():
        raise FetchError("lists.example answers 404 Not Found")
    return Answer(BODY, "tag")


async def begun(page: RulesPage) -> None:
    page.rules.follow()
    await page.rules.settled()


def card(page: RulesPage) -> str:
    return page.explain.card._text.text()


def toast(page: RulesPage) -> str:
    (label,) = page.window().findChildren(QLabel, "toast")
    return label.text()


def choose(menu: QMenu, text: str) -> None:
    [action] = [one for one in menu.actions() if one.text() == text]
    assert action.isEnabled()
    action.trigger()
    menu.close()


def answer(page: RulesPage, name: str, text: str) -> None:
    dialog = page.window().findChild(LineDialog, name)
    assert dialog is not None
    dialog.field.edit.setText(text)
    click(dialog.go)


def test_why_a_site_goes_its_way(page: RulesPage, flow: Flow) -> None:
    async def steps() -> None:
        await begun(page)
        box = page.explain
        assert not box.card.isVisible()
        QTest.keyClicks(box.edit, "www.youtube.com")
        await until(lambda: box.card.isVisible())
        assert card(page) == "Through the proxy  because of ||youtube.com in ssgui starter rules, line 19"
        assert not box.card.rule.isVisible()  # it is in a list, not among the person's own
        box.edit.setText("https://nobody.example/x")
        click(box.button)
        assert card(page) == "Direct  because no rule knows it"
        box.edit.setText("192.168.1.1")
        QTest.keyClick(box.edit, Qt.Key.Key_Return)
        assert card(page) == "Direct  because it is in the local network"
        assert not box.card.turn.isVisible()
        box.edit.setText("http://")
        click(box.button)
        assert "This is no address" in card(page)
        box.edit.clear()
        await until(lambda: not box.card.isVisible())

    flow(steps)


def test_where_browsers_and_programs_differ(page: RulesPage, context: StillContext, flow: Flow) -> None:
    async def steps() -> None:
        await page.rules.save_user("203.0.113.0/24")
        await begun(page)
        page.explain.ask("https://203.0.113.9/")
        assert card(page) == "Direct  because no rule knows it"
        note = page.explain.card._note.text()
        assert note == "In Rules mode: Through the proxy because of 203.0.113.0/24 in My rules, line 1"
        await page.rules.save_user("example.com/x")
        await begun(page)
        page.explain.ask("http://example.com/x")
        assert card(page) == "Through the proxy  because of example.com/x in My rules, line 1"
        note = page.explain.card._note.text()
        assert note == "Programs that name only the host: Direct because no rule knows it"

    flow(steps)


def test_always_direct_and_back(page: RulesPage, presenter: Presenter, flow: Flow) -> None:
    async def steps() -> None:
        await begun(page)
        page.explain.ask("https://www.youtube.com/watch")
        click(page.explain.card.turn)
        await until(lambda: page.rules.user_text == "@@||www.youtube.com\n")
        await until(lambda: card(page).startswith("Direct  because of @@||www.youtube.com in My rules"))
        assert toast(page) == "Always direct: www.youtube.com"
        assert page.editor.text() == "@@||www.youtube.com\n"
        assert page.explain.card.turn.text() == "Always proxy"
        click(page.explain.card.rule)
        assert page.editor.area.textCursor().selectedText() == "@@||www.youtube.com"
        presenter.window.toast._act()
        await until(lambda: page.rules.user_text == "")
        await until(lambda: card(page).startswith("Through the proxy"))

    flow(steps)


def test_a_rule_that_would_not_hold_is_refused(page: RulesPage, flow: Flow) -> None:
    async def steps() -> None:
        await page.rules.save_user("@@||example")
        await begun(page)
        page.always("a.example", Route.PROXY)
        assert "your exception in line 1 decides first" in toast(page)
        page.editor.insert_example()
        page.always("b.test", Route.PROXY)
        assert toast(page) == "Save or revert your changes first."
        assert page.rules.user_text == "@@||example"

    flow(steps)


def test_a_row_of_connections_offers_rules(page: RulesPage, presenter: Presenter, flow: Flow) -> None:
    async def steps() -> None:
        await begun(page)
        one = Connection(1, 1, "socks5", "127.0.0.1:5", 0.0, target="cdn.example.co.uk:443")
        menu = presenter.connections.row_menu(one, QPoint(0, 0))
        words = [action.text() for action in menu.actions() if action.text()]
        assert words == [
            "Always proxy: cdn.example.co.uk", "Always proxy: example.co.uk", "Always direct: cdn.example.co.uk",
            "Always direct: example.co.uk", "Why does it go there?", "Copy the target", "Copy as curl",
            "Close the connection", "Reset connections to cdn.example.co.uk",
        ]  # fmt: skip
        choose(menu, "Always proxy: example.co.uk")
        await until(lambda: page.rules.user_text == "||example.co.uk\n")
        await page.rules.settled()
        choose(presenter.connections.row_menu(one, QPoint(0, 0)), "Why does it go there?")
        assert presenter.window.current_page() == "rules"
        assert card(page).startswith("Through the proxy  because of ||example.co.uk in My rules, line 1")
        closed: list[list[int]] = []
        presenter.connections.closed.disconnect()
        presenter.connections.closed.connect(closed.append)
        choose(presenter.connections.row_menu(one, QPoint(0, 0)), "Close the connection")
        assert closed == [[1]]
        for target in ("", "192.168.1.1:80"):
            one.target = target
            one.ended = 1.0
            menu = presenter.connections.row_menu(one, QPoint(0, 0))
            assert not [each for each in menu.actions() if each.isEnabled() and each.text().startswith("Always proxy")]
            menu.close()

    flow(steps)


def test_rules_are_typed_saved_and_reverted(page: RulesPage, flow: Flow) -> None:
    async def steps() -> None:
        await begun(page)
        assert not page.save.isEnabled()
        assert not page.revert.isVisible()
        QTest.keyClicks(page.editor.area, "||example.com")
        QTest.keyClick(page.editor.area, Qt.Key.Key_Return)
        QTest.keyClicks(page.editor.area, "/(open/")
        await until(lambda: page._wrong.isVisible())
        assert page._wrong.text() == "1 error, skipped"
        assert page.revert.isVisible()
        click(page.save)
        await until(lambda: page.rules.user_text == "||example.com\n/(open/")
        await page.rules.settled()
        assert not page.save.isEnabled()
        assert page._count.text() == "1 rule"
        page.explain.ask("example.com")
        assert "My rules, line 1" in card(page)
        QTest.keyClicks(page.editor.area, "x")
        assert page.save.isEnabled()
        click(page.revert)
        assert page.editor.text() == "||example.com\n/(open/"
        assert not page.save.isEnabled()

    flow(steps)


def test_what_is_known_stands_beside_each_rule(page: RulesPage, context: StillContext, flow: Flow) -> None:
    async def steps() -> None:
        context.change_settings(mode=Mode.RULES)
        await page.rules.save_user("||youtube.com\n||m.youtube.com\n@@||a.example\n203.0.113.0/24\n! note\n||b.example")
        await begun(page)
        page.rules.hits.count("user: ||b.example", ("user",))
        page.look()

        def notes() -> list[Note | None]:
            return [page.editor.area.marks.note(line) for line in range(6)]

        never = Note("never", 0)
        assert notes() == [never, Note("covered", 1), never, never, None, Note("hits", 1)]
        assert page._count.text() == "5 rules"
        context.change_settings(mode=Mode.PAC)  # of what browsers send directly nothing is heard
        page.refresh()
        assert notes() == [never, Note("covered", 1), None, None, None, Note("hits", 1)]

    flow(steps)


def test_a_draft_survives_what_happens_meanwhile(page: RulesPage, flow: Flow) -> None:
    async def steps() -> None:
        await begun(page)
        QTest.keyClicks(page.editor.area, "||draft.example")
        page.rules.folder.save_user("||other.example")  # as another program does it
        await until(lambda: page.rules.user_text == "||other.example")
        assert page.editor.text() == "||draft.example"
        assert toast(page).startswith("Your rules were changed in their file.")
        click(page.revert)
        assert page.editor.text() == "||other.example"

    flow(steps)


def test_the_file_is_followed_whoever_writes_it(page: RulesPage, presenter: Presenter, flow: Flow) -> None:
    async def steps() -> None:
        await begun(page)
        path = page.rules.folder.user_path
        assert not path.exists()
        for text in ("||one.example\n", "||two.example\n"):
            path.write_text(text)  # in place
            await until(lambda text=text: page.editor.text() == text)  # type: ignore[misc]
        told: list[int] = []
        presenter.rules._watch.changed.connect(lambda: told.append(1))
        (path.parent / "beside").touch()
        page.rules.folder.save_user("||three.example\n")  # another file in its place
        await until(lambda: page.editor.text() == "||three.example\n")
        assert len(told) == 1
        path.write_text("||four.example\n")
        await until(lambda: page.editor.text() == "||four.example\n")
        path.unlink()
        await until(lambda: page.editor.text() == "")
        path.mkdir()
        await until(lambda: page.rules.own.error)
        facts = [one.text() for one in presenter.window.banners.findChildren(QLabel, "fact")]
        assert facts == ["Your own rules cannot be read."]
        path.rmdir()
        await until(lambda: not page.rules.own.error)
        page.editor.insert_example()
        path.write_text("||five.example\n")
        await until(lambda: page.rules.user_text == "||five.example\n")
        page.save_rules()  # it was said, so it may be replaced
        await until(lambda: "@@||intranet" in path.read_text())

    flow(steps)


def test_lists_are_added_switched_moved_and_removed(page: RulesPage, context: StillContext, flow: Flow) -> None:
    async def steps() -> None:
        await begun(page)
        page.lists.fill(page._menu)
        assert not next(one for one in page._menu.actions() if one.text() == "ssgui starter rules").isEnabled()
        choose(page._menu, "gfwlist")
        await until(lambda: page.rules.lists[1].rules == 2)
        await until(lambda: not page.rules.progress)
        assert context.config.rule_lists[1].etag == "tag"
        page.explain.ask("listed.example")
        assert "||listed.example in gfwlist, line 2" in card(page)
        page.view.select("gfwlist")
        QTest.keyClick(page.view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
        assert [one.id for one in context.config.rule_lists] == ["gfwlist", "starter"]
        place = page.view.visualRect(page.model.index(0)).center()
        QTest.mouseClick(page.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, place.y()))
        await page.rules.settled()
        assert [one.enabled for one in context.config.rule_lists] == [False, True]
        page.explain.refresh()
        assert card(page) == "Direct  because no rule knows it"
        QTest.keyClick(page.view, Qt.Key.Key_Space)
        assert [one.enabled for one in context.config.rule_lists] == [True, True]
        choose(page.lists.menu("gfwlist", QPoint(0, 0)), "Send it directly")
        await page.rules.settled()
        page.explain.refresh()
        assert card(page).startswith("Direct  because of ||listed.example")
        QTest.keyClick(page.view, Qt.Key.Key_Delete)
        assert [one.id for one in context.config.rule_lists] == ["starter"]
        assert toast(page) == "gfwlist removed"
        page._toast._act()
        assert [one.id for one in context.config.rule_lists] == ["gfwlist", "starter"]

    flow(steps)


def test_lists_from_elsewhere(page: RulesPage, context: StillContext, flow: Flow) -> None:
    async def steps() -> None:
        await begun(page)
        page.lists.fill(page._menu)
        choose(page._menu, "From an address…")
        answer(page, "list-address", "http://lists.example/a.txt")
        dialog = page.window().findChild(LineDialog, "list-address")
        assert isinstance(dialog, LineDialog)
        assert "not encrypted" in dialog.field._below.text()
        answer(page, "list-address", "https://lists.example/missing.txt")
        await until(lambda: page.rules.lists[-1].error)
        assert list_parts(page.rules.lists[-1], 0.0) == (["Update failed: 404"], "err")
        assert "lists.example answers 404 Not Found" in list_tip(page.rules.lists[-1], 0.0)
        choose(page._menu, "Groups of geosite…")
        answer(page, "geosite", "openai, docker")
        await until(lambda: not page.rules.progress)
        assert context.config.rule_lists[-1].groups == ("openai", "docker")
        failed = context.config.rule_lists[1].id
        choose(page.lists.menu(failed, QPoint(0, 0)), "Copy its address")
        assert QGuiApplication.clipboard().text() == "https://lists.example/missing.txt"
        choose(page.lists.menu(failed, QPoint(0, 0)), "Update without the proxy")
        await until(lambda: not page.rules.progress)

    flow(steps)


def test_lines_of_a_list_that_were_not_understood_are_shown(page: RulesPage, context: StillContext, flow: Flow) -> None:
    body = b"[AutoProxy]\n||good.example\n/(open/\n||exa mple\xe2\x80\xae.com\n"

    async def steps() -> None:
        page.rules.folder.keep(GFWLIST, body)
        context.change(msgspec.structs.replace(context.config, rule_lists=(GFWLIST, STARTER)))
        await begun(page)
        page.refresh()
        assert list_parts(page.rules.lists[0], 0.0)[0][:2] == ["1 rule", "2 lines not understood"]
        assert "not understood" in page.model.data(page.model.index(0), Qt.ItemDataRole.AccessibleTextRole)
        choose(page.lists.menu(GFWLIST.id, QPoint(0, 0)), "Lines that are not understood…")
        dialog = page.window().findChild(ProblemsDialog)
        assert dialog is not None
        assert [dialog.rows.item(at).text() for at in range(dialog.rows.count())] == [
            "line 3: /(open/: a group is not closed", "line 4: ||exa mple\\u202e.com: not a host name",
        ]  # fmt: skip
        click(dialog.copy)
        assert QGuiApplication.clipboard().text().splitlines()[0] == "line 3: /(open/: a group is not closed"
        dialog.close()
        menu = page.lists.menu(STARTER.id, QPoint(0, 0))
        assert not [one for one in menu.actions() if "not understood" in one.text()]
        menu.close()

    flow(steps)


def test_a_row_says_as_much_as_there_is_room_for() -> None:
    state = ListState(GFWLIST, "gfwlist", 4350, networks=12, problems=(Problem(1, "x", "y"),))
    parts, _ = list_parts(state, GFWLIST.updated + 3 * 86400.0)
    assert parts == ["4,350 rules", "12 ranges, Rules mode only", "1 line not understood", "updated 3 days ago"]
    font = theme.font(12)
    assert _fitting(parts, font, 10_000) == " · ".join(parts)
    assert _fitting(parts, font, QFontMetricsF(font).horizontalAdvance(" · ".join(parts[:2])) + 1) == " · ".join(
        parts[:2]
    )
    assert _fitting(parts, font, 1) == "4,350 rules"


@pytest.mark.parametrize(
    ("mode", "url", "first", "note"),
    [
        (Mode.PAC, "a.example", "Through the proxy", "This is what new connections will do."),
        (Mode.RULES, "a.example", "Through the proxy", "This is what new connections will do."),
        (Mode.OFF, "a.example", "Through the proxy", "The mode is Off: nobody asks the rules."),
        (Mode.GLOBAL, "b.example", "Direct", "The mode is Global: everything goes through the server."),
        (Mode.RULES, "203.0.113.9", "Through the proxy", "In PAC mode: Direct because no rule knows it"),
        (Mode.PAC, "203.0.113.9", "Direct", "In Rules mode: Through the proxy because of 203.0.113.0/24 in My rules"),
    ],
)
def test_what_holds_in_the_mode_is_said_first(
    page: RulesPage, context: StillContext, flow: Flow, mode: Mode, url: str, first: str, note: str
) -> None:
    async def steps() -> None:
        context.change_settings(mode=mode)
        await page.rules.save_user("||a.example\n203.0.113.0/24")
        await begun(page)
        page.explain.ask(url)
        assert card(page).startswith(first)
        assert page.explain.card._note.text().startswith(note)
        context.pause.begin()
        page.refresh()
        paused = note if mode is Mode.PAC and note.startswith("In ") else "For now everything goes directly."
        assert mode is Mode.RULES or page.explain.card._note.text().startswith(paused)

    flow(steps)


def test_the_pac_and_who_has_it(page: RulesPage, context: StillContext, flow: Flow) -> None:
    async def steps() -> None:
        await begun(page)
        pages = page.rules.pac_pages
        page.refresh()
        assert not page.pac.copy.isEnabled()
        port, secret = ("0.0.0.0", 1080), Secret("secret")
        pages.serve(page.rules.made.pac, port, secret, shared=True, fail_open=False)
        page.refresh()
        assert page.pac._size.text().startswith("v1 · ")
        click(page.pac.copy)
        assert QGuiApplication.clipboard().text() == pages.url()
        assert page.pac._fetches.accessibleName() == "Nobody has fetched it yet"
        pages.pages.fetched(Fetched("127.0.0.1", "Mozilla/5.0 (X11) Chrome/130.0 Safari/537", PATH, pages.digest))
        assert page.pac._fetches.accessibleName().startswith("Chrome, ")
        page.pac.show_pac(page.rules.pac, [("For other devices · 192.0.2.7", pages.stable_url("192.0.2.7"))])
        click(page.pac.copy)
        menu = page.pac.findChild(QMenu)
        assert menu is not None
        choose(menu, "For other devices · 192.0.2.7")
        assert QGuiApplication.clipboard().text() == "http://192.0.2.7:1080/proxy.pac?k=secret"

    flow(steps)


def test_a_pac_that_is_too_big_is_said(
    presenter: Presenter, page: RulesPage, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ssgui.rules.pac_compiler.MAX_BYTES", 100)

    async def steps() -> None:
        await begun(page)
        facts = [one.text() for one in presenter.window.banners.findChildren(QLabel, "fact")]
        assert facts == ["Browsers do not get the new rules."]
        monkeypatch.undo()
        await page.rules.save_user("||example.com")
        await page.rules.settled()
        assert not presenter.window.banners.findChildren(QLabel, "fact") or not presenter.window.banners.isVisible()

    flow(steps)


def test_settings_of_rules(presenter: Presenter, context: StillContext) -> None:
    rows = presenter.settings.rows
    box: Any = rows["rules_mode"].control
    box.setCurrentIndex(1)
    box.activated.emit(1)
    assert context.config.settings.rules_mode is PolicyMode.BYPASS
    for key in ("fail_open", "ask_dns"):
        switch: Any = rows[key].control
        switch.click()
        assert getattr(context.config.settings, key) is True
    before = context.config.settings.pac_secret
    button: Any = rows["pac_address"].control
    button.click()
    assert context.config.settings.pac_secret not in (before, Secret(""))


def test_the_model_is_sound() -> None:
    model = RuleListsModel(lambda: 0.0)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    states = [ListState(STARTER, "ssgui starter rules", 97), ListState(GFWLIST, "gfwlist", 4350)]
    for shown in ((), states[:1], states, states[::-1], [switched_off(states[0])], ()):
        model.show(tuple(shown))
        assert model.rowCount() == len(shown)
    moved: list[list[str]] = []
    model.moved.connect(moved.append)
    model.show(tuple(states))
    model.move("starter", -1)
    model.move("starter", 1)
    data = model.mimeData([model.index(1)])
    model.dropMimeData(data, Qt.DropAction.MoveAction, 0, 0, model.index(-1))
    assert moved == [["gfwlist", "starter"], ["gfwlist", "starter"]]
    text = model.data(model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert text == "ssgui starter rules, On, 97 rules · comes with ssgui, 0 hits today"


def switched_off(state: ListState) -> ListState:
    """Another state of the same list."""
    return ListState(msgspec.structs.replace(state.source, enabled=False), state.name, 3)


def test_words() -> None:
    source = source_of("https://lists.example/\u202eevil.txt")
    state = ListState(source, source.name, problems=(Problem(3, "a\u202eb", "not a host name"),))
    tip = list_tip(state, 0.0)
    assert "\u202e" not in tip
    assert "line 3: a\N{REPLACEMENT CHARACTER}b: not a host name" in tip
    agents = {
        "Mozilla/5.0 Chrome/130 Safari/537 Edg/130": "Edge", "Mozilla/5.0 Gecko Firefox/128.0": "Firefox",
        "": "A program",
        "WinHttp-Autoproxy-Service/5.1": "Windows", "my-tool/1.0 (x)": "my-tool", "\x1b[31m": "A program",
    }  # fmt: skip
    for agent, name in agents.items():
        assert program(PacFetch("127.0.0.1", agent, 0.0, 1)) == name
    assert program(PacFetch("192.0.2.9", "Phone/2", 0.0, 1)) == "Phone · 192.0.2.9"
    assert fetch_line(PacFetch("127.0.0.1", "x", 0.0, 2), 2)[1:] == ("ok", "text2")
    assert "v1, still the old one" in fetch_line(PacFetch("127.0.0.1", "x", 0.0, 1), 2)[0]

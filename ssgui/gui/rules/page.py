"""Rules: the box that explains, the lists and the PAC on the left, the person's own rules on the right."""

import time
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from ssgui.app.context import AppContext
from ssgui.app.rule_updates import RuleUpdates
from ssgui.config.app_config import Mode
from ssgui.engine.tasks import spawn
from ssgui.gui import icons, theme
from ssgui.gui.frame.menus import rounded
from ssgui.gui.frame.notices import Toast
from ssgui.gui.reasons import reason
from ssgui.gui.rules.choosing import Lists
from ssgui.gui.rules.editor import Note, RulesEditor
from ssgui.gui.rules.explain import ExplainBox
from ssgui.gui.rules.lists import ListsFrame, RuleListsModel, RuleListsView
from ssgui.gui.rules.pac_panel import PacPanel
from ssgui.gui.rules.wording import rules_text
from ssgui.gui.texts import tr
from ssgui.rules.acl import Route
from ssgui.services.rules.hits import unseen_with_a_pac
from ssgui.services.rules.own_file import RulesError
from ssgui.services.rules.own_rules import OwnRuleError, RuleChange, always
from ssgui.system.addresses import own_addresses

LISTS_WIDTH, NARROW_LISTS = 356, 312
_NARROW_BELOW = 900


class RulesPage(QWidget):
    """`updates` fetches lists; `toast` says what was done and offers the way back."""

    def __init__(
        self, context: AppContext, updates: RuleUpdates, toast: Toast, parent: QWidget | None = None
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.context, self.rules, self._toast = context, context.rules, toast
        self._updates = updates
        self.lists = Lists(context, updates, toast, self)
        self.explain = ExplainBox(self.rules, self._mode, self)
        self.model = RuleListsModel(time.time, self)
        self.view = RuleListsView(self.model, self)
        self.pac, self.editor = PacPanel(self), RulesEditor(self)
        self._text: str | None = None  # as it was kept, when it was put into the editor
        self._known: object = None
        self._others: list[tuple[str, str]] = []
        self._make_heads()
        self._lay_out()
        self._connect()
        self.refresh()

    # ---- making

    def _make_heads(self) -> None:
        self._lists_head, self._rules_head = QLabel(tr("Lists"), self), QLabel(tr("My rules"), self)
        for label in (self._lists_head, self._rules_head):
            label.setFont(theme.font(13, theme.SEMIBOLD))
        self.update_all = QPushButton(icons.icon("refresh"), " " + tr("Update all"), self)
        self.update_all.setProperty("kind", "quiet")
        self.add = QPushButton(icons.icon("add", "text"), " " + tr("Add list"), self)
        self._menu = rounded(QMenu(self.add))
        self._menu.aboutToShow.connect(partial(self.lists.fill, self._menu))
        self.lists.fill(self._menu)
        self.add.setMenu(self._menu)
        self._count, self._wrong, self._wrong_icon = QLabel(self), QLabel(self), QLabel(self)
        self._count.setFont(theme.font(12))
        self.revert = QPushButton(tr("Revert"), self)
        self.revert.setProperty("kind", "quiet")
        self.save = QPushButton(tr("Save"), self)
        self.save.setProperty("kind", "primary")

    def _lay_out(self) -> None:
        left_head, right_head = QHBoxLayout(), QHBoxLayout()
        for row in (left_head, right_head):
            row.setSpacing(8)
        left_head.addWidget(self._lists_head)
        left_head.addStretch(1)
        left_head.addWidget(self.update_all)
        left_head.addWidget(self.add)
        right_head.addWidget(self._rules_head)
        right_head.addWidget(self._count)
        right_head.addStretch(1)
        for widget in (self._wrong_icon, self._wrong, self.revert, self.save):
            right_head.addWidget(widget)
        self._left = QWidget(self)
        left, right = QVBoxLayout(self._left), QVBoxLayout()
        left.setContentsMargins(0, 0, 0, 0)
        for column in (left, right):
            column.setSpacing(8)
        left.addLayout(left_head)
        left.addWidget(ListsFrame(self.view, self._left), 1)
        left.addWidget(self.pac)
        right.addLayout(right_head)
        right.addWidget(self.editor, 1)
        panes = QHBoxLayout()
        panes.setSpacing(24)
        panes.addWidget(self._left)
        panes.addLayout(right, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 12, 16, 16)
        whole.setSpacing(14)
        whole.addWidget(self.explain)
        whole.addLayout(panes, 1)

    def _connect(self) -> None:
        self.explain.always.connect(self.always)
        self.explain.go_to.connect(self.editor.go_to)
        self.view.switched.connect(self.lists.switch)
        self.view.deleted.connect(self.lists.remove)
        self.view.asked.connect(self.lists.menu)
        self.model.moved.connect(self.lists.move)
        self.update_all.clicked.connect(lambda: self._updates.update())
        self.editor.edited.connect(self._show_head)
        self.editor.settled_text.connect(self._check)
        self.revert.clicked.connect(self._revert)
        self.save.clicked.connect(self.save_rules)
        self.rules.changed.append(self.refresh)
        for keys, act in (
            ("Ctrl+E", self._to_explain),
            ("Ctrl+S", self.save_rules),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(act)

    def end(self) -> None:
        """Show nothing more."""
        self.rules.changed.remove(self.refresh)

    # ---- showing

    def refresh(self) -> None:
        """The configuration or the rules changed."""
        text = self.rules.user_text
        if self._text is None or (text != self._text and not self.editor.is_modified()):
            self._text = text
            self.editor.set_text(text)
            self._check(text)
        elif text != self._text:
            self._text = text
            self._toast.say(tr("Your rules were changed in their file. Save replaces that, Revert shows it."))
        self._known, self._others = None, self._other_devices()
        self.look()
        self.explain.refresh()

    def look(self) -> None:
        """What was counted or fetched may be more."""
        self._show_lists()
        known = (self.rules.hits.version, self.rules.hits.day, self.rules.made)
        if known != self._known:
            self._known = known
            self._show_notes()
        self._show_head()

    def _show_lists(self) -> None:
        self.model.show(self.rules.lists)
        self.update_all.setEnabled(any(one.source.url and one.source.enabled for one in self.model.rows))
        self.pac.show_pac(self.rules.pac, self._others)

    def _other_devices(self) -> list[tuple[str, str]]:
        """The addresses that other devices may use, which stay the same."""
        if not self.context.config.settings.share:
            return []
        pages = self.rules.pac_pages
        made = [
            (tr("For other devices · {address}", address=one), pages.stable_url(one)) for one in sorted(own_addresses())
        ]
        return [(name, url) for name, url in made if url]

    def _show_notes(self) -> None:
        if self.editor.is_modified():
            return
        hits, covered, user = self.rules.hits, self.rules.made.covered, self.rules.made.user
        unseen = unseen_with_a_pac(user) if self.context.config.settings.mode is Mode.PAC else ()
        notes = {}
        for line, name in self.rules.made.names.items():
            if line in covered:
                notes[line] = Note("covered", covered[line])
            elif name in hits.ever or hits.rules[name]:
                notes[line] = Note("hits", hits.rules[name])
            elif line not in unseen:
                notes[line] = Note("never", 0)
        self.editor.show_notes(notes)

    def _show_head(self) -> None:
        count = len(self.rules.made.names)
        self._count.setText(rules_text(count) if count else "")
        self._count.setStyleSheet(f"color: {theme.current().text2}")
        changed = self.editor.is_modified()
        self.revert.setVisible(changed)
        self.save.setEnabled(changed)

    def _check(self, text: str) -> None:
        problems = self.rules.check(text)
        self.editor.show_problems(problems)
        tokens = theme.current()
        self._wrong.setVisible(bool(problems))
        self._wrong_icon.setVisible(bool(problems))
        many = tr("{count} errors, skipped", count=len(problems))
        self._wrong.setText(many if len(problems) > 1 else tr("1 error, skipped"))
        self._wrong.setStyleSheet(f"color: {tokens.err}")
        self._wrong_icon.setPixmap(icons.icon("error", "err").pixmap(16, 16))

    def recolour(self) -> None:
        """The theme changed."""
        self._check(self.editor.text())
        self._show_head()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._left.setFixedWidth(NARROW_LISTS if self.width() < _NARROW_BELOW else LISTS_WIDTH)

    # ---- doing

    def _mode(self) -> Mode | None:
        return None if self.context.pause.left() else self.context.config.settings.mode

    def _to_explain(self) -> None:
        self.explain.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.explain.edit.selectAll()

    def _revert(self) -> None:
        self.editor.set_text(self.rules.user_text)
        self._text = self.rules.user_text
        self._check(self._text)
        self._known = None
        self.look()

    def save_rules(self) -> None:
        """Keep what the editor says; wrong lines are skipped, and counted."""
        if self.editor.is_modified():
            spawn(self._save(self.editor.text()), name="save the rules")

    async def _save(self, text: str) -> bool:
        try:
            await self.rules.save_user(text)
        except RulesError as error:
            self._toast.say(reason(str(error)))
            return False
        if self.editor.text() == text:
            self.editor.set_text(text)
        self._text = text
        self.refresh()
        return True

    def always(self, host: str, route: Route) -> None:
        """A rule of one's own for `host`, with a way back."""
        if self.editor.is_modified():
            self._toast.say(tr("Save or revert your changes first."))
            return
        try:
            change = always(self.rules.user_text, host, route)
        except OwnRuleError as error:
            self._toast.say(reason(str(error)))
            return
        spawn(self._turn(change, host, route), name="add a rule")

    async def _turn(self, change: RuleChange, host: str, route: Route) -> None:
        if await self._save(change.after):
            words = tr("Always direct: {host}") if route is Route.DIRECT else tr("Always through the proxy: {host}")
            self._toast.say(words.format(host=host), partial(self._take_back, change))

    def _take_back(self, change: RuleChange) -> None:
        spawn(self._save(change.taken_back(self.rules.user_text)), name="take a rule back")

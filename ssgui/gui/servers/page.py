"""Servers: the list on the left, the chosen one's details on the right."""

from collections.abc import Callable
from uuid import uuid4

import msgspec
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from ssgui.app.consent import with_typed
from ssgui.app.context import AppContext
from ssgui.app.server_states import ServerStates
from ssgui.config.app_config import Server
from ssgui.config.models import DEFAULT_METHOD
from ssgui.gui import icons, theme
from ssgui.gui.frame.buttons import icon_button
from ssgui.gui.frame.elided_label import ElidedLabel
from ssgui.gui.frame.menus import rounded
from ssgui.gui.frame.notices import Toast
from ssgui.gui.servers.editor import ServerEditor
from ssgui.gui.servers.figures import Figures
from ssgui.gui.servers.list_view import ServerHeads, ServerList
from ssgui.gui.servers.model import ServersModel
from ssgui.gui.texts import tr

PANEL_WIDTH = 376
ONE_PANE_BELOW = 1000


class ServersPage(QWidget):
    """`testing` asks for tests of the servers with these ids, `adding` for a way to add some (its key)."""

    testing = Signal(list)
    stopped = Signal()
    adding = Signal(str)
    sharing = Signal(str)
    exporting = Signal()

    def __init__(self, context: AppContext, states: ServerStates, toast: Toast, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context, self.states, self._toast = context, states, toast
        self.group_notes: Callable[[], dict[str, str]] = dict
        self.model = ServersModel(self)
        self.list = ServerList(self.model, self)
        self._drafts: dict[str, Server] = {}
        self._open_id = ""
        self._single = False
        self._make_tools()
        self._make_panel()
        self._lay_out()
        self._connect()
        self.refresh()

    # ---- making

    def _make_tools(self) -> None:
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(tr("Search servers"))
        self.search.setAccessibleName(tr("Search servers"))
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(240)
        self.search.addAction(icons.icon("search", "text3"), QLineEdit.ActionPosition.LeadingPosition)
        self.test_all = QPushButton(icons.icon("pulse", "text"), " " + tr("Test all"), self)
        self.add = QPushButton(tr("Add"), self)
        self.add.setProperty("kind", "primary")
        self.menu = rounded(QMenu(self.add))
        for key, icon, text, keys in (
            ("paste", "clipboard", tr("Paste links"), "Ctrl+V"),
            ("screen", "qr", tr("Scan a QR code on screen"), "Ctrl+Shift+Q"),
            ("file", "image", tr("Open an image or a file…"), ""),
            ("other", "folder", tr("Import from another app…"), "Ctrl+I"),
            ("subscription", "subscription", tr("Add a subscription…"), ""),
            ("hand", "pen", tr("Enter details by hand"), "Ctrl+N"),
        ):
            shown = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
            action = self.menu.addAction(icons.icon(icon), f"{text}\t{shown}" if keys else text)
            action.triggered.connect(lambda _=False, key=key: self.begin(key))
        self.menu.addSeparator()
        self.export = self.menu.addAction(icons.icon("export"), tr("Export all servers…"))
        self.export.triggered.connect(self.exporting)
        self.add.setMenu(self.menu)

    def _make_panel(self) -> None:
        self.panel = QWidget(self)
        self.editor, self.figures = ServerEditor(self.panel), Figures(self.panel)
        self._title = ElidedLabel(theme.font(15, theme.SEMIBOLD), self.panel)
        self._chip = QLabel(tr("In use"), self.panel)
        self._chip.setFont(theme.font(12, theme.MEDIUM))
        self._chip.setFixedHeight(20)
        self.use_button = QPushButton(tr("Use this server"), self.panel)
        self._back = icon_button("chevron-left", tr("Back to the list"), self.panel)
        self.share = icon_button("share", tr("Share"), self.panel)
        self.duplicate = icon_button("copy", tr("Duplicate"), self.panel)
        self.delete = icon_button("trash", tr("Delete"), self.panel)

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.setContentsMargins(16, 12, 16, 12)
        tools.setSpacing(8)
        tools.addWidget(self.search, 1)
        tools.addStretch(1)
        tools.addWidget(self.test_all)
        tools.addWidget(self.add)
        self._left = QWidget(self)
        left = QVBoxLayout(self._left)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(0)
        left.addLayout(tools)
        left.addWidget(ServerHeads(self._left))
        left.addWidget(self.list, 1)
        head = QHBoxLayout()
        head.setContentsMargins(20, 12, 16, 8)
        head.setSpacing(4)
        head.addWidget(self._back)
        head.addWidget(self._title, 1)
        head.addWidget(self._chip, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self.use_button)
        for button in (self.share, self.duplicate, self.delete):
            head.addWidget(button)
        right = QVBoxLayout(self.panel)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addLayout(head)
        right.addWidget(self.figures)
        right.addWidget(self.editor, 1)
        panes = QWidget(self)
        row = QHBoxLayout(panes)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._left, 1)
        self._edge = QWidget(panes)
        self._edge.setFixedWidth(1)
        self._edge.setAutoFillBackground(True)
        row.addWidget(self._edge)
        row.addWidget(self.panel)
        self._body = QStackedLayout(self)
        self._body.addWidget(panes)

    def _connect(self) -> None:
        self.search.textChanged.connect(self._search)
        self.list.selectionModel().currentChanged.connect(lambda *_: self._selected())
        self.list.used.connect(self.context.use)
        self.list.deleted.connect(self.delete_server)
        self.list.duplicated.connect(self.duplicate_server)
        self.list.asked.connect(self.row_menu)
        self.list.renamed.connect(lambda _identity: self._rename())
        self.model.moved.connect(self._moved)
        self.editor.saved.connect(self._save)
        self.editor.changed.connect(self._drafted)
        self.editor.tested.connect(lambda identity: self.testing.emit([identity]))
        self.test_all.clicked.connect(self._test_all)
        self.use_button.clicked.connect(lambda: self.context.use(self._open_id))
        self.share.clicked.connect(lambda: self.sharing.emit(self._open_id))
        self.duplicate.clicked.connect(lambda: self.duplicate_server(self._open_id))
        self.delete.clicked.connect(lambda: self.delete_server(self._open_id))
        self._back.clicked.connect(self._go_back)
        for keys, act in (
            ("Ctrl+N", lambda: self.begin("hand")),
            ("Ctrl+S", self.editor.save.click),
            ("Ctrl+F", self.search.setFocus),
            ("Ctrl+T", lambda: self.testing.emit([self._open_id])),
            ("Ctrl+Shift+T", self._test_all),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(act)

    # ---- showing

    def refresh(self) -> None:
        """The configuration changed."""
        config = self.context.config
        self.model.show(config.servers, config.current, self.group_notes())
        self.export.setEnabled(bool(config.servers))
        self.look()
        if config.server(self._open_id) is None:
            self._open_id = ""
        if not self._open_id and config.servers:
            self._open(config.current if config.server(config.current) else config.servers[0].id)
        self._show_head()
        self._arrange()

    def look(self) -> None:
        """What is known about servers may have changed."""
        config = self.context.config
        self.model.show_states(self.states.all(config.servers, config.settings.legacy_methods))
        self.list.viewport().update()
        server = config.server(self._open_id)
        if server is not None:
            self.figures.show_figures(self.states.figures(server, self.context.name_of(server)))
        running = len(self.states.testing)
        self.test_all.setText(" " + (tr("Stop · {count} left", count=running) if running else tr("Test all")))

    def _open(self, identity: str) -> None:
        server = self.context.config.server(identity)
        self._open_id = identity if server is not None else ""
        groups = tuple(dict.fromkeys(one.group for one in self.context.config.servers))
        self.editor.open(server, self._drafts.get(identity), groups)
        self.list.select(identity)
        if server is not None:
            self.figures.show_figures(self.states.figures(server, self.context.name_of(server)))
        self._show_head()

    def _show_head(self) -> None:
        server = self.context.config.server(self._open_id)
        tokens = theme.current()
        used = server is not None and server.id == self.context.config.current
        self._title.set_text(server.name if server is not None else "")
        self._chip.setVisible(used)
        chip = f"background: {tokens.ok_tint}; color: {tokens.ok}; border-radius: 10px; padding: 0 8px;"
        self._chip.setStyleSheet(chip)
        self._edge.setStyleSheet(f"background: {tokens.line}")
        self.use_button.setVisible(server is not None and not used)

    def _arrange(self) -> None:
        """Side by side, or in a narrow window one at a time."""
        narrow = self.window().width() < ONE_PANE_BELOW
        has_server = bool(self._open_id)
        self.panel.setVisible(has_server and (not narrow or self._single))
        self._edge.setVisible(has_server and not narrow)
        self._left.setVisible(not narrow or not self._single)
        self._back.setVisible(narrow)
        if narrow:
            self.panel.setMaximumWidth(16777215)
        else:
            self.panel.setFixedWidth(PANEL_WIDTH)
        if narrow:
            self.panel.setMinimumWidth(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _go_back(self) -> None:
        self._single = False
        self._arrange()

    # ---- doing

    def _selected(self) -> None:
        identity = self.list.selected()
        if identity and identity != self._open_id:
            self._open(identity)
            self._single = True
            self._arrange()

    def _search(self, text: str) -> None:
        self.model.set_filter(text)
        self.look()
        self.list.select(self._open_id)

    def _drafted(self, dirty: bool) -> None:
        draft = self.editor.draft()
        if dirty and draft is not None:
            self._drafts[self._open_id] = draft
        elif not dirty:
            self._drafts.pop(self._open_id, None)
        self.model.drafts = set(self._drafts)
        self.list.viewport().update()

    def _save(self, server: Server) -> None:
        self._drafts.pop(server.id, None)
        self.model.drafts = set(self._drafts)
        self.states.forget(server.id)
        config = with_typed(self.context.config, self.context.config.server(server.id), server)
        servers = tuple(server if one.id == server.id else one for one in config.servers)
        self.context.change(msgspec.structs.replace(config, servers=servers))
        self._open(server.id)

    def _change(self, servers: tuple[Server, ...], current: str | None = None) -> None:
        config = self.context.config
        current = config.current if current is None else current
        self.context.change(msgspec.structs.replace(config, servers=servers, current=current))

    def _rename(self) -> None:
        self.editor.name.edit.setFocus()
        self.editor.name.edit.selectAll()

    def add_servers(self, servers: tuple[Server, ...], *, use: bool = False) -> None:
        """Put these at the end, and open the first of them."""
        config = self.context.config
        current = servers[0].id if use or not config.server(config.current) else config.current
        self._change((*config.servers, *servers), current)
        self._open(servers[0].id)

    def begin(self, key: str) -> None:
        """One of the ways to add a server, by its key."""
        if key != "hand":
            self.adding.emit(key)
            return
        self.add_servers((Server(id=str(uuid4()), host="", port=8388, method=DEFAULT_METHOD),))
        self._single = True
        self._arrange()
        self.editor.host.edit.setFocus()

    def row_menu(self, identity: str, at: QPoint) -> QMenu:
        """What can be done with a row, and by way of it with its group, which no key reaches otherwise."""
        menu = rounded(QMenu(self))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        server = self.context.config.server(identity)
        for icon, text, act in (
            ("check", tr("Use this server"), lambda: self.context.use(identity)),
            ("share", tr("Share"), lambda: self.sharing.emit(identity)),
            ("copy", tr("Duplicate"), lambda: self.duplicate_server(identity)),
            ("trash", tr("Delete"), lambda: self.delete_server(identity)),
        ):
            menu.addAction(icons.icon(icon), text).triggered.connect(act)
        if server is not None and server.group:
            menu.addSeparator()
            group = menu.addAction(icons.icon("more"), tr("Group…"))
            group.triggered.connect(lambda: self.list.head_asked.emit(server.group, at))
        menu.popup(at)
        return menu

    def duplicate_server(self, identity: str) -> None:
        """A copy of it below."""
        servers = list(self.context.config.servers)
        at = next((at for at, one in enumerate(servers) if one.id == identity), -1)
        if at < 0:
            return
        name = tr("{name} copy", name=servers[at].name)
        copy = msgspec.structs.replace(servers[at], id=str(uuid4()), remarks=name, subscription="", gone=False)
        servers.insert(at + 1, copy)
        self._change(tuple(servers))
        self._open(copy.id)

    def show_server(self, identity: str, *, field: str = "") -> None:
        """Open its details, and perhaps go to one of the fields: host or password."""
        self.search.clear()
        self._open(identity)
        self._single = True
        self._arrange()
        chosen = {"host": self.editor.host, "password": self.editor.password}.get(field)
        if chosen is not None:
            chosen.edit.setFocus(Qt.FocusReason.OtherFocusReason)
            chosen.edit.selectAll()

    def delete_server(self, identity: str) -> None:
        """At once, with a way back."""
        before = self.context.config
        server = before.server(identity)
        if server is None:
            return
        at = next(at for at, one in enumerate(before.servers) if one.id == identity)
        left = tuple(one for one in before.servers if one.id != identity)
        following = left[min(at, len(left) - 1)].id if left else ""
        self._open_id = following
        self._change(left, following if before.current == identity else before.current)
        if following:
            self._open(following)

        def undo() -> None:
            now = list(self.context.config.servers)
            now.insert(min(at, len(now)), server)
            self._change(tuple(now), identity if before.current == identity else None)
            self._open(identity)

        self._toast.say(tr("{name} deleted", name=server.name), undo)

    def _moved(self, ids: list[str]) -> None:
        by_id = {one.id: one for one in self.context.config.servers}
        self._change(tuple(by_id[one] for one in ids))

    def _test_all(self) -> None:
        if self.states.testing:
            self.stopped.emit()
        else:
            self.testing.emit([one.id for one in self.context.config.servers if not one.gone])

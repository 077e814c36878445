"""Servers in their groups, as rows: a head for each group that has a name or is not the only one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QMimeData, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from ssgui.app.server_states import Result, ServerState
from ssgui.config.app_config import Server
from ssgui.gui import words
from ssgui.gui.frame.hints import plain_hint
from ssgui.gui.reasons import reason
from ssgui.gui.texts import tr
from ssgui.gui.units import age, amount, said, span
from ssgui.protocol.address import join_host_port

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_UNKNOWN = ServerState()
_MIME = "application/x-ssgui-server"


@dataclass(slots=True)
class Row:
    """A group's head (`server` is None) or a server."""

    group: str
    server: Server | None = None
    state: ServerState = _UNKNOWN
    note: str = ""
    folded: bool = False

    @property
    def key(self) -> str:
        """What stays the same while everything else of a row changes."""
        return f"group {self.group}" if self.server is None else self.server.id


class ServersModel(QAbstractListModel):
    """`moved` carries the ids in their new order after a person dragged or moved one."""

    moved = Signal(list)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []
        self.current = ""
        self.drafts: set[str] = set()
        self._servers: tuple[Server, ...] = ()
        self._notes: Mapping[str, str] = {}
        self._states: Mapping[str, ServerState] = {}
        self._folded: set[str] = set()
        self._words: tuple[str, ...] = ()

    # ---- what is shown

    def show(self, servers: tuple[Server, ...], current: str, notes: Mapping[str, str]) -> None:
        """These servers, the one in use, and what to say beside each group's name."""
        self._servers, self.current, self._notes = servers, current, notes
        self._rebuild()

    def show_states(self, states: Mapping[str, ServerState]) -> None:
        """What is known of each; no row comes or goes."""
        self._states = states
        for row in self.rows:
            if row.server is not None:
                row.state = states.get(row.server.id, _UNKNOWN)

    def set_filter(self, text: str) -> None:
        """Only servers whose name, address, method or group hold every word."""
        self._words = tuple(text.casefold().split())
        self._rebuild()

    def fold(self, group: str) -> None:
        """Hide or show the servers of a group."""
        self._folded ^= {group}
        self._rebuild()

    def _rebuild(self) -> None:
        wanted = self._wanted()
        if [row.key for row in wanted] == [row.key for row in self.rows]:
            self.rows[:] = wanted
            if wanted:
                self.dataChanged.emit(self.index(0), self.index(len(wanted) - 1))
            return
        self.beginResetModel()
        self.rows[:] = wanted
        self.endResetModel()

    def _wanted(self) -> list[Row]:
        groups: dict[str, list[Server]] = {}
        for server in self._servers:
            if not self._words or self._matches(server):
                groups.setdefault(server.group, []).append(server)
        rows: list[Row] = []
        for group, servers in groups.items():
            folded = group in self._folded and not self._words
            if len(groups) > 1 or group:
                rows.append(Row(group, note=self._notes.get(group, ""), folded=folded))
            if not folded:
                rows += [Row(group, one, self._states.get(one.id, _UNKNOWN)) for one in servers]
        return rows

    def _matches(self, server: Server) -> bool:
        text = f"{server.name} {server.host}:{server.port} {server.method} {server.group}".casefold()
        return all(word in text for word in self._words)

    def row_of(self, identity: str) -> int:
        """The row of a server, -1 if it is not shown."""
        return next((at for at, row in enumerate(self.rows) if row.key == identity), -1)

    # ---- order

    def move(self, identity: str, step: int) -> None:
        """Move a server up or down inside of its group."""
        mine = next((one for one in self._servers if one.id == identity), None)
        if mine is None:
            return
        ids = [one.id for one in self._servers]
        peers = [one.id for one in self._servers if one.group == mine.group]
        at = peers.index(identity)
        if 0 <= at + step < len(peers):
            one, other = ids.index(identity), ids.index(peers[at + step])
            ids[one], ids[other] = ids[other], ids[one]
            self.moved.emit(ids)

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [_MIME]

    def mimeData(self, indexes: Any) -> QMimeData:
        data = QMimeData()
        keys = [self.rows[index.row()].key for index in indexes if self.rows[index.row()].server is not None]
        data.setData(_MIME, "\n".join(keys).encode())
        return data

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        dragged = bytes(data.data(_MIME).data()).decode().split("\n")
        at = row if row >= 0 else parent.row() if parent.isValid() else len(self.rows)
        behind = [one.server.id for one in self.rows[at:] if one.server is not None and one.server.id not in dragged]
        ids = [one.id for one in self._servers if one.id not in dragged]
        place = ids.index(behind[0]) if behind else len(ids)
        self.moved.emit([*ids[:place], *dragged, *ids[place:]])
        return False  # nothing is to be removed: the new order comes back by `show`

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        if self.rows[index.row()].server is None:
            return Qt.ItemFlag.ItemIsEnabled
        return (
            Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
            | Qt.ItemFlag.ItemNeverHasChildren
        )  # fmt: skip

    # ---- Qt's side

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return group_name(row.group) if row.server is None else row.server.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.sentence(row)
        if role == Qt.ItemDataRole.ToolTipRole and row.server is not None:
            server = row.server
            return plain_hint(server.name, address(server), server.method, reason(row.state.why))
        return None

    def sentence(self, row: Row) -> str:
        """A row in words, for who listens to the screen."""
        if row.server is None:
            return ", ".join(part for part in (group_name(row.group), row.note) if part)
        used = [tr("In use")] if row.server.id == self.current else []
        return ", ".join([row.server.name, address(row.server), *used, result_text(row.state)])


def group_name(group: str) -> str:
    """What a group is called."""
    return group or tr("My servers")


def address(server: Server) -> str:
    """`host:port`, as people type it."""
    return join_host_port(server.host, server.port)


def latency_text(state: ServerState) -> tuple[str, str]:
    """Digits and unit, a dash for what is not known."""
    return ("\N{EM DASH}", "") if state.latency is None else span(state.latency)


def today_text(state: ServerState) -> str:
    """The traffic of today."""
    return " ".join(amount(state.today)) if state.today else "\N{EM DASH}"


def _failure(state: ServerState) -> str:
    """What went wrong, in a word or two; the tooltip has the sentence."""
    if state.reason is not None:
        return words.reason_word(state.reason)
    if state.why.startswith(("no connection within", "timed out")):
        return tr("Timed out")
    return tr("No answer") if state.why.startswith("no answer within") else tr("Failed")


def result_text(state: ServerState) -> str:
    """The last result and its age."""
    how_old = tr("{age} ago", age=said(age(state.age)))
    match state.result:
        case Result.UNTESTED:
            return tr("Not tested")
        case Result.TESTING:
            return tr("Testing…")
        case Result.WORKS:
            return f"{tr('Works')} · {how_old}"
        case Result.FAILED:
            return f"{_failure(state)} · {how_old}"
        case Result.UNSUPPORTED:
            return tr("Cipher not supported")
        case Result.NO_PASSWORD:
            return tr("Password is missing")
        case Result.GONE:
            return tr("Gone from list")

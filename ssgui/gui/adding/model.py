"""What was found, as a table with a tick for each server that is to be added."""

from itertools import islice
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from ssgui.app.adding import Candidate
from ssgui.config.app_config import Server
from ssgui.gui import icons, theme
from ssgui.gui.frame.painting import harmless
from ssgui.gui.reasons import reason
from ssgui.gui.servers.model import address
from ssgui.gui.texts import tr

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_MOST_SPANS = 500  # Qt looks for them one by one
NAME, ADDRESS, METHOD, PLUGIN, NOTE = range(5)


class CandidatesModel(QAbstractTableModel):
    """`ticked` is emitted after every change of what is chosen."""

    ticked = Signal()

    def __init__(
        self, candidates: tuple[Candidate, ...], parent: QObject | None = None, *, whole: bool = False
    ) -> None:
        super().__init__(parent)
        self.candidates, self._whole = candidates, whole
        servers = ((row, one) for row, one in enumerate(candidates) if one.server is not None)
        self._chosen = {row for row, one in servers if whole or not one.known}

    # ---- what is chosen

    def chosen(self) -> tuple[Server, ...]:
        """The servers with a tick, in their order."""
        found = (self.candidates[row].server for row in sorted(self._chosen))
        return tuple(server for server in found if server is not None)

    def refused(self) -> list[int]:
        """The first rows of those that cannot be added."""
        rows = (row for row, one in enumerate(self.candidates) if one.server is None)
        return list(islice(rows, _MOST_SPANS))

    def choose_all(self, chosen: bool) -> None:
        """Tick everything that can be added, or nothing."""
        self._chosen = {row for row, one in enumerate(self.candidates) if one.server is not None} if chosen else set()
        if self.candidates:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.candidates) - 1, 0))
        self.ticked.emit()

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or self._whole or self.candidates[index.row()].server is None:
            return False
        checked = Qt.CheckState(value) == Qt.CheckState.Checked
        (self._chosen.add if checked else self._chosen.discard)(index.row())
        self.dataChanged.emit(index, index)
        self.ticked.emit()
        return True

    # ---- Qt's side

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.candidates)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else 5

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DisplayRole:
            return (tr("Name"), tr("Address"), tr("Method"), tr("Plugin"), tr("Note"))[section]
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren | Qt.ItemFlag.ItemIsEnabled
        if index.column() == NAME and not self._whole and self.candidates[index.row()].server is not None:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        one, column = self.candidates[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                text = harmless(_text(one, column))
                return text if role != Qt.ItemDataRole.ToolTipRole else f"<qt>{_escaped(text)}</qt>" if text else None
            case Qt.ItemDataRole.CheckStateRole if column == NAME and one.server is not None and not self._whole:
                return Qt.CheckState.Checked if index.row() in self._chosen else Qt.CheckState.Unchecked
            case Qt.ItemDataRole.DecorationRole if _shows_note(one, column) and (one.problem or one.insecure):
                return icons.icon("error" if one.problem else "warning", "err" if one.problem else "warn")
            case Qt.ItemDataRole.ForegroundRole:
                return theme.color(_colour(one, column))
        return None


def _text(one: Candidate, column: int) -> str:
    server = one.server
    if column == NOTE:
        return note_of(one)
    if server is None:
        return _where(one) if column == NAME else note_of(one) if column == ADDRESS else ""
    return (server.remarks or server.host, address(server), server.method, server.plugin)[column]


def _where(one: Candidate) -> str:
    """The place in a document; the name of a file stays as it is."""
    file, colon, place = one.where.rpartition(": ")
    return f"{file}{colon}{reason(place)}"


def note_of(one: Candidate) -> str:
    """What a person should know about an entry."""
    server = one.server
    if server is None:
        return reason(one.problem)
    notes = []
    if one.known:
        notes.append(tr("In your list already"))
    if one.insecure:
        notes.append(tr("Insecure method"))
    if one.unknown_method:
        notes.append(tr("Cipher not supported"))
    if server.plugin:
        notes.append(tr("Asks before its plugin starts"))
    return " · ".join(notes)


def _shows_note(one: Candidate, column: int) -> bool:
    """What cannot be added says why from the second column on."""
    return column == (NOTE if one.server is not None else ADDRESS)


def _colour(one: Candidate, column: int) -> str:
    tokens = theme.current()
    if _shows_note(one, column):
        return tokens.err if one.problem else tokens.warn if one.insecure or one.unknown_method else tokens.text2
    return tokens.text if column == NAME and one.server is not None else tokens.text2


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")

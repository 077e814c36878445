"""The dialog in which every way to add servers ends: nothing is added without it."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from ssgui.app.adding import Found
from ssgui.gui import theme
from ssgui.gui.adding.delegate import CandidateDelegate
from ssgui.gui.adding.model import ADDRESS, METHOD, NAME, NOTE, PLUGIN, CandidatesModel
from ssgui.gui.frame.fields import ChoiceField
from ssgui.gui.texts import tr

_WIDTHS = {NAME: 214, ADDRESS: 200, METHOD: 176, PLUGIN: 100}


class ConfirmDialog(QDialog):
    """`confirmed` carries the chosen servers, the group (None: each keeps its own), and whether to use the first."""

    confirmed = Signal(tuple, object, bool)

    def __init__(self, found: Found, groups: tuple[str, ...], parent: QWidget, *, whole: bool = False) -> None:
        """With `whole` everything is taken or nothing: a list that somebody else keeps."""
        super().__init__(parent)
        self.setObjectName("confirm")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(940, 480)
        self.model = CandidatesModel(found.candidates, self, whole=whole)
        self._heading, self._below = QLabel(self), QLabel(self)
        for label in (self._heading, self._below):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._whole, self._possible = whole, len(found.servers)
        unusable = len(found.candidates) - self._possible
        self._below.setText(tr("{count} more cannot be used; the notes say why.", count=unusable))
        self._below.setVisible(unusable > 0)
        self._heading.setFont(theme.font(15, theme.SEMIBOLD))
        self.table = self._make_table()
        self.every = QPushButton(self)
        self.every.setProperty("kind", "link")
        self.group = ChoiceField(tr("Group"), free=True, parent=self)
        self.group.setVisible(not whole)
        self._fill_groups(found, groups)
        self.cancel = QPushButton(tr("Cancel"), self)
        self.add = QPushButton(tr("Add"), self)
        self.add_and_use = QPushButton(tr("Add and use the first"), self)
        self.add_and_use.setProperty("kind", "primary")
        self._lay_out()
        self.every.clicked.connect(lambda: self.model.choose_all(len(self.model.chosen()) < self._possible))
        self.model.ticked.connect(self._show_count)
        self.cancel.clicked.connect(self.reject)
        self.add.clicked.connect(lambda: self._confirm(False))
        self.add_and_use.clicked.connect(lambda: self._confirm(True))
        self._show_count()

    def _make_table(self) -> QTableView:
        table = QTableView(self)
        table.setModel(self.model)
        table.setItemDelegate(CandidateDelegate(table))
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setAccessibleName(tr("What was found"))
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(32)
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head = table.horizontalHeader()
        head.setFixedHeight(29)
        head.setHighlightSections(False)
        head.setStretchLastSection(True)
        for column, width in _WIDTHS.items():
            table.setColumnWidth(column, width)
        for row in self.model.refused():
            table.setSpan(row, ADDRESS, 1, NOTE - ADDRESS + 1)
        servers = self.model.chosen()
        table.setColumnHidden(PLUGIN, not any(one.plugin for one in servers))
        if self.model.rowCount():
            table.setCurrentIndex(self.model.index(0, NAME))
        return table

    def _fill_groups(self, found: Found, groups: tuple[str, ...]) -> None:
        own = {one.group for one in found.servers}
        box = self.group.box
        if any(own):
            box.addItem(tr("As they come"), None)
        box.addItem(tr("My servers"), "")
        for name in groups:
            if name:
                box.addItem(name, name)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(4)
        column.addWidget(self._heading)
        column.addWidget(self._below)
        column.addSpacing(8)
        column.addWidget(self.table, 1)
        column.addSpacing(8)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.group.setFixedWidth(220)
        row.addWidget(self.group)
        row.addWidget(self.every, 0, Qt.AlignmentFlag.AlignBottom)
        row.addStretch(1)
        for button in (self.cancel, self.add, self.add_and_use):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignBottom)
        column.addLayout(row)

    def _show_count(self) -> None:
        count = len(self.model.chosen())
        heading = tr("Add {count} servers", count=count) if count != 1 else tr("Add one server")
        self._heading.setText(heading)
        self.setWindowTitle(heading)
        self.every.setVisible(self._possible > 1 and not self._whole)
        self.every.setText(tr("Select all") if count < self._possible else tr("Select none"))
        self.add.setEnabled(count > 0)
        self.add_and_use.setEnabled(count > 0)
        self.add_and_use.setDefault(True)

    def _group(self) -> str | None:
        box = self.group.box
        index = box.findText(box.currentText())
        if index >= 0:
            data = box.itemData(index)
            return None if data is None else str(data)
        return box.currentText().strip()

    def _confirm(self, use: bool) -> None:
        servers = self.model.chosen()
        self.accept()
        self.confirmed.emit(servers, self._group(), use)

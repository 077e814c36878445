"""The lines of a list that were not understood, each with the reason."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ssgui.gui import icons, theme
from ssgui.gui.frame.painting import draw_text, harmless, panel
from ssgui.gui.reasons import reason
from ssgui.gui.rules.wording import list_name, problem_line
from ssgui.gui.texts import tr
from ssgui.rules.acl import Problem
from ssgui.services.rules.lists import ListState

_WIDTH, _HEIGHT, _ROW, _NUMBER = 640, 400, 48, 52
_PROBLEM = Qt.ItemDataRole.UserRole


class ProblemsDialog(QDialog):
    """All of them, to be read and copied."""

    def __init__(self, state: ListState, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("list-problems")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        title, count = harmless(list_name(state.name)), len(state.problems)
        self.setWindowTitle(title)
        self.resize(_WIDTH, _HEIGHT)
        many = tr("{count} lines were not understood, and are skipped.", count=f"{count:,}")
        what = tr("1 line was not understood, and is skipped.") if count == 1 else many
        heading, below = QLabel(title, self), QLabel(what, self)
        heading.setFont(theme.font(15, theme.SEMIBOLD))
        for label in (heading, below):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self.rows = QListWidget(self)
        self.rows.setAccessibleName(what)
        self.rows.setItemDelegate(_Delegate(self.rows))
        self.rows.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for problem in state.problems:
            item = QListWidgetItem(harmless(problem_line(problem)), self.rows)
            item.setToolTip(item.text())
            item.setData(_PROBLEM, problem)
        self.copy = QPushButton(icons.icon("copy"), " " + tr("Copy"), self)
        self.copy.clicked.connect(self._copy)
        close = QPushButton(tr("Close"), self)
        close.setProperty("kind", "primary")
        close.setDefault(True)
        close.clicked.connect(self.close)
        foot = QHBoxLayout()
        foot.addWidget(self.copy)
        foot.addStretch(1)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        for widget in (heading, below, self.rows):
            column.addWidget(widget)
        column.addLayout(foot)

    def _copy(self) -> None:
        lines = [self.rows.item(at).text() for at in range(self.rows.count())]
        QGuiApplication.clipboard().setText("\n".join(lines))


class _Delegate(QStyledItemDelegate):
    """The number, the line as it is written, and below it the reason."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, _ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:  # fmt: skip
        problem, tokens, place = index.data(_PROBLEM), theme.current(), QRectF(option.rect)
        assert isinstance(problem, Problem)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            panel(painter, place.adjusted(0, 1, 0, -1), tokens.tint, 6)
        number = QRectF(place.left(), place.top() + 5, _NUMBER - 12, 20)
        small, align = theme.font(12, monospace=True), Qt.AlignmentFlag.AlignRight
        draw_text(painter, number, f"{problem.line:,}", tokens.text3, small, align)
        words = QRectF(place.left() + _NUMBER, number.top(), place.width() - _NUMBER - 12, 20)
        draw_text(painter, words, problem.text, tokens.text, theme.font(13, monospace=True))
        said = reason(problem.why)
        draw_text(painter, words.translated(0, 19), said[:1].upper() + said[1:], tokens.text2, theme.font(12))
        painter.restore()

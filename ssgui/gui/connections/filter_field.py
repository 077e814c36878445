"""The line that filters the table: it says what is wrong while somebody types, and the last good filter stays."""

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLineEdit, QWidget

from ssgui.engine.stages import Reason, Stage
from ssgui.gui import icons, theme, words
from ssgui.gui.frame.hints import plain_hint
from ssgui.gui.frame.painting import draw_text
from ssgui.gui.reasons import reason
from ssgui.gui.texts import tr
from ssgui.services.connections.filtering import NO_FILTER, WAITING, Filter, FilterError, State, compile_filter

_LEAST_ROOM = 96  # pixels for the sentence; with less it is in the tooltip only
_BESIDE = 36  # right of the sentence: what clears the field


class FilterField(QLineEdit):
    """`filtered` carries a new filter; `left` says that a person has done typing."""

    filtered = Signal(Filter)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = state_words()
        self.error: FilterError | None = None
        self._sentence = ""
        self.setPlaceholderText(tr("Filter: host, stage:connecting, reason:, -direct, >1MB, age>30s"))
        self.setAccessibleName(tr("Filter"))
        self.setClearButtonEnabled(True)
        self.addAction(icons.icon("filter", "text3"), QLineEdit.ActionPosition.LeadingPosition)
        self.textChanged.connect(self._typed)
        self.returnPressed.connect(self.left)

    def _typed(self, text: str) -> None:
        try:
            found = compile_filter(text, self._words) if text.strip() else NO_FILTER
        except FilterError as error:
            self.refuse(error)
            return
        self._say(None)
        self.filtered.emit(found)

    def refuse(self, error: FilterError) -> None:
        """Say what is wrong with what stands here."""
        self._say(error)

    def _say(self, error: FilterError | None) -> None:
        self.error = error
        self._sentence = reason(str(error)) if error is not None else ""
        wrong = "true" if error is not None else "false"
        if self.property("wrong") != wrong:
            self.setProperty("wrong", wrong)
            self.style().unpolish(self)
            self.style().polish(self)
        self.setToolTip(plain_hint(self._sentence))
        self.setAccessibleDescription(self._sentence)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.text():
            self.clear()
        else:
            self.left.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.error is None:
            return
        tokens, metrics = theme.current(), QFontMetricsF(self.font())
        # Where the text begins: the field may be scrolled.
        left = self.cursorRect().center().x() - metrics.horizontalAdvance(self.text()[: self.cursorPosition()])
        start = left + metrics.horizontalAdvance(self.text()[: self.error.start])
        end = left + metrics.horizontalAdvance(self.text()[: self.error.end])
        with QPainter(self) as painter:
            low = self.height() - 6.5
            painter.setPen(QPen(theme.color(tokens.err), 1.5))
            painter.drawLine(QPointF(max(0.0, start), low), QPointF(min(end, self.width() - _BESIDE), low))
            free = left + metrics.horizontalAdvance(self.text()) + 20
            place = QRectF(free, 0, self.width() - _BESIDE - free, self.height())
            if place.width() >= _LEAST_ROOM:
                right = Qt.AlignmentFlag.AlignRight
                draw_text(painter, place, self._sentence, tokens.err, theme.font(12), right)


def state_words() -> dict[str, State]:
    """What the first column may say, and what it means."""
    stages: dict[str, State] = {words.stage_word(stage): stage for stage in Stage if stage is not Stage.DESTROYED}
    reasons: dict[str, State] = {words.reason_word(one): one for one in Reason}
    return stages | {words.stage_word(Stage.STREAM, waiting=True): WAITING} | reasons

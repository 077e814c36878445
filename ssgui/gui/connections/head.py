"""The head of the connections' table: columns that a person hides, moves and resizes, and that always fill the table.

One column takes the room that the others leave: the waterfall, or the target while that is hidden. What a person did
is kept apart from how the columns come at first, so that a narrow window can hide some for a while.
"""

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QActionGroup, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QHeaderView, QMenu, QTableView

from ssgui.engine.stages import Reason, Stage
from ssgui.gui import theme, words
from ssgui.gui.connections.column_state import ColumnState
from ssgui.gui.connections.columns import ALWAYS, SHAPES, Column, names
from ssgui.gui.connections.time_head import draw_labels
from ssgui.gui.connections.timescale import Tick, TimeScale
from ssgui.gui.frame.menus import rounded
from ssgui.gui.texts import tr

HEAD_HEIGHT = 29
LEAST = {Column.WATERFALL: 180, Column.TARGET: 160}  # pixels that these keep
# In a window that is hardly wide enough: who gives way, one after the other, and how far.
_GIVING = (
    (Column.TARGET, 160), (Column.RULE, 72), (Column.PROGRAM, 64), (Column.STAGE, 124), (Column.AGE, 60),
    (Column.UP_FLAGS, 46), (Column.DOWN_FLAGS, 46), (Column.TARGET, 112),
)  # fmt: skip
_WIDEST_STAGE = 160
_BESIDE_STAGE = 46  # its mark, and air
_NARROWEST = 40


class Head(QHeaderView):
    """`asked` tells that a person wants the rows in the order of a column, `zero_asked` how bars begin."""

    asked = Signal(int)
    zero_asked = Signal(bool)

    def __init__(self, table: QTableView) -> None:
        super().__init__(Qt.Orientation.Horizontal, table)
        self.state_of_columns = ColumnState()
        self.narrow = False
        self._fitting, self._stage_width = False, 0
        self._names = names()
        self._scale, self._now, self._labels = TimeScale(0.0, 1.0), 0.0, list[Tick]()
        self.setFixedHeight(HEAD_HEIGHT)
        self.setFont(theme.font(12, theme.MEDIUM))
        self.setHighlightSections(False)
        self.setSectionsClickable(True)
        self.setSectionsMovable(True)
        self.setMinimumSectionSize(_NARROWEST)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu_at)
        self.sectionClicked.connect(self.asked)

    def begin(self) -> None:
        """The model is there: put the columns where they belong."""
        self._stage_width = _stage_width()
        self.sectionResized.connect(self._resized)
        self.sectionMoved.connect(self._moved)
        self.apply()

    # ---- what a person did

    def restore(self, state: ColumnState) -> None:
        """Put the columns as they were."""
        self.state_of_columns = state
        self._arrange(state.order or list(Column))
        self.apply()

    def forget(self) -> None:
        """As they come at first."""
        self.restore(ColumnState(sort=self.state_of_columns.sort, from_zero=self.from_zero))

    def show_column(self, column: Column, on: bool) -> None:
        """Show or hide one, whatever the window's width."""
        self.state_of_columns.shown[column] = on
        self.apply()

    def is_shown(self, column: Column) -> bool:
        """Whether a column is to be seen now."""
        if column in ALWAYS:
            return True
        shape = SHAPES[column]
        return self.state_of_columns.shown.get(column, shape.narrow if self.narrow else shape.wide)

    def _arrange(self, order: Iterable[Column]) -> None:
        self._fitting = True
        for at, column in enumerate(order):
            self.moveSection(self.visualIndex(column), at)
        self._fitting = False

    def _moved(self, *_: int) -> None:
        if not self._fitting:
            order = [Column(self.logicalIndex(at)) for at in range(self.count())]
            self.state_of_columns.order = order if order != list(Column) else []

    def _resized(self, column: int, _old: int, width: int) -> None:
        if not self._fitting and width:
            self.state_of_columns.widths[Column(column)] = width
            self.fit()

    # ---- room

    def viewportEvent(self, event: QEvent) -> bool:
        done = super().viewportEvent(event)
        if event.type() is QEvent.Type.Resize and self.count():
            self.fit()  # the table's own size does not tell when its scroll bar comes and goes
        return done

    def set_narrow(self, narrow: bool) -> None:
        """Whether the window has little room."""
        if narrow != self.narrow:
            self.narrow = narrow
            self.apply()

    def apply(self) -> None:
        """Show what is to be shown, as wide as it is to be."""
        self._fitting = True
        for column in Column:
            self.setSectionHidden(column, not self.is_shown(column))
        self._fitting = False
        self.fit()

    def fit(self) -> None:
        """Share the room out."""
        widths = {column: self._width(column) for column in Column if self.is_shown(column)}
        room = self.viewport().width()
        rest = Column.WATERFALL if Column.WATERFALL in widths else Column.TARGET
        if rest is Column.WATERFALL:
            self._give_way(widths, sum(widths.values()) - widths[rest] + LEAST[rest] - room)
        others = sum(width for column, width in widths.items() if column is not rest)
        widths[rest] = max(LEAST[rest], room - others)
        self._fitting = True
        for column, width in widths.items():
            fixed = QHeaderView.ResizeMode.Fixed if column is rest else QHeaderView.ResizeMode.Interactive
            if self.sectionResizeMode(column) != fixed:
                self.setSectionResizeMode(column, fixed)
            if self.sectionSize(column) != width:
                self.resizeSection(column, width)
        self._fitting = False

    def _give_way(self, widths: dict[Column, int], missing: int) -> None:
        """Find so many pixels in columns that nobody has made as wide as they are."""
        for column, least in _GIVING:
            if missing > 0 and column in widths and column not in self.state_of_columns.widths:
                given = min(missing, max(0, widths[column] - least))
                widths[column] -= given
                missing -= given

    def _width(self, column: Column) -> int:
        first = self._stage_width if column is Column.STAGE else SHAPES[column].width
        wanted = self.state_of_columns.widths.get(column, first)
        return max(wanted, LEAST[column]) if column is Column.TARGET else wanted

    # ---- the times of the waterfall

    @property
    def from_zero(self) -> bool:
        """Whether every bar begins at the left, instead of at its time."""
        return self.state_of_columns.from_zero

    def begin_at_zero(self, on: bool) -> None:
        """Have bars begin at the left, or at their time."""
        self.state_of_columns.from_zero = on
        self.zero_asked.emit(on)

    def show_scale(self, scale: TimeScale, now: float) -> None:
        """Label this scale; while it slides its labels stay."""
        self._scale, self._now = scale, now
        labels = scale.ticks(now, self.sectionSize(Column.WATERFALL))
        if labels != self._labels:
            self._labels = labels
            self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.isSectionHidden(Column.WATERFALL):
            return
        left, width = self.sectionViewportPosition(Column.WATERFALL), self.sectionSize(Column.WATERFALL)
        with QPainter(self.viewport()) as painter:
            draw_labels(painter, QRectF(left, 0, width, self.height() - 1), self._scale, self._now)

    # ---- menus

    def columns_menu(self, menu: QMenu) -> QMenu:
        """Fill a menu with what can be shown."""
        for column in sorted(Column, key=self.visualIndex):
            action = menu.addAction(self._names[column])
            action.setCheckable(True)
            action.setChecked(self.is_shown(column))
            action.setEnabled(column not in ALWAYS)
            action.toggled.connect(lambda on, column=column: self.show_column(column, on))
        menu.addSeparator()
        starts = QActionGroup(menu)
        for text, on in ((tr("Bars by the clock"), False), (tr("Bars from zero"), True)):
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(on is self.from_zero)
            starts.addAction(action)
            action.triggered.connect(lambda _=False, on=on: self.begin_at_zero(on))
        menu.addSeparator()
        menu.addAction(tr("Reset columns")).triggered.connect(self.forget)
        return menu

    def _menu_at(self, at: QPoint) -> None:
        menu = self.columns_menu(rounded(QMenu(self)))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.viewport().mapToGlobal(at))


def _stage_width() -> int:
    """The widest word that the first column may show, within reason."""
    metrics = QFontMetricsF(theme.font(13, theme.MEDIUM))
    shown = [words.stage_word(stage) for stage in Stage] + [words.reason_word(reason) for reason in Reason]
    widest = max(metrics.horizontalAdvance(word) for word in shown)
    return max(SHAPES[Column.STAGE].width, min(_WIDEST_STAGE, round(widest) + _BESIDE_STAGE))

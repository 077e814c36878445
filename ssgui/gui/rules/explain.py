"""The box that explains: a URL in, where it goes and why out."""

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from ssgui.config.app_config import Mode
from ssgui.gui import icons, theme
from ssgui.gui.frame.painting import edged
from ssgui.gui.frame.spans import Span, SpanLine, filled
from ssgui.gui.rules.wording import also, because, route_words
from ssgui.gui.texts import tr
from ssgui.rules.acl import Route
from ssgui.rules.address_forms import stays_here
from ssgui.rules.matcher import Explanation
from ssgui.rules.model import Found
from ssgui.services.rules.current import RulesService
from ssgui.services.rules.lists import USER

_LIVE_MS = 300


class ExplainBox(QWidget):
    """`always` asks for a rule for a host, `go_to` for a line of the person's own.

    `mode` is the one that holds, None while everything goes directly for a while.
    """

    always = Signal(str, Route)
    go_to = Signal(int)

    def __init__(self, rules: RulesService, mode: Callable[[], Mode | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rules, self._mode = rules, mode
        self._shown: Explanation | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LIVE_MS)
        self._timer.timeout.connect(self.explain)
        self.edit = QLineEdit(self)
        self.edit.setPlaceholderText(tr("Where does an address go? https://…"))
        self.edit.setAccessibleName(tr("Address to explain"))
        self.edit.setClearButtonEnabled(True)
        self.edit.addAction(icons.icon("globe", "text3"), QLineEdit.ActionPosition.LeadingPosition)
        self.button = QPushButton(tr("Explain"), self)
        self.button.setProperty("kind", "primary")
        self.card = _Card(self)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.edit, 1)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(row)
        column.addWidget(self.card)
        self.card.hide()
        self.edit.textChanged.connect(lambda _text: self._timer.start())
        self.edit.returnPressed.connect(self.explain)
        self.button.clicked.connect(self.explain)
        self.card.turn.clicked.connect(self._turn)
        self.card.rule.clicked.connect(self._go)

    def ask(self, url: str) -> None:
        """Explain `url`."""
        self.edit.setText(url)
        self.explain()
        self.edit.setFocus()
        self.edit.selectAll()

    def explain(self) -> None:
        """What the rules say now."""
        self._timer.stop()
        text = self.edit.text().strip()
        self._shown = None
        self.card.setVisible(bool(text))
        if not text:
            return
        try:
            self._shown = self._rules.explain(text)
        except ValueError:
            self.card.say_wrong(tr("This is no address. Type one like https://example.com/page."))
        else:
            self.card.show_explanation(self._shown, self._mode())

    def refresh(self) -> None:
        """The rules may have changed."""
        if self._shown is not None:
            self.explain()

    def _turn(self) -> None:
        if self._shown is not None:
            found = told_first(self._shown, self._mode())
            other = Route.PROXY if found.route is Route.DIRECT else Route.DIRECT
            self.always.emit(_host(self._shown), other)

    def _go(self) -> None:
        if self._shown is not None:
            self.go_to.emit(told_first(self._shown, self._mode()).line)


class _Card(QWidget):
    """The answer."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._glyph, self._text, self._line = QLabel(self), SpanLine(self), _Hairline(self)
        self._also, self._note = SpanLine(self), SpanLine(self)
        self.turn, self.rule = QPushButton(self), QPushButton(tr("Go to rule"), self)
        first = QHBoxLayout()
        first.setSpacing(10)
        first.addWidget(self._glyph)
        first.addWidget(self._text, 1)
        first.addWidget(self.turn)
        first.addWidget(self.rule)
        second = QHBoxLayout()
        second.setSpacing(16)
        second.addWidget(self._also, 3)
        second.addWidget(self._note, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 10, 12, 10)
        column.setSpacing(8)
        column.addLayout(first)
        column.addWidget(self._line)
        column.addLayout(second)

    def show_explanation(self, found: Explanation, mode: Mode | None) -> None:
        first = told_first(found, mode)
        direct = first.route is Route.DIRECT
        self._picture("chevron-right" if direct else "plane", "text2" if direct else "accent_text")
        head = Span(route_words(first.route) + "  ", "text", pixels=15, weight=theme.SEMIBOLD)
        self._text.show_spans([head, *because(first)])
        self.turn.setText(tr("Always proxy") if direct else tr("Always direct"))
        self.turn.setVisible(not stays_here(_host(found)))
        self.rule.setVisible(first.list == USER)
        self._also.show_spans(also(found.also, found.more) if found.also else [])
        self._note.show_spans(_note(found, mode))
        self._line.show()

    def say_wrong(self, text: str) -> None:
        self._picture("error", "err")
        self._text.show_spans([Span(text, "err")])
        for widget in (self.turn, self.rule, self._line):
            widget.hide()
        self._also.show_spans([])
        self._note.show_spans([])

    def _picture(self, icon: str, token: str) -> None:
        self._glyph.setPixmap(icons.icon(icon, token).pixmap(QSize(18, 18), self.devicePixelRatioF()))

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            edged(painter, QRectF(self.rect()), tokens.raised, tokens.line, 8)


def told_first(found: Explanation, mode: Mode | None) -> Found:
    """What holds in `mode`: of others than Rules what browsers are told."""
    return found.rules if mode is Mode.RULES else found.pac


def _note(found: Explanation, mode: Mode | None) -> list[Span]:
    """What else there is to know: who gets something else, or that nobody asks now."""
    first, small = told_first(found, mode), Span("", pixels=12)
    for other, text in (
        (found.rules, tr("In Rules mode: {route}")),
        (found.pac, tr("In PAC mode: {route}")),
        (found.by_name, tr("Programs that name only the host: {route}")),
    ):
        if other.route is not first.route:
            words = [one._replace(pixels=12) for one in because(other)]
            spans = filled(text, Span("", "warn", pixels=12), route=route_words(other.route))
            return [*spans, small._replace(text=" "), *words]
    match mode:
        case None:
            return [Span(tr("For now everything goes directly."), "warn", pixels=12)]
        case Mode.OFF:
            return [Span(tr("The mode is Off: nobody asks the rules."), "warn", pixels=12)]
        case Mode.GLOBAL:
            return [Span(tr("The mode is Global: everything goes through the server."), "warn", pixels=12)]
    return [small._replace(text=tr("This is what new connections will do."))]


class _Hairline(QWidget):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedHeight(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.color(theme.current().line))


def _host(found: Explanation) -> str:
    """The host of what was asked."""
    rest = found.url.partition("://")[2]
    if rest.startswith("["):
        return rest[1:].partition("]")[0]
    return rest.partition("/")[0].partition(":")[0]

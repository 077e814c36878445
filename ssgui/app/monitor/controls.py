"""What keys do: they change the view, and ask for what the view cannot do itself."""

from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from ssgui.app.monitor.columns import Chosen
from ssgui.app.monitor.view import BARS, Scope, View
from ssgui.engine.stages import Reason, Stage
from ssgui.services.connections.filtering import NO_FILTER, WAITING, FilterError, State, compile_filter
from ssgui.services.connections.records import Connection
from ssgui.services.wording import reason_word, stage_word

MOST_FILTER = 200  # letters
_MOST_CLOSED = 100_000


class Mode(Enum):
    """What the keys are for."""

    TABLE = auto()
    DETAIL = auto()
    FILTER = auto()
    CONFIRM = auto()
    HELP = auto()


class Quit(NamedTuple):
    """Leave."""


class Close(NamedTuple):
    """End these connections."""

    ids: list[int]


Wish = Quit | Close | None
_WORDS: dict[str, State] = {
    **{stage_word(stage): stage for stage in Stage}, **{reason_word(reason): reason for reason in Reason},
    "Waiting": WAITING,
}  # fmt: skip
_SCOPES = {"1": Scope.ACTIVE, "2": Scope.CLOSED, "3": Scope.ALL}
HELP = (
    ("↑ ↓ PgUp PgDn Home End", "choose a connection (j and k too)"),
    ("Enter", "all about it; Esc goes back"),
    ("x", "close it, after a question"),
    ("X", "close all that are shown and live, after a question"),
    ("/", "filter: words, stage: reason: host: age> rate> >1MB, - for not; Enter keeps it"),
    ("1 2 3, Tab", "active, closed, all"),
    ("s S", "sort by the next column, the one before; r the other way round"),
    ("p, Space", "freeze the picture, not the traffic"),
    ("w", "bars: each its whole life, the last minute, the last ten"),
    ("q, Ctrl-C", "leave"),
)


class Controls:
    """Keys, one after the other. `chosen` says which columns are on the screen."""

    def __init__(self, view: View, chosen: Callable[[], Chosen]) -> None:
        self.view, self._chosen = view, chosen
        self.mode = Mode.TABLE
        self.text = ""  # of a filter that is being typed
        self.fault = ""  # of it
        self.question = ""
        self._scroll = 0  # of what is said about one
        self._before = NO_FILTER
        self._to_close: list[int] = []
        self._back = Mode.TABLE

    @property
    def over_detail(self) -> bool:
        """Whether what is asked is asked about all about one."""
        return self._back is Mode.DETAIL

    def scrolled(self, most: int) -> int:
        """How many lines of what is said about one have gone above the screen; `most` is what there is to see below."""
        self._scroll = max(0, min(self._scroll, most))
        return self._scroll

    def press(self, key: str) -> Wish:
        """What pressing `key` asks for."""
        if key == "ctrl-c":  # where it is no signal
            return Quit()
        match self.mode:
            case Mode.FILTER:
                self._edit(key)
                return None
            case Mode.CONFIRM:
                return self._confirm(key)
            case Mode.HELP:
                self.mode = Mode.TABLE
                return None
        return self._table(key)

    # ---- the table, and all about one

    def _table(self, key: str) -> Wish:
        view = self.view
        match key:
            case "q":
                return Quit()
            case "esc" | "backspace" | "left" if self.mode is Mode.DETAIL:
                self.mode = Mode.TABLE
            case "esc":
                view.selected = None
            case "enter" | "right":
                if view.chosen() is None:
                    view.move(0)
                self._scroll = 0
                self.mode = Mode.DETAIL if view.chosen() is not None else Mode.TABLE
            case "x" | "delete":
                self._ask_to_close(view.chosen())
            case "p" | " ":
                view.pause()
            case "pgup" | "pgdn" if self.mode is Mode.DETAIL:
                self._scroll += _page(view) // 2 * (1 if key == "pgdn" else -1)
            case _ if key in _MOVES:
                self._scroll = 0
                view.move(_MOVES[key](view))
            case _ if self.mode is Mode.TABLE:
                self._arrange(key)
        return None

    def _arrange(self, key: str) -> None:
        view = self.view
        match key:
            case "/":
                self.mode, self.text, self.fault, self._before = Mode.FILTER, view.filter.text, "", view.filter
            case "?" | "h":
                self.mode = Mode.HELP
            case "X":
                self._ask_to_close_shown()
            case "s" | "S":
                view.sort(self._chosen(), 1 if key == "s" else -1)
            case "r":
                view.reverse()
            case "w":
                view.bar = (view.bar + 1) % len(BARS)
            case "tab":
                scopes = list(Scope)
                view.set_scope(scopes[(scopes.index(view.scope) + 1) % len(scopes)])
            case _ if key in _SCOPES:
                view.set_scope(_SCOPES[key])

    # ---- closing

    def _ask_to_close(self, one: Connection | None) -> None:
        if one is not None and one.live:
            self._ask([one.id], f"Close the connection to {one.target or 'no target yet'}?")

    def _ask_to_close_shown(self) -> None:
        live = [one.id for one in self.view.rows if one.live][:_MOST_CLOSED]
        if live:
            which = "all of these" if self.view.filter.text else "every connection"
            self._ask(live, f"Close {which}, {len(live)} in number?")

    def _ask(self, ids: list[int], question: str) -> None:
        self._to_close, self.question, self._back = ids, question, self.mode
        self.mode = Mode.CONFIRM

    def _confirm(self, key: str) -> Wish:
        """Only a plain yes is one."""
        ids, self._to_close = self._to_close, []
        self.mode = self._back
        return Close(ids) if key in ("y", "Y") else None

    # ---- the filter

    def _edit(self, key: str) -> None:
        match key:
            case "enter":
                self.mode = Mode.TABLE
                return
            case "esc":
                self.view.set_filter(self._before)
                self.mode, self.fault = Mode.TABLE, ""
                return
            case "backspace":
                self.text = self.text[:-1]
            case "ctrl-u":
                self.text = ""
            case "ctrl-w":
                self.text = self.text.rstrip().rpartition(" ")[0]
            case _ if len(key) == 1 and len(self.text) < MOST_FILTER:
                self.text += key
            case _:
                return
        try:
            self.view.set_filter(compile_filter(self.text, _WORDS))
            self.fault = ""
        except FilterError as error:  # the last good one stays
            self.fault = str(error)


def _page(view: View) -> int:
    return max(1, view.height - 1)


_MOVES: dict[str, Callable[[View], int]] = {
    "up": lambda view: -1, "k": lambda view: -1, "down": lambda view: 1, "j": lambda view: 1,
    "pgup": lambda view: -_page(view), "pgdn": _page,
    "home": lambda view: -len(view.rows), "g": lambda view: -len(view.rows),
    "end": lambda view: len(view.rows), "G": lambda view: len(view.rows),
}  # fmt: skip

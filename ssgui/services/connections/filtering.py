"""Which connections somebody wants to see: a line of text made into a question that is quick to answer.

    youtube             this text in host, program, rule, route, server or client, or in the word of its state
    "two words"         with blanks in it
    host:youtube        there; also program: server: rule: user: client: inbound: route:, of the last two the beginning
    stage:connecting    the original's name or people's word, or how one begins; reason: likewise, and reason:failed
    port:443 pid:1200   a number, or 8000-9000; several values with commas, as for every field
    >1MB <10kB          payload both ways; also up> down> rate> age>30s wait>2s
    /^www\\d/            a regular expression, in host, program, rule or server; host:/…/ in that field
    -direct             not that; every term can have a minus

All terms must hold. `Filter.select` sees thousands of rows several times a second, so terms become closures, and what
is asked about strings that come again and again is remembered.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from time import thread_time

from ssgui.engine.stages import Reason, Stage
from ssgui.protocol.address import split_host_port
from ssgui.rules.url_regex import RegexError, portable
from ssgui.services.connections.filter_tokens import FilterError, Kind, Term, terms
from ssgui.services.connections.records import Connection, is_waiting

__all__ = ["FAILURES", "NO_FILTER", "WAITING", "Filter", "FilterError", "State", "compile_filter"]

WAITING = "waiting"
State = Stage | Reason | str
"""What a word of the first column stands for: a stage, a reason, or WAITING (STREAM before the first byte back)."""

# Ends that a program, a person or an ordinary limit brought about are none.
FAILURES = tuple(
    one for one in Reason
    if one not in (Reason.FINISHED, Reason.CLIENT_RESET, Reason.IDLE_TIMEOUT, Reason.CLOSED_BY_USER, Reason.SHUTDOWN)
)  # fmt: skip
MOST_SECONDS = 0.05  # of one look, for regular expressions
_LONGEST, _WAYS = 128, 23  # letters of a text that an expression sees, and the logarithm of how it may go through them
_MOST_KEPT = 20_000
_STREAM = Stage.STREAM
Test = Callable[[Connection, float], bool]

_NAMES: tuple[tuple[str, State], ...] = (
    *((stage.name, stage) for stage in Stage), ("udp", Stage.UDP_ASSOC), ("greeting", Stage.INIT),
    ("request", Stage.ADDR), ("handshake", Stage.INIT), ("handshake", Stage.ADDR), ("resolving", Stage.DNS),
    ("streaming", Stage.STREAM), (WAITING, WAITING), ("closed", Stage.DESTROYED), *((str(one), one) for one in Reason),
    *((word, one) for one in FAILURES for word in ("error", "failed")),
)  # fmt: skip
_TEXTS: dict[str, Callable[[Connection], str]] = {
    "host": lambda one: split_host_port(one.target)[0],
    "program": lambda one: one.program,
    "server": lambda one: one.server,
    "rule": lambda one: one.rule,
    "user": lambda one: one.user,
    "client": lambda one: one.client,
}
_BEGINNINGS: dict[str, Callable[[Connection], str]] = {
    "route": lambda one: one.route,
    "inbound": lambda one: one.inbound,
}
_MEASURES: dict[str, Callable[[Connection, float], float | None]] = {
    "": lambda one, _: one.up + one.down,
    "up": lambda one, _: one.up,
    "down": lambda one, _: one.down,
    "rate": lambda one, _: one.up_rate + one.down_rate,
    "age": Connection.age,
    "wait": Connection.wait,
}
_FIELDS = frozenset({*_TEXTS, *_BEGINNINGS, "stage", "reason", "port", "pid"})
_ROUTES = ("proxy", "direct", "reject")
_DURATIONS = {"ms": 0.001, "": 1.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES = {"": 1.0, "b": 1.0} | {
    f"{letter}{tail}": float(step ** (at + 1))
    for at, letter in enumerate("kmgt")
    for tail, step in (("", 1000), ("b", 1000), ("ib", 1024))
}
_AMOUNT = re.compile(r"(\d{1,15}(?:\.\d{0,9})?)([a-z]*)(?:/s)?")


class Filter:
    """A compiled filter."""

    def __init__(self, text: str, tests: list[Test], clocks: list["_Clock"]) -> None:
        self.text = text
        self._tests, self._clocks = tests, clocks

    @property
    def empty(self) -> bool:
        """Whether everything passes."""
        return not self._tests

    def select(self, rows: Iterable[Connection], now: float) -> list[Connection]:
        """Those of `rows` that it wants. FilterError if its regular expressions take too long."""
        for clock in self._clocks:
            clock.spent = 0.0
        found = list(rows)
        for test in self._tests:
            found = [one for one in found if test(one, now)]
        return found


NO_FILTER = Filter("", [], [])


def compile_filter(text: str, words: Mapping[str, State] | None = None) -> Filter:
    """The filter that `text` means; FilterError says what is wrong and where.

    `words` are the words that the first column shows, in the language of who types; English ones always work.
    """
    maker = _Maker({word.casefold(): state for word, state in (words or {}).items()})
    return Filter(text, maker.tests(terms(text, _FIELDS, frozenset(_MEASURES))), maker.clocks)


class _Clock:
    """How long the expressions of one look have taken."""

    def __init__(self, term: Term) -> None:
        self.spent, self._term = 0.0, term

    def add(self, seconds: float) -> None:
        self.spent += seconds
        if self.spent > MOST_SECONDS:
            raise FilterError("this expression takes too long", self._term.start, self._term.end)


class _Maker:
    """Makes the tests of one filter."""

    def __init__(self, words: Mapping[str, State]) -> None:
        self._words = words
        self.clocks: list[_Clock] = []

    def tests(self, found: list[Term]) -> list[Test]:
        """One for each term; words that may be anywhere share one."""
        tests = [self._test(term) for term in found if term.name or term.kind is not Kind.TEXT]
        words = [term for term in found if not term.name and term.kind is Kind.TEXT]
        return tests + ([self._anywhere(words)] if words else [])

    def _test(self, term: Term) -> Test:
        found = self._positive(term)
        if not term.negative:
            return found
        return lambda one, now: not found(one, now)

    def _positive(self, term: Term) -> Test:
        if term.kind is Kind.COMPARED:
            return _compared(term)
        if term.kind is Kind.REGEX:
            return self._regex(term)
        values = [value for value in term.value.casefold().split(",") if value]
        tests = [self._field(term, value) for value in values]
        if len(tests) == 1:
            return tests[0]
        return lambda one, now: any(test(one, now) for test in tests)

    def _field(self, term: Term, value: str) -> Test:
        match term.name:
            case "stage":
                return _in_states(self._states(term, value, reasons=False))
            case "reason":
                return _in_states(self._states(term, value, reasons=True))
            case "port" | "pid":
                return _numbered(term, value)
            case "route" if not any(route.startswith(value) for route in _ROUTES):
                raise _wrong(term, f"there is no route {_said(value)}: write proxy, direct or reject")
            case "route" | "inbound":
                beginning = _BEGINNINGS[term.name]
                return lambda one, _: beginning(one).startswith(value)
        field = _TEXTS[term.name]
        return lambda one, _: value in field(one).casefold()

    def _states(self, term: Term, value: str, *, reasons: bool) -> set[State]:
        """All whose name, or a part of it, begins with `value`."""
        names = (*self._words.items(), *_NAMES)
        found = {one for name, one in names if isinstance(one, Reason) is reasons and _begins(name, value)}
        if not found:
            raise _wrong(term, f"there is no {term.name} {_said(value)}")
        return found | ({WAITING} if Stage.STREAM in found and _begins("stream", value) else set())

    def _anywhere(self, found: list[Term]) -> Test:
        asked = [(term.value.casefold(), not term.negative, self._shown_as(term.value)) for term in found]
        numeric = all(word.isdecimal() for word, _, _ in asked)  # a client's own port is nobody's business
        text_of = _texts_of(with_client=not numeric)

        def test(one: Connection, now: float) -> bool:
            text = text_of(one)
            for word, wanted, in_states in asked:
                if (word in text or (in_states is not None and in_states(one, now))) is not wanted:
                    return False
            return True

        return test

    def _shown_as(self, value: str) -> Test | None:
        """Whether a connection is in a state whose word contains `value`; None if none does."""
        states = {state for name, state in self._words.items() if value.casefold() in name}
        return _in_states(states) if states else None

    def _regex(self, term: Term) -> Test:
        try:
            pattern = re.compile(portable(term.value, _LONGEST, _WAYS), re.IGNORECASE | re.ASCII)
        except RegexError as error:
            raise _wrong(term, str(error)) from None
        if term.name and term.name not in _TEXTS:
            raise _wrong(term, f"{term.name} is looked for without a regular expression")
        clock = _Clock(term)
        self.clocks.append(clock)
        known: dict[str, bool] = {}

        def found(text: str) -> bool:
            hit = known.get(text)
            if hit is None:
                begun = thread_time()
                hit = known[text] = pattern.search(text[:_LONGEST]) is not None
                clock.add(thread_time() - begun)
                if len(known) > _MOST_KEPT:
                    known.clear()
            return hit

        if term.name:
            field = _TEXTS[term.name]
            return lambda one, _: found(field(one))
        host = _TEXTS["host"]
        return lambda one, _: found(host(one)) or found(one.program) or found(one.rule) or found(one.server)


def _texts_of(*, with_client: bool) -> Callable[[Connection], str]:
    """All that a word may be in. It is the same in most looks, and to look whether it is takes a third of the time."""
    known: dict[int, tuple[str, str, str, str, str, str]] = {}

    def text_of(one: Connection) -> str:
        found = known.get(one.id)
        if found is not None:
            target, program, rule, route, server, text = found
            if (
                target is one.target and program is one.program and rule is one.rule and route is one.route
                and server is one.server
            ):  # fmt: skip
                return text
        elif len(known) > _MOST_KEPT:
            known.clear()
        client = one.client if with_client else ""
        text = f"{one.target}\n{one.program}\n{one.rule}\n{one.route}\n{one.server}\n{client}".casefold()
        known[one.id] = one.target, one.program, one.rule, one.route, one.server, text
        return text

    return text_of


def _in_states(states: set[State]) -> Test:
    streaming, waiting = Stage.STREAM in states, WAITING in states
    reasons = tuple(one for one in states if isinstance(one, Reason))
    stages = tuple(one for one in states if isinstance(one, Stage))

    def test(one: Connection, _: float) -> bool:
        stage = one.stage
        if stage is _STREAM:
            return waiting if is_waiting(one) else streaming
        return stage in stages or (one.reason is not None and one.reason in reasons)

    return test


def _begins(name: str, value: str) -> bool:
    """Whether `name` ("connect-timeout", "timed out", "UDP_ASSOC"), or one of its words, begins with `value`."""
    name, value = (text.casefold().replace("_", "-").replace(" ", "-") for text in (name, value))
    return name.startswith(value) or f"-{value}" in name


def _numbered(term: Term, value: str) -> Test:
    low, dash, high = value.partition("-")
    if not low.isdecimal() or (dash and not high.isdecimal()) or max(len(low), len(high)) > 9:
        raise _wrong(term, f"{_said(value)} is no number" if term.name == "pid" else f"{_said(value)} is no port")
    least, most = int(low), int(high or low)
    if term.name == "pid":
        return lambda one, _: least <= one.pid <= most

    def test(one: Connection, _: float) -> bool:
        return least <= split_host_port(one.target)[1] <= most

    return test


def _compared(term: Term) -> Test:
    measure, timed = _MEASURES[term.name], term.name in ("age", "wait")
    found = _AMOUNT.fullmatch(term.value.casefold())
    units = _DURATIONS if timed else _SIZES
    if found is None or found[2] not in units:
        kind = "no duration: write 30s or 5min" if timed else "no size: write 500kB or 1MB"
        raise _wrong(term, f"{_said(term.value)} is {kind}")
    limit = float(found[1]) * units[found[2]]

    def more(one: Connection, now: float) -> bool:
        value = measure(one, now)
        return value is not None and value > limit

    def least(one: Connection, now: float) -> bool:
        value = measure(one, now)
        return value is not None and value >= limit

    def less(one: Connection, now: float) -> bool:
        value = measure(one, now)
        return value is not None and value < limit

    def most(one: Connection, now: float) -> bool:
        value = measure(one, now)
        return value is not None and value <= limit

    return {">": more, ">=": least, "<": less, "<=": most}[term.sign]


def _said(value: str) -> str:
    return value if len(value) <= 24 else f"{value[:23]}…"


def _wrong(term: Term, message: str) -> FilterError:
    return FilterError(message, term.start, term.end)

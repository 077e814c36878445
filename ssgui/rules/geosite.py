"""Lists of the v2fly domain-list community, as text files and as the compiled `dlc.dat`.

    domain:example.com @cn      example.com and its subdomains; "domain:" may be left out
    full:www.example.com        that name alone
    keyword:exam                somewhere in the name
    regexp:^ads?\\.              searched for in the name
    domain:example.com:@cn      the same as with " @cn", as the list is published in one piece
    include:other @cn @-ads     the entries of another list that have the attributes, and not those after "-"
    &other                      the entry belongs to that list too

dlc.dat is a protobuf message: GeoSiteList{1: entry}, entry{1: name, 2: domain}, domain{1: type, 2: value,
3: attribute{1: key}}; types 0 keyword, 1 regex, 2 suffix, 3 full.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from ssgui.rules.acl import MAX_NAME, Problem, Route
from ssgui.rules.autoproxy import few_patterns, rule_name, shown
from ssgui.rules.model import Kind, Rule, RuleList
from ssgui.rules.url_regex import portable

_KINDS: Final = {"domain": Kind.SUFFIX, "full": Kind.HOST, "keyword": Kind.KEYWORD, "regexp": Kind.HOST_REGEX}
_BY_NUMBER: Final = (Kind.KEYWORD, Kind.HOST_REGEX, Kind.SUFFIX, Kind.HOST)
_PREFIXES: Final = {Kind.SUFFIX: "domain", Kind.HOST: "full", Kind.KEYWORD: "keyword", Kind.HOST_REGEX: "regexp"}
_DEEPEST: Final = 16  # lists that include lists
_GROUP: Final = re.compile(rb"[A-Za-z0-9!@._-]{1,100}")  # a text may begin with the same byte: a line feed
_KEYWORD: Final = re.compile(r"[a-z0-9_.-]+")
Read = Callable[[str], str | None]


class GeositeError(ValueError):
    """The bytes are no dlc.dat, or it has no such list."""


class _Entry(NamedTuple):
    rule: Rule
    attributes: frozenset[str]


def geosite_rule(kind: Kind, value: str, line: int = 0, text: str = "") -> Rule:
    """A rule of one entry. ValueError says why it is none."""
    if kind in (Kind.SUFFIX, Kind.HOST):
        pattern = rule_name(value)
    elif kind is Kind.HOST_REGEX:
        pattern = portable(value, MAX_NAME)
    else:
        pattern = value.lower()
        if not _KEYWORD.fullmatch(pattern):
            raise ValueError("not a part of a host name")
    return Rule(kind, pattern, False, line, text or f"{_PREFIXES[kind]}:{value}")


# ---- text


def parse_geosite(text: str, name: str = "", action: Route = Route.PROXY, read: Read | None = None) -> RuleList:
    """Parse one list. `read` gives the text of the lists that it includes, None for one that is not there."""
    reader = _TextReader(read or (lambda _: None))
    entries = reader.entries(text.removeprefix("\ufeff"), (name,))
    rules = few_patterns(dict.fromkeys(entry.rule for entry in entries), reader.problems)
    return RuleList(name, rules, (), tuple(reader.problems), action)


class _TextReader:
    def __init__(self, read: Read) -> None:
        self._read = read
        self.problems: list[Problem] = []

    def entries(self, text: str, path: tuple[str, ...]) -> list[_Entry]:
        """All entries, those of included lists too; `path` are the lists that lead here."""
        found: list[_Entry] = []
        for number, raw in enumerate(text.split("\n"), 1):
            line = raw.partition("#")[0].strip()
            if line:
                try:
                    found += self._line(line, number, path)
                except ValueError as error:
                    where = f"{path[-1]}: " if len(path) > 1 else ""
                    self.problems.append(Problem(number, where + shown(line), str(error)))
        return found

    def _line(self, line: str, number: int, path: tuple[str, ...]) -> list[_Entry]:
        word, *rest = line.split()
        word, published, marks = word.partition(":@")
        if published:
            rest += ["@" + one.removeprefix("@") for one in marks.split(",")]
        kind, colon, value = word.partition(":")
        wanted = [one[1:].lower() for one in rest if one.startswith("@") and len(one) > 1]
        if any(not one.startswith(("@", "&")) for one in rest):
            raise ValueError("an attribute begins with @, an affiliation with &")
        if kind == "include" and colon:
            return self._include(value, wanted, path)
        if colon and kind not in _KINDS:
            raise ValueError(f"{kind!r} is no kind of entry")
        rule = geosite_rule(_KINDS[kind] if colon else Kind.SUFFIX, value if colon else word, number, line)
        return [_Entry(rule, frozenset(wanted))]

    def _include(self, name: str, wanted: list[str], path: tuple[str, ...]) -> list[_Entry]:
        if name in path or len(path) > _DEEPEST:
            raise ValueError("lists include each other")
        text = self._read(name)
        if text is None:
            raise ValueError("this list is not there")
        return [one for one in self.entries(text, (*path, name)) if _has(one.attributes, wanted)]


def _has(attributes: frozenset[str], wanted: list[str]) -> bool:
    return all(one[1:] not in attributes if one.startswith("-") else one in attributes for one in wanted)


# ---- dlc.dat


def is_dlc(data: bytes) -> bool:
    """Whether `data` begins as a dlc.dat does."""
    if data[:1] != b"\x0a":
        return False
    try:
        body = next(_fields(data))[1]
        first = next(_fields(body))
    except (GeositeError, StopIteration, TypeError):
        return False
    return first[0] == 1 and isinstance(first[1], memoryview) and bool(_GROUP.fullmatch(bytes(first[1])))


def dlc_groups(data: bytes) -> dict[str, int]:
    """The lists of a dlc.dat, in lower case, with how many entries each has. GeositeError."""
    return {name: sum(number == 2 for number, _ in _fields(body)) for name, body in _groups(data)}


def parse_dlc(data: bytes, group: str, name: str = "", action: Route = Route.PROXY) -> RuleList:
    """One list of a dlc.dat: "cn", or "google@cn" for what has that attribute. GeositeError."""
    wanted, *attributes = group.lower().split("@")
    for found, body in _groups(data):
        if found == wanted:
            return _list_of(body, name or group, action, attributes)
    raise GeositeError(f"there is no list {wanted!r} in it")


def _groups(data: bytes) -> Iterator[tuple[str, memoryview]]:
    for number, body in _fields(data):
        if number == 1 and isinstance(body, memoryview):
            name = next((value for field, value in _fields(body) if field == 1), b"")
            yield _string(name).lower(), body


def _list_of(body: memoryview, name: str, action: Route, attributes: list[str]) -> RuleList:
    rules, problems = [], []
    entries = [value for number, value in _fields(body) if number == 2]
    for place, entry in enumerate(entries, 1):
        kind, value, has = 0, "", set()
        for number, field in _fields(entry):
            if number == 1 and isinstance(field, int):
                kind = field
            elif number == 2:
                value = _string(field)
            elif number == 3:
                has.add(next((_string(key) for at, key in _fields(field) if at == 1), "").lower())
        if not _has(frozenset(has), attributes):
            continue
        try:
            if kind >= len(_BY_NUMBER):
                raise ValueError(f"{kind} is no kind of entry")
            rules.append(geosite_rule(_BY_NUMBER[kind], value, place))
        except ValueError as error:
            problems.append(Problem(place, shown(value), str(error)))
    kept = few_patterns(rules, problems)
    return RuleList(name, kept, (), tuple(problems), action)


def _string(value: object) -> str:
    if not isinstance(value, (bytes, memoryview)):
        raise GeositeError("a number where there should be text")
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        raise GeositeError("text that is not UTF-8") from None


def _fields(data: object) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a protobuf message: numbers, and views of what has a length."""
    if isinstance(data, int):
        raise GeositeError("a number where there should be a message")
    view = memoryview(data)  # type: ignore[arg-type]
    place, end = 0, len(view)
    while place < end:
        key, place = _varint(view, place)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, place = _varint(view, place)
            yield number, value
        elif wire == 2:
            size, place = _varint(view, place)
            if size > end - place:
                raise GeositeError("it is cut off")
            yield number, view[place : place + size]
            place += size
        else:
            raise GeositeError("it is damaged, or something else")


def _varint(view: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(view) or shift > 63:
            raise GeositeError("it is cut off")
        byte = view[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7

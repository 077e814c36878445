"""AutoProxy lists (gfwlist) and the person's own rules, which are written the same way.

    ||example.com          example.com and its subdomains, any scheme and port
    ||cdn*.example.com     "*" is any run of characters
    ||example.com/path     and the URL goes on so; of https only the host is known, so that is http in effect
    ||example.com:8080     at that port; http in effect too
    |http://x.com/y        the URL begins so; a host alone ends there: never "http://x.com.evil.org"
    y.html|                the URL ends so
    x.com/y                the text is somewhere in an http: URL, and only there (AutoProxy, not Adblock)
    /regex/                searched for in the URL, without regard to case; so is one whose last "/" was forgotten
    a^b                    a separator, or the end, as in Adblock
    @@rule                 an exception
    ! comment, [header]    nothing; "! Title:" and "! Last Modified:" are kept

A list may come in base64. What is not understood, or can never match, becomes one of `problems`.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from ipaddress import IPv6Address
from typing import Final

from ssgui.rules.acl import Problem, Route, normal_name
from ssgui.rules.model import Kind, Rule, RuleList
from ssgui.rules.rule_set import parse_literal
from ssgui.rules.url_regex import RegexError, glob, portable

MAX_LINE: Final = 4096
MAX_PATTERNS: Final = 1000  # in one list: each is tried on every URL, here and in browsers
_SHOWN: Final = 80
_HEADER: Final = re.compile(r"!\s*(title|last modified)\s*:\s*(.+)", re.IGNORECASE)
_NAME: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_WILD_NAME: Final = re.compile(r"[a-z0-9_*.-]*[a-z0-9_-][a-z0-9_*.-]*")
_BEGINNING: Final = re.compile(r"([a-z][a-z0-9+.*-]*):(?:/(?:/([^/?#^|]*)(.*))?)?", re.IGNORECASE)
_SCHEME: Final = re.compile(r"[a-zA-Z*]*://")
_AUTHORITY: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]*)(:\d{1,5})?")
_OPTIONS: Final = re.compile(r"\$~?[a-z][a-z-]*(?:=[^,]*)?(?:,~?[a-z][a-z-]*(?:=[^,]*)?)*$", re.IGNORECASE)
_LIKE_REGEX: Final = re.compile(r"/\^|/.*\\[./]|/.*\)\$?$")
_PATTERNS: Final = frozenset({Kind.URL_REGEX, Kind.HOST_REGEX})
_WHOLE_SCHEMES: Final = frozenset({"http", "ws"})  # of which a PAC knows path and port
_DEFAULT_PORTS: Final = {"http": ":80", "ws": ":80", "https": ":443", "wss": ":443"}
_ONLY_THE_HOST: Final = "it never matches: of an https URL only the host is known to a PAC"
_SEPARATOR: Final = r"(?:[^a-z0-9_.%-]|$)"
_END_OF_HOST: Final = r"(?:[:/?]|$)"
_ANY_SCHEME: Final = r"^[a-z][a-z0-9+.-]*://"
_WITH_PORTS: Final = r"^(?:http|ws)://"


class _RuleError(ValueError):
    """Why a line is not a rule."""


def decoded(text: str) -> str:
    """`text`, or what it says in base64: gfwlist is published so."""
    packed = "".join(text.split())
    if not packed or not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", packed):
        return text
    try:
        found = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text
    # A word or two that somebody typed may be base64 by chance, but do not say a list in it.
    whole = found.removeprefix("\ufeff")
    is_list = "\n" in whole and all(c.isprintable() or c in "\t\r\n" for c in whole)
    return whole if is_list else text


def parse_autoproxy(text: str, name: str = "", action: Route = Route.PROXY) -> RuleList:
    """Parse a list, plain or in base64. Never fails: what is not understood is in `problems`."""
    rules: list[Rule] = []
    problems: list[Problem] = []
    head: dict[str, str] = {}
    for number, raw in enumerate(decoded(text.removeprefix("\ufeff")).split("\n"), 1):
        line = raw.strip()
        if not line or line[0] in "![":
            if found := _HEADER.match(line):
                head.setdefault(found[1].lower(), shown(found[2].strip()))
            continue
        try:
            rules.append(parse_rule(line, number))
        except ValueError as error:
            problems.append(Problem(number, shown(line), str(error)))
    kept = few_patterns(rules, problems)
    return RuleList(name, kept, (), tuple(problems), action, head.get("title", ""), head.get("last modified", ""))


def few_patterns(rules: Iterable[Rule], problems: list[Problem]) -> tuple[Rule, ...]:
    """`rules` without the regular expressions that are too many; a problem says so."""
    rules = tuple(rules)
    patterns = [rule for rule in rules if rule.kind in _PATTERNS]
    if len(patterns) <= MAX_PATTERNS:
        return rules
    first, *_ = surplus = patterns[MAX_PATTERNS:]
    why = f"more than {MAX_PATTERNS:,} regular expressions: {len(surplus):,} are left out from here on"
    problems.append(Problem(first.line, shown(first.text), why))
    left_out = set(surplus)
    return tuple(rule for rule in rules if rule not in left_out)


def parse_rule(line: str, number: int = 0) -> Rule:
    """One rule. ValueError says why it is none."""
    if line.startswith("||") and _NAME.fullmatch(line, 2):  # nearly all
        return Rule(_kind_of_name(line[2:]), line[2:], False, number, line)
    if len(line) > MAX_LINE:
        raise _RuleError(f"longer than {MAX_LINE} characters")
    exception = line.startswith("@@")
    kind, pattern = _read(line[2:].strip() if exception else line)
    return Rule(kind, pattern, exception, number, line)


def _read(body: str) -> tuple[Kind, str]:
    if not body:
        raise _RuleError("an exception from nothing")
    if body.startswith("@@"):
        raise _RuleError("an exception from an exception")
    if body.startswith("/") and ((body.endswith("/") and len(body) > 2) or _LIKE_REGEX.match(body)):
        return _regex(body)
    if "##" in body or "#@#" in body:
        raise _RuleError("it hides parts of pages, which is for ad blockers")
    if found := _OPTIONS.search(body):
        raise _RuleError(f"{found[0]!r} is an option for ad blockers")
    if body.startswith("||"):
        return _domain(body[2:])
    if body.startswith("|"):
        return _beginning(body[1:])
    return _text(body)


def _regex(body: str) -> tuple[Kind, str]:
    try:
        return Kind.URL_REGEX, portable(body[1:-1] if body.endswith("/") and len(body) > 2 else body[1:])
    except RegexError as error:
        raise _RuleError(str(error)) from None


def _domain(body: str) -> tuple[Kind, str]:
    """What stands behind "||"."""
    at = re.search(r"[/^?|]", body)
    host, rest = (body[: at.start()], body[at.start() :]) if at else (body, "")
    host, port = _authority(host)
    if rest in ("", "/", "^", "^|", "/|", "|", "/*", "^*") and not port:
        return _host(host)
    if port == ":443":
        raise _RuleError(f"{_ONLY_THE_HOST}: write ||{shown(host)}")
    if rest.startswith("?"):
        rest = "/" + rest  # as browsers write it
    name = _host_regex(host).removeprefix(r"(?:^|\.)").removesuffix("$")
    place = "" if port == ":80" else re.escape(port) if port else r"(?::\d{1,5})?"
    scheme = _WITH_PORTS if port else _ANY_SCHEME
    return _ours(scheme + r"(?:[^/?#]*\.)?" + name + place + (_translated(rest) or "/"))


def _ours(pattern: str) -> tuple[Kind, str]:
    """A pattern that we made: quick, but it may be long."""
    return Kind.URL_REGEX, portable(pattern, 0)


def _authority(text: str) -> tuple[str, str]:
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        raise _RuleError("not a host name")
    return found[1].strip("[]"), found[2] or ""


def _host(host: str) -> tuple[Kind, str]:
    if "*" in host:
        return Kind.HOST_REGEX, portable(_host_regex(host), 0)
    name = rule_name(host)
    return _kind_of_name(name), name


def _kind_of_name(name: str) -> Kind:
    """An address has no subdomains."""
    return Kind.SUFFIX if name[-1:].isalpha() or parse_literal(name) is None else Kind.HOST


def rule_name(host: str) -> str:
    """`host` of a rule as hosts are compared. ValueError when it is no name and no address."""
    if ":" in host:
        try:
            return str(IPv6Address(host))
        except ValueError:
            raise _RuleError("not a host name") from None
    name = normal_name(host.strip().lstrip("."))
    if not _NAME.fullmatch(name):
        raise _RuleError("not a host name")
    return name


def _host_regex(host: str) -> str:
    """A host name with "*", for a search in host names: from the beginning of a label to the end."""
    if "*" not in host:
        name = rule_name(host)
        return re.escape(f"[{name}]" if ":" in name else name) + "$"
    return r"(?:^|\.)" + _globbed(_wild_name(host), "[^/]") + "$"


def _wild_name(host: str) -> str:
    """A host name with "*" in lower case; labels without one may be in any script."""
    labels = [label if label.isascii() or "*" in label else normal_name(label) for label in host.rstrip(".").split(".")]
    name = ".".join(labels).lower()
    if not name.isascii():
        raise _RuleError("names come in Punycode (xn--...), of which a wildcard cannot be a part")
    if not _WILD_NAME.fullmatch(name):
        raise _RuleError("not a host name")
    return name


def _globbed(text: str, star: str) -> str:
    return glob([re.escape(part) for part in re.split(r"\*+", text)], star)


def _translated(text: str) -> str:
    """The part of a rule behind the host: "*", "^", and "|" at its end."""
    end = text.endswith("|")
    body = text[:-1] if end else text
    pieces = [_SEPARATOR.join(map(re.escape, piece.split("^"))) for piece in re.split(r"\*+", _ascii(body))]
    return glob(pieces, ".") + ("$" if end else "")


def _beginning(body: str) -> tuple[Kind, str]:
    """What stands behind "|": how a URL begins."""
    found = _BEGINNING.fullmatch(body)
    if found is None:
        raise _RuleError("a URL begins with its scheme: write ||example.com, or |http://example.com")
    scheme, authority, rest = found[1].lower(), found[2], found[3] or ""
    if not authority:
        return _ours("^" + _globbed(_ascii(body).lower(), "."))
    host, port = _authority(authority)
    if port == _DEFAULT_PORTS.get(scheme):
        port, rest, body = "", rest or "/", body.replace(port, "", 1)
    if rest.startswith(("?", "|")):
        rest = "/" + rest  # as browsers write it
    if "#" in rest:
        raise _RuleError("it never matches: what is behind # never leaves a browser")
    if (
        "*" not in scheme
        and scheme not in _WHOLE_SCHEMES
        and (port or rest.rstrip("|") not in ("", "/", "/*", "*", "^"))
    ):
        raise _RuleError(_ONLY_THE_HOST)
    if "*" not in body and "^" not in body and not body.endswith("|"):
        name = rule_name(host)
        shape = f"[{name}]" if ":" in name else name
        return Kind.PREFIX, f"{scheme}://{shape}{port}{_ascii(rest).lower()}"
    name = _globbed(_wild_name(host), "[^/]") if "*" in host else re.escape(rule_name(host))
    ending = _translated(rest) if rest else _END_OF_HOST
    between = re.escape(port) if port else (r"(?::\d{1,5})?" if rest else "")
    return _ours("^" + _globbed(scheme, "[a-z]") + "://" + name + between + ending)


def _text(body: str) -> tuple[Kind, str]:
    """Text that stands somewhere in an http: URL, or at its end."""
    if body.lower().startswith(("https://", "wss://")):
        raise _RuleError("it never matches: text is looked for in http: URLs only; write ||example.com")
    if body.endswith("|") or "^" in body:
        return _ours(r"^(?=http://).*" + _translated(body))
    pattern = re.sub(r"\*+", "*", _ascii(body).lower()).strip("*")
    if not pattern:
        raise _RuleError("it would match everything")
    return Kind.TEXT, pattern


def _ascii(text: str) -> str:
    """As browsers write URLs: other characters as %XX of their UTF-8; in a name, as Punycode."""
    if text.isascii():
        if not text.isprintable() or " " in text:
            raise _RuleError("a URL has no spaces and no control characters")
        return text
    if not text.isprintable() or " " in text:
        raise _RuleError("a URL has no spaces and no control characters")
    scheme = text.find("://") + 3 if _SCHEME.match(text) else 0
    end = re.search(r"[/?#]|$", text[scheme:]).start() + scheme  # type: ignore[union-attr]  # "$" is always found
    lead, host, rest = text[:scheme], text[scheme:end], text[end:]
    if "." in host or rest.startswith("/"):
        labels = host.split(".")  # one by one, for a rule may begin or end with a dot
        host = ".".join(normal_name(label) if not label.isascii() else label.lower() for label in labels)
        if not host.isascii():
            raise _RuleError("not a host name")
    return lead + _percent(host + rest)


def _percent(text: str) -> str:
    return "".join(c if c.isascii() else "".join(f"%{b:02x}" for b in c.encode("utf-8", "replace")) for c in text)


def shown(text: str) -> str:
    """A line of a list, short and safe to print."""
    cut = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)

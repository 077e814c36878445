"""AutoProxy lists (gfwlist) and the person's own rules, which are written the same way.

    ||example.com          example.com and its subdomains, any scheme and port
    ||cdn*.example.com     "*" is any run of characters
    ||example.com/path     and the URL goes on so; of https only the host is known, so that is http in effect
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
from ipaddress import IPv6Address
from typing import Final

from ssgui.rules.acl import Problem, Route, normal_name
from ssgui.rules.model import Kind, Rule, RuleList
from ssgui.rules.rule_set import parse_literal
from ssgui.rules.url_regex import RegexError, portable

MAX_LINE: Final = 4096
_SHOWN: Final = 80
_HEADER: Final = re.compile(r"!\s*(title|last modified)\s*:\s*(.+)", re.IGNORECASE)
_NAME: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_WILD_NAME: Final = re.compile(r"[a-z0-9_*.-]*[a-z0-9_-][a-z0-9_*.-]*")
_BEGINNING: Final = re.compile(r"([a-z][a-z0-9+.*-]*):(?:/(?:/([^/?#]*)(.*))?)?", re.IGNORECASE)
_AUTHORITY: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]*)(:\d{1,5})?")
_OPTIONS: Final = re.compile(r"\$~?[a-z][a-z-]*(?:=[^,]*)?(?:,~?[a-z][a-z-]*(?:=[^,]*)?)*$", re.IGNORECASE)
_LIKE_REGEX: Final = re.compile(r"/\^|/.*\\[./]|/.*\)\$?$")
_SEPARATOR: Final = r"(?:[^a-z0-9_.%-]|$)"
_END_OF_HOST: Final = r"(?:[:/?]|$)"
_ANY_SCHEME: Final = r"^[a-z][a-z0-9+.-]*://"


class _RuleError(ValueError):
    """Why a line is not a rule."""


def decoded(text: str) -> str:
    """`text`, or what it says in base64: gfwlist is published so."""
    packed = "".join(text.split())
    if not packed or not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", packed):
        return text
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text


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
    return RuleList(
        name, tuple(rules), (), tuple(problems), action, head.get("title", ""), head.get("last modified", "")
    )


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
    if rest in ("", "/", "^", "^|", "/|", "|") and not port:
        return _host(host)
    name = _host_regex(host)
    ending = (re.escape(port) if port else r"(?::\d+)?") + _translated(rest)
    lead = "" if name.startswith("(?:^|") else r"(?:[^/?#]*\.)?"
    return Kind.URL_REGEX, portable(_ANY_SCHEME + lead + name.removeprefix(r"(?:^|\.)").removesuffix("$") + ending)


def _authority(text: str) -> tuple[str, str]:
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        raise _RuleError("not a host name")
    return found[1].strip("[]"), found[2] or ""


def _host(host: str) -> tuple[Kind, str]:
    if "*" in host:
        return Kind.HOST_REGEX, portable(_host_regex(host))
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
        return re.escape(rule_name(host)) + "$"
    name = host.lower().rstrip(".")
    if not name.isascii():
        raise _RuleError("names come in Punycode (xn--...), of which a wildcard cannot be a part")
    if not _WILD_NAME.fullmatch(name):
        raise _RuleError("not a host name")
    return r"(?:^|\.)" + _globbed(name, "[^/]*") + "$"


def _globbed(text: str, star: str) -> str:
    return star.join(re.escape(part) for part in re.split(r"\*+", text))


def _translated(text: str) -> str:
    """The part of a rule behind the host: "*", "^", and "|" at its end."""
    end = text.endswith("|")
    body = text[:-1] if end else text
    whole = _SEPARATOR.join(_globbed(part, ".*") for part in _ascii(body).split("^"))
    return whole + "$" if end else whole


def _beginning(body: str) -> tuple[Kind, str]:
    """What stands behind "|": how a URL begins."""
    found = _BEGINNING.fullmatch(body)
    if found is None:
        raise _RuleError("a URL begins with its scheme: write ||example.com, or |http://example.com")
    scheme, authority, rest = found[1].lower(), found[2], found[3] or ""
    if not authority:
        return Kind.URL_REGEX, portable("^" + _globbed(body.lower(), ".*"))
    if scheme in ("https", "wss") and rest.rstrip("|") not in ("", "/", "/*", "*"):
        raise _RuleError("it never matches: of an https URL only the host is known to a PAC")
    host, port = _authority(authority)
    if "*" not in body and "^" not in body and not body.endswith("|"):
        name = rule_name(host)
        shape = f"[{name}]" if ":" in name else name
        return Kind.PREFIX, f"{scheme}://{shape}{port}{_ascii(rest).lower()}"
    name = _globbed(host.lower(), "[^/]*") if "*" in host else re.escape(rule_name(host))
    ending = _translated(rest) if rest else _END_OF_HOST
    between = re.escape(port) if port else (r"(?::\d+)?" if rest else "")
    return Kind.URL_REGEX, portable("^" + _globbed(scheme, "[a-z]*") + "://" + name + between + ending)


def _text(body: str) -> tuple[Kind, str]:
    """Text that stands somewhere in an http: URL, or at its end."""
    if body.endswith("|") or "^" in body:
        return Kind.URL_REGEX, portable(r"^http://.*" + _translated(body))
    pattern = re.sub(r"\*+", "*", _ascii(body).lower()).strip("*")
    if not pattern:
        raise _RuleError("it would match everything")
    host, slash, rest = pattern.partition("/")
    if not host.isascii():
        pattern = normal_name(host) + slash + rest
    return Kind.TEXT, pattern


def _ascii(text: str) -> str:
    """As browsers write URLs: other characters as %XX of their UTF-8; in a name, as Punycode."""
    if text.isascii():
        if not text.isprintable() or " " in text:
            raise _RuleError("a URL has no spaces and no control characters")
        return text
    host, slash, rest = text.partition("/")
    name = normal_name(host)
    if not name.isascii() or not name.isprintable():
        raise _RuleError("not a host name")
    return name + slash + "".join(c if c.isascii() else "".join(f"%{b:02x}" for b in c.encode()) for c in rest)


def shown(text: str) -> str:
    """A line of a list, short and safe to print."""
    cut = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)

"""One way to read a list, whatever its format."""

import dataclasses
import re
from ipaddress import ip_network
from typing import Final

from ssgui.rules.acl import Problem, Route
from ssgui.rules.autoproxy import decoded, parse_autoproxy, shown
from ssgui.rules.geosite import GeositeError, dlc_groups, is_dlc, parse_dlc, parse_geosite
from ssgui.rules.model import Network, RuleList
from ssgui.rules.plain_lists import parse_plain

_AUTOPROXY: Final = re.compile(r"^\[|^(?:@@)?\|{1,2}\S|^!", re.MULTILINE)
_GEOSITE: Final = re.compile(r"^(?:domain|full|keyword|regexp|include):\S|^\S+\s+[@&]\w", re.MULTILINE)
_PAGE: Final = re.compile(r"\s*<(?:!doctype|!--|html|\?xml|head|body)", re.IGNORECASE)
_CONTROL: Final = re.compile(rb"[\0-\x08\x0e-\x1f\x7f]")
_NETWORK: Final = re.compile(r"(@@)?([0-9.]+/\d{1,9}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*/\d{1,9})")
_MOST_FOREIGN: Final = 0.5  # of bytes: comments in an old encoding leave the rules readable
_LINES_LOOKED_AT: Final = 400


class ListError(ValueError):
    """What was read is no list of rules; the message says what it is instead."""


def read_list(data: bytes, name: str = "", action: Route = Route.PROXY, group: str = "") -> RuleList:
    """The list in `data`; `group` is the one to take out of a dlc.dat. ListError."""
    if not data.strip():
        raise ListError("it is empty")
    if is_dlc(data):
        return _from_dlc(data, name, action, group)
    text = _text_of(data)
    if _PAGE.match(text):
        raise ListError("it is a web page, not a list")
    found = _by_format(decoded(text), name, action)
    if not found.rules and not found.networks:
        why = f": {found.problems[0]}" if found.problems else ""
        raise ListError(f"no rule in it is understood{why}")
    return found


def _text_of(data: bytes) -> str:
    """What is not UTF-8 becomes a question mark; the rules where it stands are named as not understood."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError:
            raise ListError("it is not text, and not a dlc.dat") from None
    else:
        foreign = sum(byte > 127 for byte in data)
        text = data.decode("utf-8-sig", "replace")
        if _CONTROL.search(data) or (foreign > len(data) * _MOST_FOREIGN and "\ufffd" in text):
            raise ListError("it is not text, and not a dlc.dat")
    if "\0" in text:
        raise ListError("it is not text, and not a dlc.dat")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _from_dlc(data: bytes, name: str, action: Route, group: str) -> RuleList:
    try:
        if not group:
            raise ListError(f"it has {len(dlc_groups(data))} lists in it: say which")
        return parse_dlc(data, group, name, action)
    except GeositeError as error:
        raise ListError(str(error)) from None


def _by_format(text: str, name: str, action: Route) -> RuleList:
    beginning = "\n".join(text.split("\n", _LINES_LOOKED_AT)[:_LINES_LOOKED_AT])
    if _AUTOPROXY.search(beginning):
        return _autoproxy(text, name, action)
    if _GEOSITE.search(beginning):
        return parse_geosite(text, name, action)
    return parse_plain(text, name, action)


def read_user_rules(text: str) -> RuleList:
    """The person's own rules, as the editor has them: AutoProxy, and networks. Never fails."""
    return _autoproxy(text, "user", Route.PROXY)


def _autoproxy(text: str, name: str, action: Route) -> RuleList:
    """AutoProxy, in which a network is a network and not text to look for."""
    lines = text.split("\n")
    networks: list[tuple[Network, int]] = []
    excepted: list[tuple[Network, int]] = []
    wrong: list[Problem] = []
    for number, raw in enumerate(lines, 1):
        if found := _NETWORK.fullmatch(raw.strip()):
            lines[number - 1] = "!"
            try:
                (excepted if found[1] else networks).append((ip_network(found[2], strict=False), number))
            except ValueError:
                wrong.append(Problem(number, shown(raw.strip()), _no_network(found[2])))
    rules = parse_autoproxy("\n".join(lines), name, action)
    problems = tuple(sorted((*rules.problems, *wrong)))
    return dataclasses.replace(rules, networks=tuple(networks), excepted=tuple(excepted), problems=problems)


def _no_network(text: str) -> str:
    most = 128 if ":" in text else 32
    length = text.rpartition("/")[2]
    return f"the length of a prefix is 0 to {most}" if int(length) > most else "not an address"

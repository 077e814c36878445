"""A URL as a browser's PAC sees it, and which hosts never leave: what the matcher and the compiled PAC both do first.

`pac/template.js` does the same in JavaScript; tests hold the two together.
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from ssgui.rules.acl import normal_name
from ssgui.rules.lan import LAN_ENDINGS, is_lan
from ssgui.rules.rule_set import parse_literal

LONGEST_URL: Final = 2048  # of which anything is looked at: a regular expression takes its time
_URL: Final = re.compile(r"([a-z][a-z0-9+.-]*)://([^/?#]*)([^#]*)", re.IGNORECASE)
_NO_HOST: Final = re.compile(r"[\s<>\"`{}|\\^]")  # what no browser takes in a host
_PORT: Final = re.compile(r":(\d*)$")
_WHOLE: Final = frozenset({"http", "ws"})
_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443, "ftp": 21}


class Form(NamedTuple):
    """`url` is in lower case, without user, fragment and default port; of what is encrypted only scheme and host."""

    scheme: str
    host: str
    url: str


def form_of(url: str) -> Form:
    """The form of an absolute URL. ValueError when it is none."""
    return _form(*_parts(url))


def as_url(text: str) -> str:
    """What a person typed for an address, as a URL: a host alone is taken for its https page."""
    text = text.strip()
    if "://" in text:
        return text
    return f"https://[{text}]" if literal(text) is not None and ":" in text else f"https://{text}"


def form_in_rules_mode(url: str, *, by_name: bool = False) -> Form:
    """The form of what a program asks its proxy for that wants `url`: all of http, else host and port; `by_name`

    never more than these, as by SOCKS. ValueError when it is no URL.
    """
    scheme, host, port, rest = _parts(url)
    if scheme == "http" and not by_name:
        return _form(scheme, host, port, rest)
    return form_of_target(host, int(port) if port and len(port) < 6 else _PORTS.get(scheme, 0))


def _parts(url: str) -> tuple[str, str, str, str]:
    """Scheme, host, port as written and the rest of an absolute URL. ValueError when it is none."""
    found = _URL.match(url.strip())
    if found is None:
        raise ValueError("not a URL: it begins with http:// or https://")
    scheme, authority, rest = found.groups()
    scheme, port = scheme.lower(), ""
    if "@" in authority:
        authority = authority.rpartition("@")[2]
    if ":" in authority and not authority.endswith("]") and (ending := _PORT.search(authority)):
        port, authority = ending[1], authority[: ending.start()]
    host = normal_host(authority)
    if not host or _NO_HOST.search(host) or (":" in host and literal(host) is None):
        raise ValueError(f"not a URL: it has {'no' if not host else 'an impossible'} host")
    return scheme, host, port, rest


def form_of_target(host: str, port: int) -> Form:
    """What a program that knows no URLs asks for: https at port 443, http elsewhere."""
    name = normal_host(host)
    shape = f"[{name}]" if ":" in name else name
    scheme = "https" if port == 443 else "http"
    return Form(scheme, name, f"{scheme}://{shape}/")


@lru_cache(maxsize=8192)
def normal_host(host: str) -> str:
    """`host` in lower case and Punycode, without the root's dot and without brackets; addresses as they are written."""
    name = host.strip("[]").partition("%")[0]
    if ":" in name:
        try:
            return str(IPv6Address(name))
        except ValueError:
            return name.lower()
    return normal_name(name)


def _form(scheme: str, host: str, port: str, rest: str) -> Form:
    shape = f"[{host}]" if ":" in host else host
    if scheme not in _WHOLE:
        return Form(scheme, host, f"{scheme}://{shape}/")
    place = f":{port}" if port and port != "80" else ""
    path = rest if rest.startswith("/") else "/" + rest
    url = f"{scheme}://{shape}{place}{path}"
    if not url.isascii():
        url = "".join(c if c.isascii() else "".join(f"%{b:02x}" for b in c.encode("utf-8", "replace")) for c in url)
    return Form(scheme, host, url[:LONGEST_URL].lower())


def stays_here(host: str) -> bool:
    """Whether `host`, in its normal form, is of this computer or the local network: such are never sent away."""
    _, dot, last = host.rpartition(".")
    if dot and last not in LAN_ENDINGS and last.isalpha() and ":" not in host:
        return False  # nearly all
    return is_lan(host)


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that `host` is, if it is one."""
    return parse_literal(host)

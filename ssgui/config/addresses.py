"""Targets, proxies, pages, and what is for this computer alone, as people write them.

ConfigError says what is wrong, and never shows a password.
"""

import os
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from ssgui.config.models import ManagerAddress, UpstreamProxy
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError, parse_host, parse_port
from ssgui.protocol.address import Address

_PROXY_KINDS = {"socks5": "socks5", "socks5h": "socks5", "http": "http"}
_PAC_KINDS = ("PROXY", "HTTPS", "SOCKS5")
MOST_WORKERS = 128
_LOOPBACK = "127.0.0.1"
_SUN_PATH = 100  # bytes; a unix socket's name has 104 to 108
_MOST_CREDENTIALS = 255  # bytes; RFC 1929 has one length byte for each


def parse_target(text: str) -> Address:
    """ "host:port" or "[v6]:port"."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        raise ConfigError("must be HOST:PORT, an IPv6 address in brackets")
    return Address(parse_host(host), parse_port(port))


def parse_proxy(text: str) -> UpstreamProxy:
    """socks5://host:port or http://host:port, with user:password@ in front of the host if it asks for them."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:  # the message of urlsplit shows what it read, a password perhaps
        parts, port = SplitResult("", "", "", "", ""), None
    kind = _PROXY_KINDS.get(parts.scheme)
    if kind is None or port is None or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigError(
            "must be socks5://HOST:PORT or http://HOST:PORT, with USER:PASSWORD@ before the host if asked for"
        )
    # Bytes of a command line that are no UTF-8 become replacement characters.
    user, password = (unquote((part or "").encode("utf-8", "replace")) for part in (parts.username, parts.password))
    if password and not user:
        raise ConfigError("has a password, but no user")
    if max(len(part.encode("utf-8", "replace")) for part in (user, password)) > _MOST_CREDENTIALS:
        raise ConfigError(f"user and password have at most {_MOST_CREDENTIALS} bytes each")
    return UpstreamProxy(kind, parse_host(parts.hostname), parse_port(port), user, Secret(password))


def parse_pac_result(text: str) -> str:
    """What a PAC returns for the proxy: "PROXY 127.0.0.1:1080; SOCKS5 127.0.0.1:1080", words as browsers know them.

    Browsers skip what they do not know, and go directly without a word; so that is refused.
    """
    entries = [entry for part in text.split(";") if (entry := part.strip())]
    if not entries:
        raise ConfigError("it is empty: browsers would go directly")
    return "; ".join(map(_pac_entry, entries))


def _pac_entry(entry: str) -> str:
    kind, _, place = entry.partition(" ")
    kind = kind.upper()
    if kind == "DIRECT" and not place:
        return kind
    if kind in ("SOCKS", "SOCKS4"):
        raise ConfigError(f"{kind}: Chromium looks names up itself for it; write SOCKS5, or PROXY")
    if kind == "HTTP":
        raise ConfigError("HTTP: Chromium goes directly for it; write PROXY")
    if kind not in _PAC_KINDS:
        raise ConfigError(f"{entry[:40]!a} is not PROXY, HTTPS or SOCKS5 with HOST:PORT, and not DIRECT")
    address = parse_target(place)
    if not address.host.isascii():
        raise ConfigError(f"{address.host!a}: names in a PAC are written in ASCII")
    return f"{kind} {address}"


def parse_loopback(text: str) -> tuple[str, int]:
    """HOST:PORT of this computer alone; a bare port is one of 127.0.0.1."""
    text = text.strip()
    found = Address(_LOOPBACK, parse_port(text)) if text.isdigit() else parse_target(text)
    host = _LOOPBACK if found.host == "localhost" else found.host
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ConfigError("must be an address of this computer alone, such as 127.0.0.1:PORT: whoever reaches it may")
    return host, found.port


def parse_manager(text: str) -> ManagerAddress:
    """The path of a unix socket, or HOST:PORT of this computer alone."""
    text = text.strip()
    if "/" in text or not (text.isdigit() or ":" in text):
        if not text or not text.isprintable() or len(os.fsencode(text)) > _SUN_PATH:
            raise ConfigError(f"must be HOST:PORT or the path of a socket, at most {_SUN_PATH} bytes")
        return ManagerAddress(path=text)
    host, port = parse_loopback(text)
    return ManagerAddress(host=host, port=port)


def parse_workers(value: int | str) -> int:
    """How many processes."""
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MOST_WORKERS):
        raise ConfigError(f"must be a number of processes, 1 to {MOST_WORKERS}")
    return int(text)


def parse_probe_url(text: str) -> str:
    """An http:// address, in ASCII: what is measured is the way there, not a handshake at its end."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port == 0 or parts.scheme != "http" or "@" in parts.netloc or not _plain(text):
        raise ConfigError("must be http://HOST[:PORT][/PATH]")
    parse_host(host)
    return text


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text

"""Single values as people write them, on the command line or in a file, checked and made typed.

Every function raises ConfigError with what is wrong; the caller says where (`located`).
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network

from ssgui.config.models import Network
from ssgui.config.secret import Secret
from ssgui.protocol.address import join_host_port
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.methods import ALL_LEGACY, find_method

MAX_HOST = 255  # bytes; the address header has one length byte
MAX_TIMEOUT = 365 * 86400.0
# The password of the original's sample file. Servers that kept it are the first a scanner tries.
REFUSED_PASSWORD = "mypassword"  # noqa: S105


class ConfigError(Exception):
    """A setting that cannot be used: one line that says what is wrong and, once located, where."""


@contextmanager
def located(where: str) -> Iterator[None]:
    """Put `where` in front of any ConfigError raised inside."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def parse_port(value: int | str, *, zero: bool = False) -> int:
    """1 to 65535; 0 (any free port) too if `zero`."""
    lowest = 0 if zero else 1
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and lowest <= int(text) <= 65535):
        raise ConfigError(f"{_shown(text)} is no port ({lowest} to 65535)")
    return int(text)


def parse_host(text: str) -> str:
    """A name or an address literal; the brackets of an IPv6 literal are taken off."""
    host = text.strip()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host:
        raise ConfigError("the host is empty")
    if not host.isprintable() or any(c in " /@[]\"'" for c in host) or len(host.encode()) > MAX_HOST:
        raise ConfigError(f"{_shown(host)} is no host name or address")
    if ":" in host and not _is_address(host.partition("%")[0]):
        raise ConfigError(f"{_shown(host)} is no IPv6 address, and a host is given without its port")
    return host


def parse_timeout(value: float) -> float:
    """Seconds; 0 means no limit."""
    if not (math.isfinite(value) and 0 <= value <= MAX_TIMEOUT):
        raise ConfigError(f"{value} is no time in seconds (0 means no limit)")
    return float(value)


def parse_method(text: str) -> str:
    """The method's one name, whatever alias or case it was given in. Whether an old one is allowed shows later."""
    try:
        return find_method(text, ALL_LEGACY).name
    except LocalProtocolError as error:
        raise ConfigError(str(error)) from None


def parse_password(text: str) -> Secret:
    """Any text that is not empty and not the sample file's. The message never contains it."""
    if not text:
        raise ConfigError("the password is empty")
    if text == REFUSED_PASSWORD:
        raise ConfigError("the password is the one of the sample file, which everybody knows: choose another")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError("the password is not valid UTF-8") from None
    return Secret(text)


def parse_networks(items: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks; each item may itself be a list with commas. Nothing gives ()."""
    return tuple(_network(part) for item in items for part in item.replace(",", " ").split())


def parse_nameservers(items: Iterable[str]) -> tuple[str, ...]:
    """Addresses of name servers, likewise; each may have a port: 192.0.2.1:5353, [2001:db8::1]:5353."""
    parts = [part for item in items for part in item.replace(",", " ").split()]
    return tuple(_nameserver(part) for part in parts)


def _nameserver(text: str) -> str:
    host, port = text, ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not _is_address(host) or (port and not (port.isascii() and port.isdigit() and 0 < int(port) <= 0xFFFF)):
        raise ConfigError(f"{_shown(text)} is no address of a name server")
    return join_host_port(host, int(port)) if port else host


def _network(text: str) -> Network:
    try:
        return ip_network(text.strip("[]"), strict=False)
    except ValueError:
        raise ConfigError(f"{_shown(text)} is no address or network") from None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _shown(text: str) -> str:
    """What somebody wrote, short and safe to print on one line."""
    return ascii(text if len(text) <= 60 else text[:57] + "...")

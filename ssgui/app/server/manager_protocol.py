"""What managers say to ss-manager, and what it answers: one datagram each.

    add: {"server_port": 8001, "password": "…"}     ok | err | port is not available
    remove: {"server_port": 8001}                   ok
    list                                            [{"server_port":"8001","password":"…","method":"…"},…]
    ping                                            stat: {"8001":11370}

As shadowsocks-libev 3.3 and shadowsocks-rust have it; `stat: …` is what a server of theirs sends to its manager, and
is no order. What names a program or a file is refused: a manager must not be able to start or read anything.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ssgui.config import classic_values as values
from ssgui.config.json_text import parse_json
from ssgui.config.models import ServerSettings
from ssgui.config.options import ServerEntry
from ssgui.config.values import ConfigError

MAX_REQUEST = 16 << 10
MAX_ANSWER = 32 << 10  # libev's own buffer is twice that
# Programs and files: empty they say nothing, as some managers send them.
_REFUSED = ("plugin", "plugin_opts", "plugin_args", "executable", "acl", "manager_address")
_ORDER = re.compile(rb"\s*([a-z]+)\s*(?::(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Add:
    """Serve on a port; the host of `entry` has no meaning."""

    entry: ServerEntry


@dataclass(frozen=True, slots=True)
class Remove:
    """Serve no more on `port`."""

    port: int


@dataclass(frozen=True, slots=True)
class Ask:
    """`what` is "list" or "ping"."""

    what: str


Order = Add | Remove | Ask


def parse_order(data: bytes) -> Order | None:
    """What a datagram asks for; None for what has no answer. ConfigError for an order that is wrong."""
    if len(data) > MAX_REQUEST:
        raise ConfigError(f"an order of {len(data)} bytes")
    found = _ORDER.fullmatch(data.rstrip(b"\0 \t\r\n"))
    if found is None:
        return None
    word, rest = found[1], found[2] or b""
    if word in (b"list", b"ping"):
        return Ask(word.decode())
    if word == b"add":
        return _add(_object(rest))
    if word == b"remove":
        return Remove(values.port(_with_port(_object(rest)), "server_port"))
    return None


def _object(data: bytes) -> Mapping[str, Any]:
    tree = parse_json(data)
    if not isinstance(tree, dict):
        raise ConfigError("not one JSON object")
    return {key: value for key, value in tree.items() if value is not None}


def _with_port(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    if "server_port" not in tree:
        raise ConfigError('"server_port" is missing')
    return tree


def _add(tree: Mapping[str, Any]) -> Add:
    for key in _REFUSED:
        if values.is_on(tree, key):
            raise ConfigError(f'"{key}" is not for managers to say')
    passwords = values.Passwords({})  # no environment: a manager must not read that either
    port, password = values.port(_with_port(tree), "server_port"), passwords.password(tree)
    if password is None:
        raise ConfigError('"password" is missing')
    return Add(ServerEntry("", port, values.method(tree), password, users=passwords.users(tree), udp=values.udp(tree)))


# ---- answers


def answer_to_list(servers: Iterable[ServerSettings]) -> Iterator[bytes]:
    """The ports, each once, with their passwords: an array in as many datagrams as it takes, as libev sends it."""
    ports = {one.bind_port: one for one in servers}
    entries = [
        json.dumps(
            {"server_port": str(port), "password": one.password.reveal(), "method": one.method}, separators=(",", ":")
        ).encode()
        for port, one in ports.items()
    ]
    yield from _split(b"[", [b"\n\t" + entry for entry in entries], b"\n]")


def answer_to_ping(used: Mapping[int, int]) -> Iterator[bytes]:
    """Bytes by port; each datagram is whole."""
    entries = [f'"{port}":{count}'.encode() for port, count in used.items()]
    for part in _parts(entries):
        yield b"stat: {" + b",".join(part) + b"}"


def _parts(entries: list[bytes]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for entry in entries:
        if part and size + len(entry) > MAX_ANSWER - 100:
            yield part
            part, size = [], 0
        part.append(entry)
        size += len(entry) + 1
    yield part


def _split(head: bytes, entries: list[bytes], tail: bytes) -> Iterator[bytes]:
    """One text over several datagrams."""
    parts = list(_parts(entries))
    for number, part in enumerate(parts):
        first, last = number == 0, number == len(parts) - 1
        yield (head if first else b"") + b",".join(part) + (tail if last else b",")

"""Reads the JSON that Shadowsocks programs share (`-c FILE`) into `Options`.

One server (`server`, `server_port`; each may be a list, of which a client uses any pair and a server all),
`servers` (a list of objects, as in SIP008 and shadowsocks-rust) and `port_password` (port to password).
Numbers may stand as text and text as numbers, as the originals allow; keys that begin with "_" are comments.
What changes where traffic goes or who may send it is refused when it cannot be honoured; what does not is
named in `ClassicFile.warnings`.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from ssgui.config.classic_keys import ENTRY_KEYS, HONOURED, REFUSED, UNSUPPORTED
from ssgui.config.options import Options, ServerEntry
from ssgui.config.secret import Secret
from ssgui.config.values import (
    ConfigError,
    located,
    parse_host,
    parse_method,
    parse_nameservers,
    parse_networks,
    parse_password,
    parse_port,
    parse_timeout,
)

MAX_FILE = 4 << 20

_OFF: tuple[Any, ...] = (None, False, 0, "", "0", [], {})


class ClassicFile(msgspec.Struct, frozen=True):
    """What a file says, and what it says in vain."""

    options: Options
    warnings: tuple[str, ...] = ()


def read_classic(path: str) -> ClassicFile:
    """Read `path`; ConfigError with its name, and line and column or key."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    with located(path):
        return parse_classic(data)


def parse_classic(data: bytes) -> ClassicFile:
    """Parse a file's bytes."""
    if len(data) > MAX_FILE:
        raise ConfigError("too large for a configuration")
    try:
        tree = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"not UTF-8: byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError):  # a number of thousands of digits; brackets by the thousand
        raise ConfigError("not a configuration: a number or a nesting without end") from None
    if not isinstance(tree, dict):
        raise ConfigError("not a configuration: it must be one JSON object, { ... }")
    return _Reader(tree).read()


class _Reader:
    """Turns one JSON object into Options; remembers warnings."""

    def __init__(self, tree: dict[str, Any]) -> None:
        self._tree = {key: value for key, value in tree.items() if value is not None}
        self._warnings: list[str] = []

    def read(self) -> ClassicFile:
        self._check_keys()
        hosts, entries = self._hosts()
        ports, port_passwords = self._ports()
        tree = self._tree
        options = Options(
            hosts=hosts,
            ports=ports,
            port_passwords=port_passwords,
            servers=(*entries, *self._servers()),
            method=_method(tree, "method"),
            password=None if port_passwords else _password(tree, "password"),
            bind_host=_host(tree, "local_address") if tree.get("local_address") else None,
            bind_port=_port(tree, "local_port", zero=True) if "local_port" in tree else None,
            timeout=_timeout(tree),
            prefer_ipv6=_flag(tree, "prefer_ipv6") or _flag(tree, "ipv6_first") or None,
            forbidden=self._forbidden(),
            nameservers=self._nameservers(),
            verbosity=self._verbosity(),
        )
        return ClassicFile(options, tuple(self._warnings))

    def _check_keys(self) -> None:
        for key, value in self._tree.items():
            if key in HONOURED or key.startswith("_"):
                continue
            if key == "mode":
                self._check_mode(value)
            elif key in REFUSED:
                if not _is_off(value):
                    raise ConfigError(f'"{key}": {REFUSED[key]}')
            elif key not in UNSUPPORTED:
                self._warnings.append(f"{_name(key)} is not known and has no effect")
            elif not _is_off(value) and not (key == "workers" and value in (1, "1")):
                why = f": {UNSUPPORTED[key]}" if UNSUPPORTED[key] else ""
                self._warnings.append(f'"{key}" is not supported and has no effect{why}')

    def _check_mode(self, value: Any) -> None:
        if value == "udp_only":
            raise ConfigError('"mode": udp_only leaves nothing to do, UDP comes later')
        if value == "tcp_and_udp":
            self._warnings.append('"mode": UDP comes later, only TCP is served')
        elif value != "tcp_only":
            raise ConfigError('"mode" must be tcp_only, tcp_and_udp or udp_only')

    def _hosts(self) -> tuple[tuple[str, ...], list[ServerEntry]]:
        """`server`: names and addresses, and in a list also "host:port"."""
        hosts: list[str] = []
        entries: list[ServerEntry] = []
        with located('"server"'):
            for item in _text_items(self._tree.get("server", ())):
                host, port = _split_port(item)
                if port is None:
                    hosts.append(parse_host(host))
                else:
                    entries.append(ServerEntry(parse_host(host), parse_port(port)))
        return tuple(hosts), entries

    def _ports(self) -> tuple[tuple[int, ...], tuple[tuple[int, Secret], ...]]:
        raw = self._tree.get("server_port", ())
        with located('"server_port"'):
            ports = tuple(parse_port(_number_text(port), zero=True) for port in _items(raw))
        table = self._tree.get("port_password")
        if not table:
            return ports, ()
        if not isinstance(table, dict):
            raise ConfigError('"port_password" must be an object of ports and passwords')
        if ports or "password" in self._tree:
            self._warnings.append('"server_port" and "password" have no effect beside "port_password"')
        pairs: list[tuple[int, Secret]] = []
        for port in table:
            with located(f'"port_password" {_name(port)}'):
                pairs.append((parse_port(port), parse_password(_text(table[port]))))
        return (), tuple(pairs)

    def _servers(self) -> list[ServerEntry]:
        items = self._tree.get("servers", [])
        if not isinstance(items, list):
            raise ConfigError('"servers" must be a list of objects')
        entries: list[ServerEntry] = []
        for number, item in enumerate(items, 1):
            with located(f'"servers" entry {number}'):
                if not isinstance(item, dict):
                    raise ConfigError("must be an object")
                if not _is_off(item.get("disabled")):
                    continue
                entries.append(self._entry({key: value for key, value in item.items() if value is not None}, number))
        if items and not entries:
            raise ConfigError('"servers": every entry is disabled')
        return entries

    def _entry(self, item: dict[str, Any], number: int) -> ServerEntry:
        for key, value in item.items():
            if key in REFUSED and not _is_off(value):
                raise ConfigError(f'"{key}": {REFUSED[key]}')
            if key == "mode":
                self._check_mode(value)
            elif (key in UNSUPPORTED or key in HONOURED - ENTRY_KEYS) and not _is_off(value):
                self._warnings.append(f'"{key}" of "servers" entry {number} has no effect')
        host_key = "server" if "server" in item else "address"
        port_key = "server_port" if "server_port" in item else "port"
        for key in (host_key, port_key):
            if key not in item:
                raise ConfigError(f'"{key}" is missing')
        remarks = item.get("remarks", item.get("name", ""))
        return ServerEntry(
            _host(item, host_key),
            _port(item, port_key),
            _method(item, "method"),
            _password(item, "password"),
            remarks if isinstance(remarks, str) else "",
        )

    def _forbidden(self) -> tuple[Any, ...] | None:
        if "forbidden_ip" not in self._tree:
            return None
        with located('"forbidden_ip"'):
            return parse_networks(_text_items(self._tree["forbidden_ip"]))

    def _nameservers(self) -> tuple[str, ...]:
        key = "dns_server" if "dns_server" in self._tree else "nameserver"
        with located(f'"{key}"'):
            return parse_nameservers(_text_items(self._tree.get(key, ())))

    def _verbosity(self) -> int | None:
        if _flag(self._tree, "quiet"):
            return -1
        return 1 if _flag(self._tree, "verbose") else None


def _is_off(value: Any) -> bool:
    return any(value is off or (type(value) is type(off) and value == off) for off in _OFF)


def _name(key: str) -> str:
    """A key from the file, safe on one line."""
    return json.dumps(key if len(key) <= 40 else key[:37] + "...")


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _text_items(value: Any) -> list[str]:
    return [_plain_text(item) for item in _items(value)]


def _plain_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigError("must be text")
    return value


def _text(value: Any) -> str:
    """Text, or a whole number that stands where text should. The message must not show the value."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ConfigError("must be text")


def _number_text(value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ConfigError("must be a whole number")
    return value


def _split_port(item: str) -> tuple[str, str | None]:
    """ "host:port" or "[v6]:port" in two; anything else has no port."""
    head, colon, tail = item.rpartition(":")
    if colon and tail.isdigit() and (head.endswith("]") or ":" not in head):
        return head, tail
    return item, None


def _host(tree: dict[str, Any], key: str) -> str:
    with located(f'"{key}"'):
        return parse_host(_plain_text(tree[key]))


def _port(tree: dict[str, Any], key: str, *, zero: bool = False) -> int:
    with located(f'"{key}"'):
        return parse_port(_number_text(tree[key]), zero=zero)


def _method(tree: dict[str, Any], key: str) -> str | None:
    with located(f'"{key}"'):
        return parse_method(_plain_text(tree[key])) if tree.get(key) else None


def _password(tree: dict[str, Any], key: str) -> Secret | None:
    with located(f'"{key}"'):
        return parse_password(_text(tree[key])) if tree.get(key, "") != "" else None


def _timeout(tree: dict[str, Any]) -> float | None:
    value = tree.get("timeout")
    if value is None:
        return None
    with located('"timeout"'):
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ConfigError("must be a number of seconds")
        try:
            return parse_timeout(float(value))
        except (ValueError, OverflowError):
            raise ConfigError("must be a number of seconds") from None


def _flag(tree: dict[str, Any], key: str) -> bool:
    return not _is_off(tree.get(key))

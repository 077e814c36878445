"""Reads the JSON that Shadowsocks programs share (`-c FILE`) into `Options`.

One server (`server`, `server_port`; each may be a list, of which a client uses any pair and a server all),
`servers` (a list of objects, as in SIP008 and shadowsocks-rust) and `port_password` (port to password).
Keys that begin with "_" are comments; real ones, and a comma after the last item, are taken too.
What changes where traffic goes or who may send it is refused when it cannot be honoured; what does not is
named in `ClassicFile.warnings`.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import msgspec

from ssgui.config import classic_values as values
from ssgui.config.addresses import (
    parse_loopback,
    parse_manager,
    parse_probe_url,
    parse_proxy,
    parse_target,
    parse_workers,
)
from ssgui.config.classic_keys import (
    ALWAYS,
    ENTRY_KEYS,
    HONOURED,
    LOCAL_KEYS,
    LOCAL_PROTOCOLS,
    REFUSED,
    REFUSED_IN_ENTRY,
    REFUSED_IN_LOCAL,
    UNSUPPORTED,
)
from ssgui.config.classic_values import Passwords, Tree, is_off, is_on, shown_key
from ssgui.config.json_text import parse_json
from ssgui.config.keys import parse_legacy
from ssgui.config.models import ManagerAddress, Network, ServerChoice, UpstreamProxy
from ssgui.config.options import Options, ServerEntry
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError, located, parse_host, parse_nameservers, parse_networks, parse_port
from ssgui.protocol.address import Address

MAX_FILE = 4 << 20
_DNS_PORT = 53


class ClassicFile(msgspec.Struct, frozen=True):
    """What a file says, and what it says in vain."""

    options: Options
    warnings: tuple[str, ...] = ()


def read_classic(path: str, environment: MutableMapping[str, str] = os.environ) -> ClassicFile:
    """Read `path`; ConfigError with its name, and line and column or key. `environment` as `parse_classic` has it."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    with located(path):
        return parse_classic(data, environment)


def parse_classic(data: bytes, environment: MutableMapping[str, str] | None = None) -> ClassicFile:
    """Parse a file's bytes. Variables that passwords are taken from are taken out of `environment`."""
    environment = {} if environment is None else environment
    if len(data) > MAX_FILE:
        raise ConfigError("too large for a configuration")
    tree = parse_json(data)
    if not isinstance(tree, dict):
        raise ConfigError("not a configuration: it must be one JSON object, { ... }")
    passwords = Passwords(environment)
    file = _Reader(tree, passwords).read()
    for name in passwords.used:  # so that no program we start inherits them
        environment.pop(name, None)
    return file


class _Reader:
    """Turns one JSON object into Options; remembers warnings."""

    def __init__(self, tree: Tree, passwords: Passwords) -> None:
        self._tree = _without_nulls(tree)
        self._passwords = passwords
        self._warnings: list[str] = []

    def read(self) -> ClassicFile:
        self._check_keys()
        hosts, entries = self._hosts()
        ports, port_passwords = self._ports()
        bind_host, bind_port, udp = self._listening()
        tree = self._tree

        def on(key: str) -> bool | None:
            return is_on(tree, key) or None

        options = Options(
            hosts=hosts,
            ports=ports,
            port_passwords=port_passwords,
            servers=(*entries, *self._servers()),
            method=values.method(tree),
            password=None if port_passwords else self._passwords.password(tree),
            bind_host=bind_host,
            bind_port=bind_port,
            timeout=values.timeout(tree, "timeout"),
            server_users=self._passwords.users(tree),
            prefer_ipv6=on("prefer_ipv6") or on("ipv6_first"),
            forbidden=self._forbidden(),
            nameservers=self._nameservers(),
            udp=udp,
            udp_timeout=values.timeout(tree, "udp_timeout"),
            tunnel=self._tunnel(),
            choice=self._choice(),
            probe_url=values.parsed(tree, "probe_url", parse_probe_url),
            plugin=values.plugin(tree),
            acl=values.parsed(tree, "acl", _file_name),
            bypass_lan=on("bypass_lan"),
            fast_open=on("fast_open"),
            mptcp=on("mptcp"),
            upstream_proxy=self._proxy(),
            segmented_header=is_on(tree, "segmented_header") if "segmented_header" in tree else None,
            legacy_methods=self._legacy_methods(),
            workers=self._workers(),
            manager=self._manager(),
            metrics=values.parsed(tree, "metrics", parse_loopback),
            verbosity=-1 if on("quiet") else 1 if on("verbose") else None,
        )
        return ClassicFile(options, tuple(self._warnings))

    def _check_keys(self) -> None:
        for key, value in self._tree.items():
            if key in HONOURED or key.startswith("_"):
                continue
            if key in REFUSED:
                if not is_off(value):
                    raise ConfigError(f'"{key}": {REFUSED[key]}')
            elif key in ALWAYS:
                if value is not True:
                    self._warnings.append(f'"{key}" has no effect: {ALWAYS[key]}')
            elif key not in UNSUPPORTED:
                self._warnings.append(f"{shown_key(key)} is not known and has no effect")
            elif not is_off(value):
                why = f": {UNSUPPORTED[key]}" if UNSUPPORTED[key] else ""
                self._warnings.append(f'"{key}" is not supported and has no effect{why}')
        if is_on(self._tree, "plugin_opts") and not is_on(self._tree, "plugin"):
            self._warnings.append('"plugin_opts" has no effect without "plugin"')

    # ---- servers

    def _hosts(self) -> tuple[tuple[str, ...], list[ServerEntry]]:
        """`server`: names and addresses, and in a list also "host:port"."""
        hosts: list[str] = []
        entries: list[ServerEntry] = []
        with located('"server"'):
            for item in values.text_items(self._tree.get("server", ())):
                host, port = values.split_port(item)
                if port is None:
                    hosts.append(parse_host(host))
                else:
                    entries.append(ServerEntry(parse_host(host), parse_port(port)))
        return tuple(hosts), entries

    def _ports(self) -> tuple[tuple[int, ...], tuple[tuple[int, Secret], ...]]:
        raw = self._tree.get("server_port", ())
        with located('"server_port"'):
            ports = tuple(parse_port(values.number_text(port), zero=True) for port in values.items(raw))
        table = self._tree.get("port_password")
        if not table:
            return ports, ()
        if not isinstance(table, dict):
            raise ConfigError('"port_password" must be an object of ports and passwords')
        if ports or "password" in self._tree:
            self._warnings.append('"server_port" and "password" have no effect beside "port_password"')
        pairs: list[tuple[int, Secret]] = []
        for port in table:
            with located(f'"port_password" {shown_key(port)}'):
                pairs.append((parse_port(port), self._passwords.secret(table[port])))
        return (), tuple(pairs)

    def _servers(self) -> list[ServerEntry]:
        listed = self._tree.get("servers", [])
        if not isinstance(listed, list):
            raise ConfigError('"servers" must be a list of objects')
        entries: list[ServerEntry] = []
        for number, item in enumerate(listed, 1):
            with located(f'"servers" entry {number}'):
                if not isinstance(item, dict):
                    raise ConfigError("must be an object")
                if not is_on(item, "disabled"):
                    entries.append(self._entry(_without_nulls(item), number))
        if listed and not entries:
            raise ConfigError('"servers": every entry is disabled')
        return entries

    def _entry(self, item: Tree, number: int) -> ServerEntry:
        for key, value in item.items():
            if key in REFUSED_IN_ENTRY and not is_off(value):
                raise ConfigError(f'"{key}": {REFUSED_IN_ENTRY[key]}')
            known = key in UNSUPPORTED or key in HONOURED
            if known and key not in ENTRY_KEYS and key not in REFUSED_IN_ENTRY and not is_off(value):
                self._warnings.append(f'"{key}" of "servers" entry {number} has no effect')
        host_key = "server" if "server" in item else "address"
        port_key = "server_port" if "server_port" in item else "port"
        for key in (host_key, port_key):
            if key not in item:
                raise ConfigError(f'"{key}" is missing')
        remarks = item.get("remarks", item.get("name", ""))
        return ServerEntry(
            values.host(item, host_key),
            values.port(item, port_key),
            values.method(item),
            self._passwords.password(item),
            remarks if isinstance(remarks, str) else "",
            values.plugin(item),
            self._passwords.users(item),
            values.udp(item),
        )

    # ---- where a client listens, and where it leads

    def _listening(self) -> tuple[str | None, int | None, bool | None]:
        """Address, port and whether UDP is on: the file's own, else those of the first proxy in `locals`."""
        tree, taken = self._tree, "local_port" in self._tree
        listed = tree.get("locals", [])
        if not isinstance(listed, list):
            raise ConfigError('"locals" must be a list of objects')
        for number, item in enumerate(listed, 1):
            with located(f'"locals" entry {number}'):
                if not isinstance(item, dict):
                    raise ConfigError("must be an object")
                fits = item.get("protocol", "socks") in LOCAL_PROTOCOLS and not is_on(item, "disabled")
                if fits and not taken:
                    tree, taken = {**tree, **self._local(item, number)}, True
                elif not is_on(item, "disabled"):
                    self._warnings.append(f'"locals" entry {number} has no effect: {_why_not(item)}')
        if tree.get("protocol", "socks") not in (*LOCAL_PROTOCOLS, "tunnel"):
            self._warnings.append('"protocol" has no effect: the port speaks SOCKS and HTTP, or is a tunnel')
        return (
            values.host(tree, "local_address") if is_on(tree, "local_address") else None,
            values.port(tree, "local_port", zero=True) if "local_port" in tree else None,
            values.udp(tree),
        )

    def _local(self, item: Tree, number: int) -> Tree:
        for key in item:
            if key in REFUSED_IN_LOCAL and is_on(item, key):
                raise ConfigError(f'"{key}": {REFUSED_IN_LOCAL[key]}')
            if key not in LOCAL_KEYS and is_on(item, key):
                self._warnings.append(f'{shown_key(key)} of "locals" entry {number} has no effect')
        return {key: item[key] for key in ("local_address", "local_port", "mode") if item.get(key) is not None}

    def _tunnel(self) -> Address | None:
        """The target of `ssgui tunnel`, as libev, the original and shadowsocks-rust name it."""
        tree = self._tree
        if (target := values.parsed(tree, "tunnel_address", parse_target)) is not None:
            return target
        for host_key, port_key in (("tunnel_remote", "tunnel_remote_port"), ("forward_address", "forward_port")):
            if is_on(tree, host_key):
                return Address(
                    values.host(tree, host_key), values.port(tree, port_key) if port_key in tree else _DNS_PORT
                )
        return None

    # ---- the rest

    def _choice(self) -> ServerChoice | None:
        if not is_on(self._tree, "choose"):
            return None
        try:
            return ServerChoice(self._tree["choose"])
        except ValueError:
            raise ConfigError('"choose" must be fixed, random or auto') from None

    def _proxy(self) -> UpstreamProxy | None:
        key = "upstream_proxy" if "upstream_proxy" in self._tree else "outbound_proxy"
        with located(f'"{key}"'):
            hops = values.text_items(self._tree.get(key) or ())
            if len(hops) > 1:
                raise ConfigError("only one proxy is supported, not a chain")
            return parse_proxy(hops[0]) if hops else None

    def _legacy_methods(self) -> tuple[str, ...]:
        with located('"allow_legacy"'):
            return tuple(parse_legacy(text) for text in values.text_items(self._tree.get("allow_legacy", ())))

    def _workers(self) -> int | None:
        with located('"workers"'):
            return parse_workers(values.number_text(self._tree["workers"])) if is_on(self._tree, "workers") else None

    def _manager(self) -> ManagerAddress | None:
        """As libev has it, in one, or as shadowsocks-rust, in two."""
        tree = self._tree
        if not is_on(tree, "manager_address"):
            return None
        with located('"manager_address"'):
            text = values.plain_text(tree["manager_address"])
            if is_on(tree, "manager_port"):
                host = f"[{text}]" if ":" in text and not text.startswith("[") else text
                text = f"{host}:{values.port(tree, 'manager_port')}"
            return parse_manager(text)

    def _forbidden(self) -> tuple[Network, ...] | None:
        if "forbidden_ip" not in self._tree:
            return None
        with located('"forbidden_ip"'):
            return parse_networks(values.text_items(self._tree["forbidden_ip"]))

    def _nameservers(self) -> tuple[str, ...]:
        key = "dns_server" if "dns_server" in self._tree else "nameserver"
        with located(f'"{key}"'):
            return parse_nameservers(values.text_items(self._tree.get(key, ())))


def _without_nulls(tree: Tree) -> dict[str, Any]:
    return {key: value for key, value in tree.items() if value is not None}


def _why_not(item: Tree) -> str:
    if item.get("protocol") == "tunnel":
        return "ssgui --headless tunnel is the command for it"
    if item.get("protocol", "socks") in LOCAL_PROTOCOLS:
        return "one port speaks SOCKS and HTTP, and there is no second"
    return "this protocol is not supported"


def _file_name(text: str) -> str:
    if not text.isprintable():
        raise ConfigError("must be the name of a file")
    return text

"""Windows' proxy, which WinINET keeps for the local network and for every dial-up or VPN connection.

Browsers and most programs ask it. It is set through WinINET and not in the registry, where the same is written at
several places. Never run on Windows: tests look at every call and at the memory that goes with it.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import ClassVar

from ssgui.protocol.address import join_host_port
from ssgui.system.proxy import windows_calls as calls
from ssgui.system.proxy.backend import ProxyBackend, ProxyError, ProxyKind, ProxySetting, Snapshot
from ssgui.system.proxy.loopback import is_loopback, split_url

_DIRECT, _PROXY, _PAC, _DETECT = 1, 2, 4, 8  # PROXY_TYPE_...
_ON = _PROXY | _PAC
_BETWEEN = re.compile(r"[;\s]+")
_SCHEME = re.compile(r"^(?:(\w+)=)?(?:(\w+)://)?")


class WindowsProxy(ProxyBackend):
    """Of each connection the flags that turn things on, a server, what goes past it, and the address of a PAC.

    The name of the local network is "".
    """

    name: ClassVar[str] = "windows"

    def __init__(self, api: calls.Api | None = None) -> None:
        self._api = api if api is not None else calls.Windows()

    def snapshot(self) -> Snapshot:
        return {name: calls.read(self._api, name) for name in ("", *calls.connections(self._api))}

    def planned(self, setting: ProxySetting, snapshot: Snapshot) -> Snapshot:
        values = _values(setting)
        return {name: {**one, **values} for name, one in snapshot.items()}

    def apply(self, setting: ProxySetting) -> Snapshot:
        now = self.snapshot()
        return self._turn(now, self.planned(setting, now))

    def restore(self, snapshot: Snapshot) -> None:
        self._turn(self.snapshot(), snapshot)

    def _turn(self, now: Snapshot, wanted: Snapshot) -> Snapshot:
        """What is set then. One connection that refuses does not keep the others from it.

        What `wanted` does not know is left alone, and a connection that is gone needs nothing.
        """
        failed: dict[str, ProxyError] = {}
        changed = False
        for name, one in wanted.items():
            if name in now and one != now[name]:
                try:
                    calls.write(self._api, name, one, switch_first=not one["flags"] & _ON)
                    changed = True
                except ProxyError as error:
                    failed[name] = error
        if changed:
            calls.tell_programs(self._api)
        after = self.snapshot()
        for name, one in wanted.items():
            if name in after:
                if name in failed:
                    raise failed[name]
                _compare(name, one, after[name])
        return after

    def cleared(self, snapshot: Snapshot) -> Snapshot:
        here = bool(self.loopback_ports(snapshot))
        return {name: _cleared(one, here) for name, one in snapshot.items()}

    def loopback_ports(self, snapshot: Snapshot) -> tuple[int, ...]:
        places = [place for one in snapshot.values() for _, place in _places(one)]
        return tuple(sorted({port for host, port in places if is_loopback(host)}))

    def leads_to(self, snapshot: Snapshot) -> tuple[str, ...]:
        found = []
        for one in snapshot.values():
            found += [one["pac"]] if one["flags"] & _PAC and one["pac"] else []
            found += [f"{host}:{port}" for flag, (host, port) in _places(one) if flag == _PROXY]
        return tuple(dict.fromkeys(found))


def _values(setting: ProxySetting) -> calls.Values:
    """What `setting` changes. Windows' own search for a PAC goes, as it would come before ours."""
    if setting.kind is ProxyKind.PAC:
        return {"flags": _DIRECT | _PAC, "pac": setting.url}
    server = join_host_port(setting.host, setting.port)
    return {"flags": _DIRECT | _PROXY, "server": server, "bypass": bypass_list(setting.bypass)}


def bypass_list(bypass: tuple[str, ...]) -> str:
    """As Windows writes it: wildcards for networks, and <local> for names without a dot.

    It has no form for networks of IPv6, which are left out.
    """
    found = [text for one in bypass for text in _wildcards(one)]
    return ";".join(dict.fromkeys([*found, "<local>"]))


def _wildcards(one: str) -> Iterator[str]:
    if one.startswith("."):
        yield f"*{one}"
        return
    try:
        network = ipaddress.ip_network(one, strict=False)
    except ValueError:
        yield one
        return
    if isinstance(network, ipaddress.IPv6Network):
        if network.prefixlen == network.max_prefixlen:
            yield f"[{network.network_address}]"
        return
    parts = -(-network.prefixlen // 8)  # so many numbers are written out, and the last of them may run
    for part in network.subnets(new_prefix=8 * parts):
        numbers = str(part.network_address).split(".")[:parts]
        yield ".".join([*numbers, "*"] if parts < len(part.network_address.packed) else numbers)


def _compare(name: str, wanted: calls.Values, there: calls.Values) -> None:
    """ProxyError where Windows has something else. It may set the bit of direct connections by itself."""
    for key, value in wanted.items():
        mask = _ON | _DETECT if key == "flags" else 0
        if there[key] & mask != value & mask if mask else there[key] != value:
            where = f" of {name!a}" if name else ""
            raise ProxyError(f"Windows did not keep what was set: the {key} of the proxy{where}")


def _places(one: calls.Values) -> list[tuple[int, tuple[str, int]]]:
    """The flag, and host and port that it sends programs to."""
    found = []
    if one["flags"] & _PAC:
        found.append((_PAC, split_url(one["pac"] or "")))
    if one["flags"] & _PROXY:
        found += [(_PROXY, _server(text)) for text in _BETWEEN.split(one["server"] or "")]
    return [(flag, place) for flag, place in found if place[0]]


def _server(text: str) -> tuple[str, int]:
    """Of "host:port", "http=host:port" or "http://host:port"."""
    match = _SCHEME.match(text)
    assert match is not None
    default = ":1080" if "socks" in (match[1], match[2]) and not re.search(r":\d+/?$", text) else ""
    rest = text[match.end() :]
    return split_url(f"http://{rest}{default}") if rest else ("", 0)


def _cleared(one: calls.Values, here: bool) -> calls.Values:
    """Without what leads to this computer if `here`, else without any proxy."""
    off = _ON
    if here:
        off = 0
        for flag, (host, _) in _places(one):
            off |= flag if is_loopback(host) else 0
    return {**one, "flags": one["flags"] & ~off | _DIRECT} if one["flags"] & off else one

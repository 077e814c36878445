"""macOS' proxy: of every active network service (Wi-Fi, Ethernet, ...), as System Settings shows it.

macOS does not give back the password of a proxy that asks for one. So such a proxy is never overwritten: it is turned
off for the time, and the others of its service are ours. Never run on a Mac.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from ssgui.system.proxy.backend import ProxyBackend, ProxyError, ProxyKind, ProxySetting, Snapshot
from ssgui.system.proxy.loopback import is_loopback, split_url
from ssgui.system.proxy.networksetup import KINDS, Command, NetworkSetup, Run, Service, Step
from ssgui.system.proxy.programs import run

_SWITCHES = ("pac", *KINDS)


class MacProxy(ProxyBackend):
    """By name of the service, what `networksetup` says of it."""

    name: ClassVar[str] = "macos"

    def __init__(self, run: Run = run) -> None:
        self._tool = NetworkSetup(run)

    def snapshot(self) -> Snapshot:
        return self._tool.services()

    def planned(self, setting: ProxySetting, snapshot: Snapshot) -> Snapshot:
        return {name: _planned(setting, one) if one["active"] else one for name, one in snapshot.items()}

    def apply(self, setting: ProxySetting) -> Snapshot:
        now = self.snapshot()
        wanted = self.planned(setting, now)
        active = [name for name, one in wanted.items() if one["active"]]
        if not active:
            raise ProxyError("this Mac has no active network service")
        if closed := [name for name in active if not any(wanted[name][switch]["on"] for switch in _SWITCHES)]:
            raise ProxyError(
                f"all proxies of {closed[0]!r} ask for a password, which could not be put back; use the PAC instead"
            )
        self._tool.do([step for name in active for step in _steps(name, now[name], wanted[name])])
        after = self.snapshot()
        _compare(wanted, after)
        return after

    def restore(self, snapshot: Snapshot) -> None:
        now = self.snapshot()
        names = [name for name in snapshot if name in now]  # one that is gone needs nothing
        steps = [step for name in names for step in _steps(name, now[name], snapshot[name])]
        failed = self._tool.do(steps, keep_going=True)
        if steps:
            try:
                _compare(snapshot, self.snapshot())
            except ProxyError as error:
                raise failed or error from None

    def cleared(self, snapshot: Snapshot) -> Snapshot:
        here = bool(self.loopback_ports(snapshot))
        return {name: _cleared(one, here) for name, one in snapshot.items()}

    def loopback_ports(self, snapshot: Snapshot) -> tuple[int, ...]:
        places = [place for one in snapshot.values() if one["active"] for _, place in _places(one)]
        return tuple(sorted({port for host, port in places if is_loopback(host)}))

    def leads_to(self, snapshot: Snapshot) -> tuple[str, ...]:
        found: list[str] = []
        for one in snapshot.values():
            if one["active"]:
                found += [one["pac"]["url"]] if one["pac"]["on"] and one["pac"]["url"] else []
                found += [f"{host}:{port}" for switch, (host, port) in _places(one) if switch != "pac"]
        return tuple(dict.fromkeys(found))


def _planned(setting: ProxySetting, service: Service) -> Service:
    if setting.kind is ProxyKind.PAC:
        off = {kind: {**service[kind], "on": False} for kind in KINDS}
        return {**service, **off, "pac": {"on": True, "url": setting.url}}
    ours = {"on": True, "server": setting.host, "port": setting.port, "authenticated": False}
    places = {k: {**service[k], "on": False} if service[k]["authenticated"] else dict(ours) for k in KINDS}
    bypass = [f"*{one}" if one.startswith(".") else one for one in setting.bypass]
    return {**service, **places, "pac": {**service["pac"], "on": False}, "bypass": bypass}


def _steps(name: str, now: Service, wanted: Service) -> Iterator[Step]:
    """What makes `wanted` of `now`.

    To set a value also turns it on, so what is to be off is turned off in one step with its value. When all is to be
    off that comes first: should the rest fail, nobody is sent to where nobody listens.
    """
    off = [(_state(name, one, False),) for one in _SWITCHES if now[one]["on"] and not wanted[one]["on"]]
    last = any(wanted[switch]["on"] for switch in _SWITCHES)
    yield from [] if last else off
    if now["bypass"] != wanted["bypass"]:
        yield (("-setproxybypassdomains", name, *(wanted["bypass"] or ["Empty"])),)
    for switch in (one for one in _SWITCHES if wanted[one]["on"] and wanted[one] != now[one]):
        yield from ((command,) for command in _value(name, switch, now[switch], wanted[switch]))
        yield (_state(name, switch, True),)
    yield from off if last else []
    for switch in (one for one in _SWITCHES if not wanted[one]["on"]):
        for command in _value(name, switch, now[switch], wanted[switch]):
            yield (command, _state(name, switch, False))


def _value(name: str, switch: str, now: dict[str, Any], wanted: dict[str, Any]) -> Iterator[Command]:
    """One command, or none if it is there."""
    if switch == "pac":
        if now["url"] != wanted["url"]:
            yield ("-setautoproxyurl", name, wanted["url"])
    elif (now["server"], now["port"]) != (wanted["server"], wanted["port"]):
        words = ["off"] if now["authenticated"] and not wanted["authenticated"] else []
        yield (f"-set{KINDS[switch]}", name, wanted["server"], str(wanted["port"]), *words)


def _state(name: str, switch: str, on: bool) -> Command:
    words = "autoproxy" if switch == "pac" else KINDS[switch]
    return (f"-set{words}state", name, "on" if on else "off")


def _compare(wanted: Snapshot, there: Snapshot) -> None:
    """ProxyError where macOS has something else. What is off and should be empty may keep its text: nobody uses it."""
    for name in (one for one in wanted if one in there):
        for key in (*_SWITCHES, "bypass"):
            if not _same(key, wanted[name][key], there[name][key]):
                raise ProxyError(f"macOS did not keep what was set: {key} of {name!r}")


def _same(key: str, wanted: Any, there: Any) -> bool:
    if key == "bypass" or wanted["on"] != there["on"]:
        return bool(wanted == there)
    names = ("url",) if key == "pac" else ("server", "port")
    empty = not wanted["on"] and not wanted[names[0]]
    return empty or all(wanted[one] == there[one] for one in names)


def _places(service: Service) -> list[tuple[str, tuple[str, int]]]:
    """The switch, and host and port that it sends programs to."""
    found = [("pac", split_url(service["pac"]["url"]))] if service["pac"]["on"] else []
    found += [(kind, (service[kind]["server"], service[kind]["port"])) for kind in KINDS if service[kind]["on"]]
    return [(switch, place) for switch, place in found if place[0]]


def _cleared(service: Service, here: bool) -> Service:
    """Without what leads to this computer if `here`, else without any proxy."""
    local = {switch for switch, (host, _) in _places(service) if is_loopback(host)}
    return {**service, **{one: {**service[one], "on": False} for one in (local if here else _SWITCHES)}}

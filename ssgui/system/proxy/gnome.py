"""GNOME's proxy (`org.gnome.system.proxy`), which Cinnamon, Budgie, Unity, Pantheon, Deepin and MATE share.

By `gsettings`, which checks what is written. It says 0 also where nothing was stored (no session bus, or one whose
dconf writes elsewhere), so everything is read back. Which keys are unset only `dconf` can tell; without that program
a key whose value is the default counts as unset.
"""

import ast
import os
import re
import shutil
from typing import ClassVar

from ssgui.system.proxy.backend import ProxyBackend, ProxyError, ProxyKind, ProxySetting, Snapshot
from ssgui.system.proxy.loopback import is_loopback, split_url
from ssgui.system.proxy.programs import run

_SCHEMA = "org.gnome.system.proxy"
_PATH = "/system/proxy/"
_OWN = ("mode", "autoconfig-url", "ignore-hosts")
_PROTOCOLS = ("http", "https", "socks")
_KEYS = (
    *((key, "") for key in _OWN[1:]),
    *((key, one) for one in _PROTOCOLS for key in ("host", "port")),
    ("mode", ""),
)


class GnomeProxy(ProxyBackend):
    """Values are GVariant text, as `gsettings` writes it; None is unset."""

    name: ClassVar[str] = "gnome"

    def __init__(self) -> None:
        self._dconf = shutil.which("dconf") if os.environ.get("GSETTINGS_BACKEND", "dconf") == "dconf" else None

    def snapshot(self) -> Snapshot:
        values = _parse_list(run(["gsettings", "list-recursively", _SCHEMA]))
        known = _parse_dump(run([self._dconf, "dump", _PATH])) if self._dconf else values.keys()
        made: Snapshot = {}
        for key, protocol in _KEYS:
            if (protocol, key) not in values:
                raise ProxyError(f"this desktop has no setting {_SCHEMA} {protocol} {key}")
            place = made.setdefault(protocol, {}) if protocol else made
            place[key] = values[protocol, key] if (protocol, key) in known else None
        return made

    def planned(self, setting: ProxySetting, snapshot: Snapshot) -> Snapshot:
        if setting.kind is ProxyKind.PAC:
            return {**snapshot, "autoconfig-url": _quoted(setting.url), "mode": "'auto'"}
        ignored = ", ".join(_quoted(f"*{one}" if one.startswith(".") else one) for one in setting.bypass)
        place = {"host": _quoted(setting.host), "port": str(setting.port)}
        hosts = {"ignore-hosts": f"[{ignored}]" if ignored else "@as []", "mode": "'manual'"}
        return {**snapshot, **{one: dict(place) for one in _PROTOCOLS}, **hosts}

    def apply(self, setting: ProxySetting) -> Snapshot:
        now = self.snapshot()
        self._turn(now, self.planned(setting, now))
        return self.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        self._turn(self.snapshot(), snapshot)

    def _turn(self, now: Snapshot, wanted: Snapshot) -> None:
        """Values first and the switch last; first where it turns off."""
        keys = sorted(_KEYS, key=lambda one: one[0] == "mode", reverse=not _is_on(wanted))
        for key, protocol in keys:
            value = _at(wanted, key, protocol)
            if value != _at(now, key, protocol):
                self._write(key, protocol, value)
        after = self.snapshot()
        for key, protocol in keys:
            value, there = _at(wanted, key, protocol), _at(after, key, protocol)
            if value != there and (self._dconf or value is not None):
                where = f"{protocol} {key}".strip()
                raise ProxyError(f"the desktop did not keep what was set: {where} is {there}, not {value}")

    def _write(self, key: str, protocol: str, value: str | None) -> None:
        schema = f"{_SCHEMA}.{protocol}" if protocol else _SCHEMA
        if value is None or not self._dconf:
            run(["gsettings", "reset", schema, key])
        if value is not None and (self._dconf or run(["gsettings", "get", schema, key]).strip() != value):
            run(["gsettings", "set", schema, key, value])

    def cleared(self, snapshot: Snapshot) -> Snapshot:
        return {**snapshot, "mode": "'none'"} if _is_on(snapshot) else snapshot

    def loopback_ports(self, snapshot: Snapshot) -> tuple[int, ...]:
        return tuple(sorted({port for host, port in _places(snapshot) if is_loopback(host)}))

    def leads_to(self, snapshot: Snapshot) -> tuple[str, ...]:
        if snapshot["mode"] == "'auto'":
            return (_text(snapshot["autoconfig-url"]) or "wpad",)
        return tuple(dict.fromkeys(f"{host}:{port}" for host, port in _places(snapshot)))


def _is_on(snapshot: Snapshot) -> bool:
    return snapshot["mode"] not in (None, "'none'")


def _places(snapshot: Snapshot) -> list[tuple[str, int]]:
    """Hosts and ports that programs are sent to."""
    if snapshot["mode"] == "'auto'":
        return [place for place in [split_url(_text(snapshot["autoconfig-url"]))] if place[0]]
    if snapshot["mode"] != "'manual'":
        return []
    found = [(_text(snapshot[one]["host"]), snapshot[one]["port"] or "0") for one in _PROTOCOLS]
    return [(host, int(port)) for host, port in found if host and port.isdigit()]


def _at(snapshot: Snapshot, key: str, protocol: str) -> str | None:
    value: str | None = (snapshot[protocol] if protocol else snapshot)[key]
    return value


def _parse_list(text: str) -> dict[tuple[str, str], str]:
    """(protocol or "", key) to value, of lines like `org.gnome.system.proxy.http host 'x'`."""
    found = {}
    for line in text.splitlines():
        schema, _, rest = line.partition(" ")
        key, _, value = rest.partition(" ")
        found[schema.removeprefix(_SCHEMA).lstrip("."), key] = value.strip()
    return found


def _parse_dump(text: str) -> set[tuple[str, str]]:
    """(protocol or "", key) of all that is set."""
    found, section = set(), ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]/ ")
        elif "=" in line:
            found.add((section, line.partition("=")[0]))
    return found


def _quoted(text: str) -> str:
    """As GVariant writes a string. Ours have no control characters."""
    quote = '"' if "'" in text else "'"
    escaped = re.sub(rf"[\\{quote}]", r"\\\g<0>", text)
    return f"{quote}{escaped}{quote}"


def _text(value: str | None) -> str:
    """What a GVariant string says; Python reads its escapes alike."""
    if value is None:
        return ""
    try:
        read = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return ""
    return read if isinstance(read, str) else ""

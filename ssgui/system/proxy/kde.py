"""KDE's proxy: the group "Proxy Settings" of `kioslaverc`, and a signal that says that it was changed.

The file is changed as a whole: one rename turns everything, and lines that we do not know stay. Plasma 5 and 6 have the
same file and the same signal.
"""

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from ssgui.config.atomic_file import write_atomically
from ssgui.protocol.address import bracketed
from ssgui.system.proxy.backend import ProxyBackend, ProxyError, ProxyKind, ProxySetting, Snapshot
from ssgui.system.proxy.loopback import is_loopback, split_url
from ssgui.system.proxy.programs import run

_GROUP = "[Proxy Settings]"
_OUR_GROUP = re.compile(r"\[Proxy Settings\](\[\$\w+\])?\s*$")  # and no group inside of it
_KEYS = ("ProxyType", "Proxy Config Script", "httpProxy", "httpsProxy", "socksProxy", "NoProxyFor", "ReversedException")
_OFF, _MANUAL, _PAC, _WPAD, _ENVIRONMENT = "01234"
_PLACES = ("httpProxy", "httpsProxy", "socksProxy")
_SIGNAL = ("dbus-send", "--session", "--type=signal", "/KIO/Scheduler",
           "org.kde.KIO.Scheduler.reparseSlaveConfiguration", "string:")  # fmt: skip


class KdeProxy(ProxyBackend):
    """Values as they stand in the file; None is unset."""

    name: ClassVar[str] = "kde"

    @property
    def path(self) -> Path:
        """The file, whether it is there or not."""
        home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        return Path(home) / "kioslaverc"

    def snapshot(self) -> Snapshot:
        found = dict.fromkeys(_KEYS)
        for key, value in _group(self._read()):
            if key in found:
                found[key] = value
        return found

    def _read(self) -> list[str]:
        try:
            return self.path.read_text("utf-8", "surrogateescape").splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ProxyError(f"{self.path} cannot be read: {error.strerror}") from None

    def planned(self, setting: ProxySetting, snapshot: Snapshot) -> Snapshot:
        if setting.kind is ProxyKind.PAC:
            return {**snapshot, "Proxy Config Script": setting.url, "ProxyType": _PAC}
        host = bracketed(setting.host)
        http, socks = f"http://{host} {setting.port}", f"socks://{host} {setting.port}"
        values = {"httpProxy": http, "httpsProxy": http, "socksProxy": socks, "NoProxyFor": ",".join(setting.bypass)}
        return {**snapshot, **values, "ReversedException": "false", "ProxyType": _MANUAL}

    def apply(self, setting: ProxySetting) -> Snapshot:
        self._turn(self.planned(setting, self.snapshot()))
        return self.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        self._turn(snapshot)

    def _turn(self, wanted: Snapshot) -> None:
        lines = self._read()
        if locked := [key for key in _KEYS if _is_locked(lines, key)]:
            raise ProxyError(f"{self.path}: {locked[0]} is locked by whoever administers this computer")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            text = "\n".join(_with(lines, wanted))
            write_atomically(self.path, (text + "\n").encode("utf-8", "surrogateescape") if text else b"")
        except OSError as error:
            raise ProxyError(f"{self.path} cannot be written: {error.strerror}") from None
        if self.snapshot() != {key: wanted[key] for key in _KEYS}:
            raise ProxyError(f"{self.path} does not say what was written")
        if shutil.which(_SIGNAL[0]):
            with suppress(ProxyError):  # programs that were not told find it at their next start
                run(_SIGNAL)

    def cleared(self, snapshot: Snapshot) -> Snapshot:
        return {**snapshot, "ProxyType": _OFF} if snapshot["ProxyType"] not in (None, _OFF) else snapshot

    def loopback_ports(self, snapshot: Snapshot) -> tuple[int, ...]:
        return tuple(sorted({port for host, port in _places(snapshot) if is_loopback(host)}))

    def leads_to(self, snapshot: Snapshot) -> tuple[str, ...]:
        match snapshot["ProxyType"]:
            case "2":
                return (snapshot["Proxy Config Script"] or "",) if snapshot["Proxy Config Script"] else ()
            case "3":
                return ("wpad",)
            case "4":
                return ("environment",)
        return tuple(dict.fromkeys(f"{host}:{port}" for host, port in _places(snapshot)))


def _places(snapshot: Snapshot) -> list[tuple[str, int]]:
    if snapshot["ProxyType"] == _PAC:
        found = [split_url(snapshot["Proxy Config Script"] or "")]
    elif snapshot["ProxyType"] == _MANUAL:
        found = [_place(snapshot[key] or "") for key in _PLACES]
    else:
        found = []
    return [place for place in found if place[0]]


def _place(value: str) -> tuple[str, int]:
    """Of "http://host 3128", which is how KDE writes it, or "http://host:3128"."""
    url, _, port = value.strip().partition(" ")
    host, number = split_url(url if "://" in url else f"http://{url}")
    return host, int(port) if port.isdigit() else number


def _group(lines: list[str]) -> list[tuple[str, str]]:
    """Keys and values of our group."""
    found, inside = [], False
    for line in lines:
        if line.startswith("["):
            inside = _OUR_GROUP.match(line) is not None
        elif inside and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.append((key.partition("[")[0].strip(), value))
    return found


def _is_locked(lines: list[str], key: str) -> bool:
    """KDE marks what may not be changed with [$i], the key, its group or the whole file."""
    marked = re.compile(rf"({re.escape(key)}|{re.escape(_GROUP)})\[[^]]*i[^]]*\]|\[\$i\]$")
    return any(marked.match(line) for line in lines)


def _with(lines: list[str], wanted: Snapshot) -> list[str]:
    """`lines` in which our group says `wanted`. A group that has nothing left goes."""
    made: list[str] = []
    rest = {key: wanted[key] for key in _KEYS if wanted[key] is not None}
    inside = seen = False
    for line in lines:
        if line.startswith("["):
            if inside:
                made += _entries(rest)
            inside = _OUR_GROUP.match(line) is not None
            seen = seen or inside
        elif inside and (key := line.partition("=")[0].partition("[")[0].strip()) in _KEYS:
            if key in rest:
                made.append(f"{key}={rest.pop(key)}")
            continue
        made.append(line)
    if not seen and rest:
        made += [_GROUP] if not made or not made[-1] else ["", _GROUP]
        inside = True
    if inside:
        made += _entries(rest)
    return _without_empty(made)


def _entries(rest: dict[str, str]) -> list[str]:
    """What is not in the file yet; `rest` is empty then."""
    made = [f"{key}={value}" for key, value in rest.items()]
    rest.clear()
    return made


def _without_empty(lines: list[str]) -> list[str]:
    """Without our group, if nothing stands in it."""
    at = next((number for number, line in enumerate(lines) if line == _GROUP), None)
    if at is None:
        return lines
    end = next((number for number in range(at + 1, len(lines)) if lines[number].startswith("[")), len(lines))
    if any(line.strip() for line in lines[at + 1 : end]):
        return lines
    return [*lines[:at], *lines[end:]] if lines[end:] else _trimmed(lines[:at])


def _trimmed(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines

"""What reading a document gives: servers, a note for everything else, and hints for settings."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from ssgui.config.models import ServerProfile
from ssgui.config.values import ConfigError

MAX_SERVERS: Final = 10_000
_MAX_NOTES = 20_000
_MAX_LISTED = 5


class Severity(StrEnum):
    """What became of the thing that a note is about."""

    REMARK = "remark"  # taken, and something is to be known about it
    MERGED = "merged"  # it is there twice, and taken once
    SKIPPED = "skipped"  # a server that was not taken
    SETTING = "setting"  # no server, and not taken


@dataclass(frozen=True, slots=True)
class Note:
    """`where` is an entry, a line or a key of the document, `what` what is to be said about it, without secrets."""

    severity: Severity
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


@dataclass(frozen=True, slots=True)
class ImportedServer:
    """A server, the id and group that the document gave it ("" for none), and what else its entry had."""

    profile: ServerProfile
    identity: str = ""
    group: str = ""
    custom: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class SettingHints:
    """What a document says about settings of ours; None, "" or () where it says nothing.

    `mode` is one of "off", "pac", "rules", "global"; `subscriptions` are addresses of online configurations, which
    are secrets; `current` is the index of the server in use.
    """

    local_port: int | None = None
    mode: str = ""
    share: bool | None = None
    udp: bool | None = None
    subscriptions: tuple[str, ...] = field(default=(), repr=False)
    current: int | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """One document. `title` says for people what it is; `extras` is what it had beside its servers and is kept."""

    format: str
    title: str
    servers: tuple[ImportedServer, ...]
    notes: tuple[Note, ...]
    settings: SettingHints = SettingHints()
    extras: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def profiles(self) -> tuple[ServerProfile, ...]:
        """The servers alone."""
        return tuple(server.profile for server in self.servers)

    def noted(self, *severities: Severity) -> tuple[Note, ...]:
        """The notes of these severities."""
        return tuple(note for note in self.notes if note.severity in severities)


def shown(text: str, most: int = 40) -> str:
    """A word of the document, short and safe on one line, in quotation marks."""
    return json.dumps(text if len(text) <= most else text[: most - 3] + "...")


@dataclass(slots=True)
class Ledger:
    """Where readers write down what they find. Equal servers are merged, the first of them counts."""

    local_port: int | None = None
    mode: str = ""
    share: bool | None = None
    udp: bool | None = None
    extras: dict[str, Any] = field(default_factory=dict)
    _subscriptions: dict[str, None] = field(default_factory=dict)
    _servers: list[ImportedServer] = field(default_factory=list)
    _notes: list[Note] = field(default_factory=list)
    _seen: dict[tuple[Any, ...], tuple[int, str]] = field(default_factory=dict)
    _kept: dict[str, list[str]] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict)
    _current: str = ""

    def take(self, where: str, server: ImportedServer) -> None:
        """A server was read at `where`."""
        profile = server.profile
        key = (profile.host.lower(), profile.port, profile.method, profile.password, profile.plugin)
        if key in self._seen:
            place, first = self._seen[key]
            self._places[where] = place
            self._note(Severity.MERGED, where, f"the same server as {first}")
            return
        if len(self._servers) >= MAX_SERVERS:
            raise ConfigError(f"there are more than {MAX_SERVERS} servers")
        self._seen[key] = len(self._servers), where
        self._places[where] = len(self._servers)
        self._servers.append(server)
        for name in server.custom:
            self._kept.setdefault(name, []).append(where)

    @contextmanager
    def reading(self, where: str) -> Iterator[None]:
        """Note what is raised inside as the reason why the server at `where` was not taken."""
        try:
            yield
        except ConfigError as error:
            self.skip(where, str(error))

    def remark(self, where: str, what: str) -> None:
        """Something was taken, but."""
        self._note(Severity.REMARK, where, what)

    def skip(self, where: str, what: str) -> None:
        """A server was not taken."""
        self._note(Severity.SKIPPED, where, what)

    def setting(self, key: str, what: str = "is not imported") -> None:
        """A setting was not taken. Its value is not shown: it may be a secret."""
        self._note(Severity.SETTING, shown(key), what)

    def subscription(self, address: str) -> None:
        """The address of an online configuration."""
        self._subscriptions[address] = None

    def online(self, where: str, address: str) -> None:
        """The same, found among servers."""
        self.subscription(address)
        self._note(Severity.SETTING, where, "it is the address of an online configuration, to be fetched over https")

    def use(self, where: str) -> None:
        """The entry at `where` is the one in use."""
        self._current = where

    def _note(self, severity: Severity, where: str, what: str) -> None:
        if len(self._notes) < _MAX_NOTES:
            self._notes.append(Note(severity, where, what))
        elif len(self._notes) == _MAX_NOTES:
            self._notes.append(Note(Severity.SKIPPED, "", f"there are more than {_MAX_NOTES} notes: no more are kept"))

    def finish(self, name: str, title: str) -> Imported:
        """Everything together."""
        for key, places in self._kept.items():
            listed = ", ".join(places[:_MAX_LISTED])
            more = f" and {len(places) - _MAX_LISTED} more" if len(places) > _MAX_LISTED else ""
            self.remark(listed + more, f"{shown(key)} is kept, but has no effect")
        current = self._places.get(self._current)
        hints = SettingHints(self.local_port, self.mode, self.share, self.udp, tuple(self._subscriptions), current)
        return Imported(name, title, tuple(self._servers), tuple(self._notes), hints, self.extras)

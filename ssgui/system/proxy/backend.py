"""What every desktop's proxy setting looks like to us. Standard library only; calls block."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar


class ProxyError(Exception):
    """The system's proxy setting could not be read or changed; says what was tried and what came of it."""


class ProxyKind(StrEnum):
    """What the system is told."""

    PAC = "pac"
    MANUAL = "manual"  # "Global": host and port for everything


@dataclass(frozen=True, slots=True)
class ProxySetting:
    """What we want the system to use: the PAC's `url`, or `host` and `port` (HTTP and SOCKS on one port).

    `bypass` are hosts, suffixes (".local") and networks (CIDR) that go directly with MANUAL.
    """

    kind: ProxyKind
    url: str = ""
    host: str = ""
    port: int = 0
    bypass: tuple[str, ...] = ()


Snapshot = dict[str, Any]
"""JSON-able: everything that a backend changes, in the backend's own words; what is unset is said to be unset.

Nested dicts, and one value a setting of the system in the leaves (a list is one leaf): what another program changed
is told apart leaf by leaf, and kept when the rest is put back.
"""


class ProxyBackend(ABC):
    """One way to set the system's proxy. Every method raises ProxyError, and none leaves a child behind."""

    name: ClassVar[str]

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """All that is set now."""

    def planned(self, setting: ProxySetting, snapshot: Snapshot) -> Snapshot:
        """What `snapshot` would say after `apply(setting)`, without touching anything; {} if that cannot be told.

        It is written down before the change: after a crash in the midst of `apply` it tells our values from others'.
        """
        return {}

    @abstractmethod
    def apply(self, setting: ProxySetting) -> Snapshot:
        """Set it, values first and the switch last; read back and compare. What is set then, as `snapshot` says it."""

    @abstractmethod
    def restore(self, snapshot: Snapshot) -> None:
        """Set exactly what `snapshot` says, unset keys included, the switch first where that is safer; read back."""

    @abstractmethod
    def cleared(self, snapshot: Snapshot) -> Snapshot:
        """`snapshot` with the proxy switched off and nothing else changed."""

    @abstractmethod
    def loopback_ports(self, snapshot: Snapshot) -> tuple[int, ...]:
        """The loopback ports that `snapshot` sends programs or browsers to (its PAC's included); () if none."""

    def leads_to(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Where `snapshot` sends programs, for people to read ("proxy.example:3128", a PAC's URL); () if nowhere.

        It tells a proxy of another program, which is not to be touched, from a switch of ours that leads nowhere.
        """
        return tuple(f"127.0.0.1:{port}" for port in self.loopback_ports(snapshot))

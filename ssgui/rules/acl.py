"""Access lists as shadowsocks-libev and shadowsocks-rust write them (`--acl FILE`)."""

from dataclasses import dataclass
from enum import StrEnum


class Route(StrEnum):
    """Where a connection goes."""

    PROXY = "proxy"
    DIRECT = "direct"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Match:
    """A verdict, and the rule it rests on as the file has it ("" for the default)."""

    route: Route
    rule: str = ""


@dataclass(frozen=True)
class Acl:
    """One access list, parsed."""

    name: str

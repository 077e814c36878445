"""What is to be known about a server beside what its connections do."""

from collections.abc import Iterable
from ipaddress import ip_address

import msgspec

from ssgui.engine.plugins.plugin import PluginView
from ssgui.engine.relay import LocalRelay
from ssgui.engine.upstream.proxy import ProxyDialer
from ssgui.engine.upstream.server import Upstream
from ssgui.protocol.address import Address
from ssgui.protocol.sip022 import METHODS_2022
from ssgui.rules.lan import is_lan
from ssgui.services.diagnosis.clock import Reading

_CLOCK_ERROR = 2.0  # seconds: a server's header has whole ones, and was a while on its way


class ServerFacts(msgspec.Struct, frozen=True):
    """Of one server. `needs_clock`: its method does not work with a clock that is off; `clock` is what it said of its
    own. `way` is the proxy before it, "" without. `addresses` are those that its name had last.
    """

    host: str
    port: int
    needs_clock: bool = False
    clock: Reading | None = None
    plugin: PluginView | None = None
    way: str = ""
    addresses: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Host and port."""
        return str(Address(self.host, self.port))

    @property
    def hidden(self) -> bool:
        """Whether somebody stands between us and the server, so that it is not the server's kernel that takes bytes."""
        return self.plugin is not None or bool(self.way)


def find_upstream(relay: LocalRelay, server: str) -> Upstream | None:
    """The server that events give this name."""
    return next((one for one in relay.pool.upstreams if one.name == server), None)


def facts_of(relay: LocalRelay, server: str) -> ServerFacts | None:
    """What `relay` knows of the server with this name; None if it has none."""
    upstream = find_upstream(relay, server)
    if upstream is None:
        return None
    profile, offset = upstream.profile, upstream.clock_offset
    return ServerFacts(
        profile.host, profile.port, profile.method in METHODS_2022,
        None if offset is None else Reading(float(offset), _CLOCK_ERROR, upstream.clock_base, "server"),
        None if upstream.plugin is None else upstream.plugin.view(),
        str(relay.dialer.address) if isinstance(relay.dialer, ProxyDialer) else "",
        tuple(relay.resolver.last_found(profile.host, profile.port)),
    )  # fmt: skip


def looks_made_up(host: str, addresses: Iterable[str]) -> bool:
    """Whether `host`, a name of the public internet, was given only addresses that nobody has there.

    A filter answers so, and so does another proxy program that makes addresses up. A company's own names may too, so
    that this says something only about a server that does not work.
    """
    found = [ip_address(one.partition("%")[0]) for one in addresses]
    return bool(found) and not _is_address(host) and not is_lan(host) and not any(one.is_global for one in found)


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True

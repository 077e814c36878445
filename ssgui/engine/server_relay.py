"""A server's port: Shadowsocks clients come, their connections leave for the targets directly.

How it goes on with other settings is `server_change`.
"""

import asyncio
import errno
import socket
from typing import TYPE_CHECKING, Any

from ssgui.config.models import ServerSettings
from ssgui.engine.dialer import Dialer
from ssgui.engine.errors import BindError
from ssgui.engine.events import Endpoint
from ssgui.engine.forbidden import AclGuard, AddressGuard, ForbiddenAddresses
from ssgui.engine.plugins.plugin import Plugin
from ssgui.engine.port_salts import PortSalts
from ssgui.engine.relay import TCPRelay, listener
from ssgui.engine.resolver import NetworkLookup, Resolver
from ssgui.engine.sessions.session import Session
from ssgui.engine.sessions.shadowsocks import ShadowsocksSession
from ssgui.engine.stages import Role
from ssgui.engine.tasks import spawn
from ssgui.engine.tcp_options import tcp_options
from ssgui.engine.tunnel import server_tunnel
from ssgui.engine.udp.server import ServerUDPRelay

if TYPE_CHECKING:
    from ssgui.engine.engine import Engine


class ServerRelay(TCPRelay):
    """A server on one port."""

    role = Role.SERVER
    inbound = "shadowsocks"
    plugin: Plugin | None

    def __init__(self, engine: "Engine", settings: ServerSettings) -> None:
        options = tcp_options(fast_open=settings.fast_open, mptcp=settings.mptcp)
        bind = settings.bind_host, settings.bind_port
        super().__init__(engine, bind, settings.timeout, new_resolver(settings), new_guard(settings), options)
        self.settings, self.acl = settings, settings.acl
        self.salts = PortSalts(engine.salts)
        self.tunnel = server_tunnel(settings, self.salts)
        self.know_users(settings)
        if settings.udp:
            self.udp = ServerUDPRelay(self, settings.udp_timeout, engine.most_associations)
        self.plugin_settings, self.plugin = settings.plugin, None
        self._finishing: set[asyncio.Task[None]] = set()

    def know_users(self, settings: ServerSettings) -> None:
        """Let the counters name every user, also who has not come yet."""
        for user in settings.users:
            self.tally.users.setdefault(user.name, (0, 0))

    async def open_tcp(self, host: str, port: int) -> None:
        """Behind a plugin the public port is the plugin's; we listen on the loopback. BindError, PluginError."""
        if self.plugin_settings is None:
            await super().open_tcp(host, port)
            return
        if not port:
            raise BindError(host, port, OSError(errno.EINVAL, "behind a plugin the port must be given"))
        await super().open_tcp("127.0.0.1", 0)
        try:
            self.plugin = Plugin(self.plugin_settings, Role.SERVER, (host, port), self.address)
            await self.plugin.start()
        except BaseException:
            self.close_tcp()
            raise
        self.address = host, port

    def _new_listener(self, family: int, address: Any) -> socket.socket:
        return listener(family, address, self.options, shared=self.engine.salts is not None)

    async def end_plugin(self) -> None:
        """Stop the plugin, and what it carries with it."""
        if self.plugin is not None:
            await self.plugin.stop()
            self.plugin = None

    def exchange_dialer(self) -> None:
        """New connections are made with the resolver and guard of now; those that are being made are left alone."""
        former = self.dialer
        self.dialer = Dialer(self.reactor, self.resolver, self.guard)
        self.dialers.append(self.dialer)
        self._finishing.add(finishing := spawn(self._finish(former), name="dials of the settings before"))
        finishing.add_done_callback(self._finishing.discard)

    async def _finish(self, dialer: Dialer) -> None:
        await dialer.finish()
        self.dialers.remove(dialer)
        if not any(dialer.resolver is other.resolver for other in self.dialers):
            await dialer.close()

    async def closed(self) -> None:
        for finishing in self._finishing:
            finishing.cancel()
        await super().closed()
        await self.end_plugin()

    def new_session(self, conn: int, sock: socket.socket, client: Endpoint) -> Session[Any]:
        return ShadowsocksSession(conn, self, sock, client)


def new_resolver(settings: ServerSettings) -> Resolver:
    """What looks up the names of targets."""
    return Resolver(NetworkLookup(settings.nameservers), prefer_ipv6=settings.prefer_ipv6)


def new_guard(settings: ServerSettings) -> AddressGuard:
    """What judges the addresses of targets."""
    forbidden = ForbiddenAddresses(settings.forbidden)
    return forbidden if settings.acl is None else AclGuard(settings.acl, forbidden)

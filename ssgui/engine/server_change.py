"""A server's port goes on with other settings: what did not change goes on with it, connections and all.

Who may not come any more goes: connections of a user who was taken out, or whose key is another one, and all of them
where the port's own key or method is another. New keys would be worth little if old ones stayed in.
"""

import logging

from ssgui.config.models import ServerSettings
from ssgui.engine.errors import EngineError
from ssgui.engine.server_relay import ServerRelay, new_guard, new_resolver
from ssgui.engine.sessions.shadowsocks import ShadowsocksSession
from ssgui.engine.stages import Reason, Stage
from ssgui.engine.tasks import spawn
from ssgui.engine.tcp_options import tcp_options
from ssgui.engine.tunnel import Tunnel, server_tunnel, takes_pieces, user_pairs
from ssgui.engine.tunnel2022 import Tunnel2022
from ssgui.engine.udp.server import ServerUDPRelay
from ssgui.protocol.identity import Users
from ssgui.protocol.sip022_datagrams import ServerDatagrams2022

GONE = "its key is not in use any more"
_LISTENER = ("fast_open", "mptcp", "plugin")
_KEYS = ("method", "password", "legacy_methods", "segmented_header", "plugin")
_TARGETS = ("nameservers", "prefer_ipv6", "forbidden", "acl")
_log = logging.getLogger("ssgui")


async def change_server(relay: ServerRelay, after: ServerSettings) -> None:
    """Go on with `after`, whose host and port are those of before.

    BindError, PluginError, LocalProtocolError: all is as it was.
    """
    keys = _Keys(relay, after)
    udp = await _new_udp(relay, after, keys.tunnel)
    try:
        if _differ(relay.settings, after, _LISTENER):
            await _open_again(relay, after)
    except BaseException:
        if udp is not None:
            udp.close()
            await udp.closed()
        raise
    before, relay.settings = relay.settings, after
    relay.timeout = after.timeout
    if udp is not None:
        relay.udp = udp
    elif relay.udp is not None and not after.udp:
        relay.udp.close()
        spawn(relay.udp.closed(), name="a UDP port that was closed")
        relay.udp = None
    elif relay.udp is not None:
        relay.udp.wait_for(after.udp_timeout)
    if _differ(before, after, _TARGETS):
        _change_targets(relay, before)
    relay.know_users(after)
    if keys.differ:
        keys.change(relay)
        _revoke(relay, _gone(before, after))


def _differ(before: ServerSettings, after: ServerSettings, fields: tuple[str, ...]) -> bool:
    return any(getattr(before, field) != getattr(after, field) for field in fields)


class _Keys:
    """What opens and seals from now on: another tunnel, or the same with other users. LocalProtocolError."""

    def __init__(self, relay: ServerRelay, after: ServerSettings) -> None:
        before, self.tunnel = relay.settings, relay.tunnel
        self._users: Users | None = None
        self._pieces = takes_pieces(after)
        self._gone = _gone(before, after)
        self.differ = before.users != after.users or _differ(before, after, _KEYS)
        same = not _differ(before, after, ("method", "password", "legacy_methods"))
        if same and isinstance(self.tunnel, Tunnel2022) and self.tunnel.users is not None and after.users:
            self._users = self.tunnel.known_users(user_pairs(after))
        elif not same or before.users != after.users:
            self.tunnel = server_tunnel(after, relay.salts)

    def change(self, relay: ServerRelay) -> None:
        """Nothing can fail any more."""
        udp = relay.udp
        if relay.tunnel is not self.tunnel:
            relay.tunnel = self.tunnel
            if isinstance(udp, ServerUDPRelay):
                udp.codec = self.tunnel.server_datagrams()
            return
        if not isinstance(self.tunnel, Tunnel2022):
            return
        self.tunnel.segmented = self._pieces
        if self._users is not None:
            self.tunnel.users = self._users
            if isinstance(udp, ServerUDPRelay) and isinstance(udp.codec, ServerDatagrams2022):
                udp.codec.change_users(self._users, self._gone)


async def _new_udp(relay: ServerRelay, after: ServerSettings, tunnel: Tunnel) -> ServerUDPRelay | None:
    """The UDP side that was not there before, if it is wanted now; it listens."""
    if not after.udp or relay.udp is not None:
        return None
    udp = ServerUDPRelay(relay, after.udp_timeout, relay.engine.most_associations)
    udp.codec = tunnel.server_datagrams()
    await udp.listen(relay.host, relay.address[1])
    return udp


async def _open_again(relay: ServerRelay, after: ServerSettings) -> None:
    """Close the port for connections and open it as `after` wants it. What goes through a plugin ends with that."""
    port, options = relay.address[1], relay.options
    relay.close_tcp()
    await relay.end_plugin()
    relay.plugin_settings = after.plugin
    relay.options = tcp_options(fast_open=after.fast_open, mptcp=after.mptcp)
    try:
        await relay.open_tcp(relay.host, port)
        relay.accept()
    except BaseException:
        relay.plugin_settings, relay.options = relay.settings.plugin, options
        await relay.end_plugin()
        try:
            await relay.open_tcp(relay.host, port)
            relay.accept()
        except EngineError as error:
            _log.error("what was there before could not be opened again: %s", error)
        raise


def _change_targets(relay: ServerRelay, before: ServerSettings) -> None:
    """New connections go where the settings of now allow it; names that are looked up already are found as before."""
    after = relay.settings
    relay.acl, relay.guard = after.acl, new_guard(after)
    if _differ(before, after, ("nameservers", "prefer_ipv6")):
        relay.resolver = new_resolver(after)
    relay.exchange_dialer()
    if isinstance(relay.udp, ServerUDPRelay):
        relay.udp.change_targets(after.acl)


# ---- who may not come any more


def _gone(before: ServerSettings, after: ServerSettings) -> frozenset[str]:
    """The names of users who are not what they were: "" is everybody, where there are no names."""
    now = _identities(after)
    return frozenset(name for name, key in _identities(before).items() if now.get(name) != key)


def _identities(settings: ServerSettings) -> dict[str, object]:
    own = settings.method, settings.password
    return {user.name: (own, user.password) for user in settings.users} or {"": own}


def _revoke(relay: ServerRelay, gone: frozenset[str]) -> None:
    """End what came by a key that is gone; who has not said yet who it is must say it by the keys of now."""
    for handler in list(relay.engine.handlers.values()):
        if handler.relay is not relay:
            continue
        session = getattr(handler, "session", None)
        if handler.stage is Stage.INIT and isinstance(session, ShadowsocksSession):
            session.revoke(gone)
        elif handler.user in gone:
            handler.destroy(Reason.DENIED, detail=GONE)

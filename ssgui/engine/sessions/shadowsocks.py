"""A Shadowsocks client asks for a target, encrypted; its handler goes there directly.

Until the first good address nothing is sent and nothing is closed by us before the drain's one deadline,
whatever comes: a prober learns nothing from what we do, nor from when.
"""

import socket
from typing import TYPE_CHECKING

from ssgui.engine.errors import DialError, DialFailure
from ssgui.engine.events import Endpoint
from ssgui.engine.handler import Farewell
from ssgui.engine.leg import Leg
from ssgui.engine.sessions.session import Session
from ssgui.engine.stages import Reason, Stage
from ssgui.protocol.address import Address, decode_address
from ssgui.protocol.errors import AuthenticationError, BadRequestError
from ssgui.rules.acl import Route

if TYPE_CHECKING:
    from ssgui.engine.server_relay import ServerRelay

_FIRST_READ = 32 * 1024


class ShadowsocksSession(Session["ServerRelay"]):
    """INIT reads the address."""

    __slots__ = ("_head", "revoked")

    def __init__(self, conn: int, relay: "ServerRelay", sock: socket.socket, client: Endpoint) -> None:
        super().__init__(conn, relay, sock, client)
        self.local.decoder = relay.tunnel.server_decoder()
        self.revoked: frozenset[str] = frozenset()  # users who may not come any more, since this one was accepted
        self._head = b""

    def start(self) -> None:
        self.relay.drain.admit(self.local)
        self.local.on_readable = self._read_address
        self.local.watch()  # unlike a program's greeting, a first flight is never here already
        acl = self.relay.acl
        if acl is not None and (match := acl.source(self.client[0])).route is Route.REJECT:
            self.handler.rule = match.rule
            self.handler.destroy(Reason.DENIED, Farewell.DRAIN, f"the client is denied by {match.rule}")

    def read(self, limit: int) -> bytes:
        opened = self.local.recv_opened(limit)
        data = b"" if opened is None else bytes(opened)
        self._check()
        return data

    def _read_address(self) -> None:
        local, handler = self.local, self.handler
        while (opened := local.recv_opened(_FIRST_READ)) is not None:
            if opened:
                self._head += bytes(opened)
                try:
                    found = decode_address(self._head)
                except BadRequestError as error:
                    handler.garbled(local, error)
                    return
                if found is not None:
                    if self.revoked and self._is_revoked():
                        return
                    target, size = found
                    handler.early = self._head[size:]
                    local.received = len(handler.early)
                    self._go(target)
                    return
            self._check()
            if local.paused or local.closed or not local.readable or handler.stage is not Stage.INIT:
                return

    def revoke(self, users: frozenset[str]) -> None:
        """Of who has not said yet who it is: it must be none of `users`, and have the keys of today."""
        decoder = self.local.decoder
        if decoder is not None and not decoder.salt and not decoder.held:
            self.local.decoder = self.relay.tunnel.server_decoder()
        else:
            self.revoked |= users

    def _is_revoked(self) -> bool:
        decoder = self.local.decoder
        if decoder is None or decoder.user not in self.revoked:
            return False
        self.handler.garbled(self.local, AuthenticationError("its key is not in use any more"))
        return True

    def _go(self, target: Address) -> None:
        del self._head
        self.relay.drain.release(self.local)
        handler = self.handler
        handler.target, handler.route = target, "direct"
        decoder = self.local.decoder
        assert decoder is not None
        handler.user = decoder.user
        error = decoder.error
        if not self._blocked(target):
            handler.dial(target.host, target.port, self.relay.dialer)
        if error is not None:
            handler.garbled(self.local, error)

    def _blocked(self, target: Address) -> bool:
        """Whether the access list names the target; what it resolves to, the dialer's guard judges."""
        acl, handler = self.relay.acl, self.handler
        match = None if acl is None else acl.outbound(target.host)
        if match is None:
            return False
        handler.rule = match.rule
        if match.route is not Route.REJECT:
            return False
        handler.route = match.route
        handler.destroy(Reason.DENIED, detail=f"the target is denied by {match.rule}")
        return True

    def _check(self) -> None:
        decoder = self.local.decoder
        if decoder is not None and decoder.error is not None:
            self.handler.user = decoder.user
            self.handler.garbled(self.local, decoder.error)

    def connected(self, local: Leg, remote: Leg) -> None:
        self.handler.stream()
        if not local.closed:  # the key of the answer is derived while the target reads
            assert local.decoder is not None
            local.encoder = self.relay.tunnel.server_encoder(local.decoder)

    def dial_failed(self, error: DialError) -> None:
        # A reset, not a FIN: the program at the far end must not take this for an empty answer.
        self.handler.destroy(error.reason, detail=error.detail if error.kind is DialFailure.DENIED else "")

    def ended_early(self, whole: bool) -> None:
        handler = self.handler
        if handler.stage is Stage.INIT:
            self.relay.drain.release(self.local)
            asked = self.local.decoder is not None and self.local.decoder.salt
            handler.destroy(Reason.TRUNCATED if asked or not whole else Reason.FINISHED, Farewell.CLOSE)
        elif not whole:
            handler.destroy(Reason.TRUNCATED)

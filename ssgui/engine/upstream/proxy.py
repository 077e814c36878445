"""Servers reached through a proxy: the dialer connects to the proxy, and asks it for a tunnel.

The server's name goes to the proxy as it is. Until the tunnel is open the connection is CONNECTING, and its
leg belongs to the `ProxyDialing`; then it is handed on as if it had been dialled.
"""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from ssgui.config.models import UpstreamProxy
from ssgui.engine.deadlines import DeadlineQueue
from ssgui.engine.dialer import Dialer, Dialing, DialOwner
from ssgui.engine.errors import PROXY_WORDS, DialError, DialFailure, dial_error
from ssgui.engine.forbidden import AddressGuard
from ssgui.engine.leg import Leg
from ssgui.engine.reactor import Reactor
from ssgui.engine.resolver import Resolver
from ssgui.engine.tcp_options import TCPOptions
from ssgui.protocol.address import Address
from ssgui.protocol.connect_client import ConnectClient
from ssgui.protocol.errors import BadRequestError, LocalProtocolError, RemoteProtocolError
from ssgui.protocol.proxy_client import ProxyClient, Refusal, RefusedError
from ssgui.protocol.socks5_client import Socks5Client

PROXY_SECONDS = 30.0  # for all of it: the connection to the proxy, and its answer
COMPLAINT_PAUSE = 30.0
_READ = 4096
_KINDS: Final = {
    Refusal.PROXY: DialFailure.DENIED,
    Refusal.DENIED: DialFailure.DENIED,
    Refusal.UNREACHABLE: DialFailure.UNREACHABLE,
    Refusal.REFUSED: DialFailure.REFUSED,
    Refusal.TIMEOUT: DialFailure.TIMEOUT,
}
_log = logging.getLogger(__name__)


class ProxyDialer(Dialer):
    """Connects through `proxy`. LocalProtocolError for a user or password that cannot be sent."""

    def __init__(
        self, reactor: Reactor, resolver: Resolver, guard: AddressGuard, proxy: UpstreamProxy,
        options: TCPOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__(reactor, resolver, guard, options)
        self.address = Address(proxy.host, proxy.port)
        new_client: Callable[..., ProxyClient] = Socks5Client if proxy.kind == "socks5" else ConnectClient
        user, password = proxy.user.encode(), proxy.password.reveal().encode()
        self.new_client: Callable[[Address], ProxyClient] = partial(new_client, user=user, password=password)
        self.new_client(self.address)  # what is wrong with user or password shows now
        self.waiting: DeadlineQueue[ProxyDialing] = DeadlineQueue(reactor.loop, PROXY_SECONDS, ProxyDialing.expired)
        self._complained = -COMPLAINT_PAUSE

    def dial(self, host: str, port: int, owner: DialOwner) -> Dialing | None:
        try:
            client = self.new_client(Address(host, port))
        except LocalProtocolError as error:
            owner.dial_failed(DialError(DialFailure.DNS, host, port, str(error)))
            return None
        dialing = ProxyDialing(self, client, Address(host, port), owner)
        self.waiting.add(dialing)
        dialing.start(super().dial(*self.address, dialing))
        return None if dialing.over else dialing

    async def close(self) -> None:
        for dialing in self.waiting.clear():
            dialing.cancel()
        await super().close()

    def complain(self, error: DialError) -> None:
        """Say what is wrong with the proxy; not for every connection."""
        now = time.monotonic()
        if now - self._complained >= COMPLAINT_PAUSE:
            self._complained = now
            _log.warning("no server can be reached: %s", error.detail)


class ProxyDialing:
    """One dial to `target`, for `owner`: a dial's owner itself until the tunnel is open."""

    __slots__ = ("_client", "_dialer", "_inner", "_owner", "_reached", "_target", "_told", "over", "remote")

    def __init__(self, dialer: ProxyDialer, client: ProxyClient, target: Address, owner: DialOwner) -> None:
        self._dialer, self._client, self._target, self._owner = dialer, client, target, owner
        self._inner: Dialing | None = None
        self._told = False  # the owner knows that connecting takes a while
        self._reached = False
        self.remote: Leg | None = None
        self.over = False

    def __repr__(self) -> str:
        return f"<proxy for {self._owner}>"

    def start(self, inner: Dialing | None) -> None:
        """`inner` is the dial to the proxy."""
        self._inner = inner

    @property
    def stuck(self) -> bool:
        """Whether what is awaited is the proxy, not what it has to say about the target."""
        return not (self._reached and self._client.asked)

    def cancel(self) -> None:
        if not self.over:
            self._end()

    def _end(self) -> None:
        self.over = True
        self._dialer.waiting.remove(self)
        inner, remote = self._inner, self.remote
        self._inner = self.remote = None
        if inner is not None:
            inner.cancel()
        if remote is not None:
            remote.reset()

    # ---- as owner of the dial to the proxy

    def resolved(self) -> None:
        self._owner.resolved()

    def connecting(self) -> None:
        self._told = True
        self._owner.connecting()

    def dial_failed(self, error: DialError) -> None:
        denied = error.kind is DialFailure.DENIED  # by the one guard there is
        self._fail(error.kind, "is this very port" if denied else f"cannot be reached: {error.detail}")

    def connect_failed(self, leg: Leg, error: OSError) -> None:
        self.dial_failed(dial_error(error, *self._dialer.address))

    def connected(self, leg: Leg) -> None:
        self._reached = True
        if not self._told:
            self.connecting()
        if not self.over:
            leg.on_readable = self._read
            self._say(leg)

    # ---- the dialogue

    def _say(self, leg: Leg) -> None:
        if out := self._client.data_to_send():
            leg.send(out)

    def _read(self) -> None:
        leg = self.remote
        assert leg is not None
        while data := leg.recv(_READ):
            try:
                opened = self._client.receive_data(data)
                if opened and self._client.trailing:  # a server of ours does not speak first
                    raise BadRequestError("sent something behind its answer, which nobody has asked for")
            except RemoteProtocolError as error:
                self._refused(error)
                return
            if opened:
                self._hand_on(leg)
                return
            self._say(leg)
            if self.over or not leg.readable:
                return

    def _hand_on(self, leg: Leg) -> None:
        self.remote = None  # or `_end` would close it
        self._inner = None
        self._end()
        leg.owner = self._owner
        self._owner.remote = leg
        self._owner.connected(leg)
        leg.read_again()

    def _refused(self, error: RemoteProtocolError) -> None:
        if isinstance(error, RefusedError):
            self._fail(_KINDS[error.refusal], str(error), by_proxy=error.refusal is Refusal.PROXY)
        else:
            self._fail(DialFailure.UNREACHABLE, str(error))

    def expired(self) -> None:
        """The time is up."""
        stuck = self.stuck
        self._fail(DialFailure.TIMEOUT, f"did not answer within {PROXY_SECONDS:g} s", by_proxy=stuck)

    def _fail(self, kind: DialFailure, what: str, *, by_proxy: bool = True) -> None:
        if self.over:
            return
        self._end()
        error = DialError(kind, *self._target, f"{PROXY_WORDS}{self._dialer.address} {what}", by_proxy=by_proxy)
        if by_proxy:
            self._dialer.complain(error)
        self._owner.dial_failed(error)

    # ---- as owner of its leg

    def ended(self, leg: Leg) -> None:
        self._fail(DialFailure.UNREACHABLE, "ended the connection without an answer")

    def finished(self, leg: Leg) -> None:
        """Our FIN is never sent: there is nothing to finish."""

    def lost(self, leg: Leg, error: OSError) -> None:
        self._fail(DialFailure.UNREACHABLE, "reset the connection")

    def garbled(self, leg: Leg, error: RemoteProtocolError) -> None:
        self._refused(error)

    def failed(self, leg: Leg, error: Exception) -> None:
        self._fail(DialFailure.UNREACHABLE, "was not understood; the log has the error")

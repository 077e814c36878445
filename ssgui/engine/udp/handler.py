"""How a UDP association shows in journal and snapshot.

A SOCKS5 association is seen through the handler of the TCP connection that asked for it; one that datagrams
alone have begun (a server's, a tunnel's) has a `UDPHandler` of its own. Either way an `Account` counts.
"""

from typing import TYPE_CHECKING, Any

from ssgui.engine.events import Endpoint, closed, peer_name
from ssgui.engine.handler_base import Handler, HandlerView, Pulse
from ssgui.engine.stages import Reason, Stage, StreamStatus
from ssgui.protocol.address import Address
from ssgui.rules.acl import Match

if TYPE_CHECKING:
    from ssgui.engine.relay import TCPRelay
    from ssgui.engine.udp.association import Association

MOST_SEEN = 16  # targets of one association that are told apart for the count


class Account:
    """What an association (or several, of one ASSOCIATE) has carried, in bytes of payload, and where to."""

    __slots__ = ("_seen", "down", "first_down", "first_up", "handler", "up")

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.up = self.down = 0
        self.first_up: float | None = None
        self.first_down: float | None = None
        self._seen: set[Address] = set()

    def turn_to(self, target: Address, now: float, match: Match | None = None, server: str = "") -> None:
        """The next datagrams are for `target`, on the way that `match` says."""
        handler = self.handler
        handler.target = target
        if match is not None:
            handler.route, handler.rule, handler.server = match.route, match.rule, server
        if self.first_up is None:
            self.first_up = now
        if len(self._seen) < MOST_SEEN:
            self._seen.add(target)

    @property
    def detail(self) -> str:
        """What a journal should say besides the last target."""
        count = len(self._seen)
        return "" if count < 2 else f"{count} targets" if count < MOST_SEEN else f"{count} or more targets"


class UDPHandler(Handler):
    """An association that is no program's TCP connection."""

    is_association = True
    __slots__ = ("account", "association")

    def __init__(self, relay: "TCPRelay", inbound: str, client: Endpoint) -> None:
        engine = relay.engine
        conn = engine.next_number()
        super().__init__(engine.next_number(), conn, relay, client)
        self.account = Account(self)
        self.association: Association[Any] | None = None
        engine.add_handler(self)
        self.announce(inbound)

    def destroy(self, reason: Reason, detail: str = "") -> None:
        """End, for `reason`; nobody is told but the journal."""
        if self.stage is Stage.DESTROYED:
            return
        self.enter(Stage.DESTROYED)
        account, association = self.account, self.association
        self.relay.journal.record(
            closed, self.id, tuple(self.timeline), reason, account.up, account.down, self.target, self.client,
            detail or account.detail, self.user,
            self.conn, self.relay.role, self.inbound, self.route, self.rule, self.server,
            account.first_up, account.first_down, None,
        )  # fmt: skip
        self.association = None
        if association is not None:
            association.close()
        self.relay.tally.end(reason, self.user, account.up, account.down, udp=True)
        self.relay.handler_ended(self)
        del account.handler  # it refers to us: the cycle would keep both until the next collection

    def sweep(self, now: float, idle_limit: float) -> None:
        """The relay of the association looks at its times itself."""

    def pulse(self) -> Pulse:
        """How things stand, in short: both ways are open, always."""
        return self.account.up, self.account.down, 0, 0, 5

    def view(self) -> HandlerView:
        """A record of how things stand. Datagrams are never held, so nothing waits."""
        account = self.account
        return HandlerView(
            self.id, self.conn, self.relay.role, self.inbound, peer_name(self.client),
            "" if self.target is None else str(self.target),
            self.route, self.rule, self.server, self.user, self.stage, StreamStatus.READING, StreamStatus.READING,
            account.up, account.down, 0, 0, tuple(self.timeline), account.first_up, account.first_down,
        )  # fmt: skip

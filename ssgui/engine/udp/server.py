"""A server's UDP: packets of Shadowsocks clients to the targets inside them, and back.

What does not open gets no answer of any kind.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from ssgui.engine.errors import reason_of
from ssgui.engine.events import Endpoint, peer_name
from ssgui.engine.poller import Datagrams
from ssgui.engine.stages import Reason, Stage
from ssgui.engine.udp.association import Association
from ssgui.engine.udp.destinations import Destination, Destinations
from ssgui.engine.udp.handler import UDPHandler
from ssgui.engine.udp.relay import MOST_DATAGRAM, UDPRelay
from ssgui.engine.udp.sockets import DRAIN
from ssgui.protocol.address import decode_address, leading_header
from ssgui.protocol.codecs import OpenedDatagram, ServerDatagrams
from ssgui.protocol.errors import BadRequestError, RemoteProtocolError
from ssgui.rules.acl import Acl, Route

if TYPE_CHECKING:
    from ssgui.engine.server_relay import ServerRelay

MOST_ASSOCIATIONS = 4096
SHARE = 4  # one source address has at most a quarter of them, so that it cannot crowd out the others


class ServerAssociation(Association["ServerUDPRelay"]):
    """One session of a client. `client` is where its last packet came from: there the answers go."""

    __slots__ = ("_codec", "_last", "client", "handler", "ip", "same", "session")

    def __init__(self, udp: "ServerUDPRelay", session: Hashable, client: Endpoint, user: str) -> None:
        self.handler = UDPHandler(udp.relay, "shadowsocks-udp", client)
        super().__init__(udp, self.handler.account, udp.destinations)
        self.session, self.client, self.ip = session, client, client[0]
        self.same = udp.by_source.setdefault(self.ip, OrderedDict())
        self.same[self] = None
        self.handler.association, self.handler.user = self, user
        self._codec = udp.codec
        self._last: Destination | None = None

    def change_targets(self, destinations: Destinations) -> None:
        """From now on targets are looked up in another table."""
        self.destinations, self._last = destinations, None

    def up(self, destination: Destination, header: bytes, payload: bytes | memoryview, now: float) -> None:
        """Send what the client has sent on to its target."""
        account = self.account
        if destination is not self._last:
            self._last = destination
            account.turn_to(destination.address, now)
            if self.handler.stage is Stage.INIT:
                self.handler.enter(Stage.UDP_ASSOC)
        account.up += len(payload)
        self.heard(now, header)
        self.send(destination, payload)

    def answer(self, header: bytes, plain: memoryview | bytes) -> None:
        self.udp.send_back(self._codec.seal(self.session, plain), self.client)

    def end(self, reason: Reason, detail: str = "") -> None:
        self.handler.destroy(reason, detail)


class ServerUDPRelay(UDPRelay[ServerAssociation]):
    """One port; `codec` opens and seals for all its clients."""

    def __init__(self, relay: "ServerRelay", timeout: float, most: int) -> None:
        super().__init__(relay, timeout, min(most, MOST_ASSOCIATIONS))
        self.codec: ServerDatagrams = relay.tunnel.server_datagrams()
        self.destinations: Destinations = self.new_destinations(relay.guard)
        self.acl = relay.acl
        self.by_source: dict[str, OrderedDict[ServerAssociation, None]] = {}

    def change_targets(self, acl: Acl | None) -> None:
        """The relay has another guard, another resolver, or another access list."""
        self.acl = acl
        self.destinations = self.other_table(self.destinations, self.relay.guard)
        for association in self.associations.values():
            association.change_targets(self.destinations)

    def receive(self, port: Datagrams) -> None:
        receive, view, opener = port.recvfrom_into, self.buffer[:MOST_DATAGRAM], self.codec.open
        acl = self.acl
        now = time.monotonic()
        for _ in range(DRAIN):
            try:
                size, source = receive(view)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP message about an answer
            if acl is not None and acl.source(source[0]).route is Route.REJECT:
                self.complaints.count("denied")
                continue
            try:
                opened = opener(view[:size], source)
            except RemoteProtocolError as error:
                self._strange(error, source)
                continue
            self._relay(opened, source, now)

    def _relay(self, opened: OpenedDatagram, source: Endpoint, now: float) -> None:
        plain, session = opened.plain, opened.session
        header = leading_header(plain)
        destination = self.destinations.find(header, now) if header else None
        if destination is None:
            self._strange(_no_target(plain), source)
            return
        if destination.denied:
            self.complaints.tell(
                "denied", logging.INFO, "%s asks for what is denied (%s)", _Peer(source), destination.denied
            )
            return
        association = self.associations.get(session)
        if association is None:
            association = self._begin(session, source, opened.user)
        else:
            self.associations.move_to_end(session)
            association.same.move_to_end(association)
            association.client = source
        association.up(destination, header, plain[len(header) :], now)

    def _begin(self, session: Hashable, source: Endpoint, user: str) -> ServerAssociation:
        same = self.by_source.get(source[0], ())
        if len(same) >= max(1, self.most // SHARE):
            self.make_room(next(iter(same)))
        association = ServerAssociation(self, session, source, user)
        self.add(session, association)
        return association

    def forget(self, association: Association[Any]) -> None:
        assert isinstance(association, ServerAssociation)
        del self.associations[association.session]
        del association.same[association]
        if not association.same:
            del self.by_source[association.ip]
        self.codec.forget(association.session)

    def _strange(self, error: RemoteProtocolError, source: Endpoint) -> None:
        self.relay.tally.refuse(reason_of(error))
        self.complaints.tell("bad", logging.INFO, "a packet of %s was not answered: %s", _Peer(source), error)


def _no_target(plain: bytes | memoryview) -> BadRequestError:
    """What is wrong with the address header of a genuine packet."""
    try:
        decode_address(plain)
    except BadRequestError as error:
        return error
    return BadRequestError("its address is cut off, or cannot be used")


class _Peer:
    """Names a peer when, and if, it is logged."""

    __slots__ = ("_address",)

    def __init__(self, address: Endpoint) -> None:
        self._address = address

    def __str__(self) -> str:
        return peer_name(self._address)

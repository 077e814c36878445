"""The datagrams of SIP022. A client's packets belong to a session; so do a server's, to one of its own.

    body, client to server    type 0 | time (8) | padding length (2) | padding | address | payload
    body, server to client    type 1 | time (8) | client's session ID (8) | padding length (2) | padding | ...

The numbers of a session's packets go up from 0 and are never used twice; 2^64 packets are out of reach.
"""

from collections import OrderedDict
from collections.abc import Callable, Container, Hashable, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag

from ssgui.protocol.address import leading_header
from ssgui.protocol.codecs import OpenedDatagram
from ssgui.protocol.errors import AuthenticationError, BadRequestError, LocalProtocolError, ReplayError
from ssgui.protocol.identity import IDENTITY_SIZE, Block, Users
from ssgui.protocol.salt_pool import KEPT_SECONDS
from ssgui.protocol.sip022 import FROM_CLIENT, FROM_SERVER, MAX_PADDING, Method2022, check_clock
from ssgui.protocol.sip022_framing import ID_SIZE, Framing, Open, Packet, Seal, framing_of
from ssgui.protocol.window import Window

MOST_SESSIONS: Final = 8192
_DNS = (53).to_bytes(2, "big")
_FIXED = 1 + 8 + 2  # of a client's body; a server's names the session in between


class _Outgoing:
    """A session of packets that we send."""

    __slots__ = ("_count", "_framing", "_seal", "id")

    def __init__(self, framing: Framing, session_id: bytes) -> None:
        self.id, self._framing = session_id, framing
        self._seal: Seal | None = None
        self._count = 0

    def seal(self, body: bytes) -> bytes:
        seal = self._seal
        if seal is None:
            seal = self._seal = self._framing.sealer(self.id)
        head = self.id + self._count.to_bytes(8, "big")
        self._count += 1
        return seal(head, body)

    def rest(self) -> None:
        """Give up the cipher, which is most of the memory of a session, until it is needed again."""
        self._seal = None


class _Incoming:
    """A session of packets that come: how they open, and which were seen. `last` is when the last one came."""

    __slots__ = ("_framing", "_open", "id", "last", "window")

    def __init__(self, framing: Framing, session_id: bytes) -> None:
        self.id, self._framing = session_id, framing
        self._open: Open | None = None
        self.window = Window()
        self.last = 0.0

    def open(self, head: bytes, sealed: Packet) -> Packet:
        """The body of a packet that is new. ReplayError for another, InvalidTag for a forged one."""
        if not self.window.accepts(int.from_bytes(head[ID_SIZE:], "big")):
            raise ReplayError("a packet that came before, or long after those behind it")
        open_ = self._open
        if open_ is None:
            open_ = self._open = self._framing.opener(self.id)
        return open_(head, sealed)

    def rest(self) -> None:
        """As for what we send."""
        self._open = None


def _padding(plain: Packet, random: Callable[[int], bytes]) -> bytes:
    """With its length in front. Only DNS is padded: there the sizes of question and answer tell what was asked."""
    if len(plain) >= MAX_PADDING or leading_header(plain)[-2:] != _DNS:
        return b"\0\0"
    size = 1 + int.from_bytes(random(4), "big") % (MAX_PADDING - len(plain))
    return size.to_bytes(2, "big") + bytes(size)


def _stripped(body: Packet, at: int) -> Packet:
    """What is behind the padding, whose length is at `at`."""
    start = at + 2 + (body[at] << 8 | body[at + 1])
    if start >= len(body):
        raise BadRequestError("the padding is longer than its packet")
    return memoryview(body)[start:]


class ClientDatagrams2022:
    """The packets of one association. `clock` is Unix seconds, `monotonic` is what it says, `random` gives bytes.

    `heard_clock` is told now and then how many seconds the server's clock is ahead of ours.
    """

    __slots__ = (
        "_clock", "_current", "_framing", "_heard_clock", "_least", "_monotonic", "_old", "_outgoing", "_random",
    )  # fmt: skip

    def __init__(
        self, method: Method2022, keys: Sequence[bytes], *, clock: Callable[[], float],
        monotonic: Callable[[], float], random: Callable[[int], bytes],
        heard_clock: Callable[[int], None] | None = None,
    ) -> None:  # fmt: skip
        self._clock, self._monotonic, self._random = clock, monotonic, random
        self._heard_clock = heard_clock
        self._framing = framing_of(method, keys, random)
        self._outgoing = _Outgoing(self._framing, random(ID_SIZE))
        self._least = self._framing.overhead + _FIXED + ID_SIZE
        # A server that was started anew has another session; packets of the one before may still be on the way.
        self._current: _Incoming | None = None
        self._old: _Incoming | None = None

    def seal(self, plain: Packet) -> bytes:
        """The packet for the server; `plain` is an address header and payload."""
        time = int(self._clock()).to_bytes(8, "big")
        return self._outgoing.seal(b"".join((b"\0", time, _padding(plain, self._random), plain)))

    def open(self, packet: Packet) -> Packet:
        """The plaintext of a packet from the server. RemoteProtocolError for one that must be dropped."""
        if len(packet) < self._least:
            raise AuthenticationError(f"a packet of {len(packet)} bytes is too short")
        try:
            head, sealed = self._framing.split(packet)
            session = self._session(head[:ID_SIZE])
            body = session.open(head, sealed)
        except InvalidTag:
            raise AuthenticationError("the packet does not open with our key") from None
        if body[0] != FROM_SERVER:
            raise BadRequestError(f"a packet of type {body[0]}, not {FROM_SERVER}")
        if body[9:17] != self._outgoing.id:
            raise BadRequestError("an answer to another session")
        self._check_time(int.from_bytes(body[1:9], "big"), session)
        session.window.add(int.from_bytes(head[ID_SIZE:], "big"))
        session.last = self._monotonic()
        if session is not self._current and session is not self._old:
            self._current, self._old = session, self._current
        return _stripped(body, 17)

    def _session(self, session_id: bytes) -> _Incoming:
        """The server's session of this ID: one of the two that are known, else one that may become known."""
        current, old = self._current, self._old
        if current is not None and current.id == session_id:
            return current
        if old is not None:
            if old.id == session_id:
                return old
            if self._monotonic() - old.last < KEPT_SECONDS:
                raise BadRequestError("a third session of the server within a minute")
        return _Incoming(self._framing, session_id)

    def _check_time(self, theirs: int, session: _Incoming) -> None:
        ours = int(self._clock())
        if self._heard_clock is not None and (session is not self._current or abs(theirs - ours) > 1):
            self._heard_clock(theirs - ours)
        check_clock(theirs, ours, client=True)


class ServerSession:
    """A client's session, as its server knows it. Who holds it can still answer when the table has forgotten it."""

    __slots__ = ("framing", "incoming", "outgoing", "user")

    def __init__(self, framing: Framing, session_id: bytes, user: str) -> None:
        self.framing, self.user = framing, user
        self.incoming = _Incoming(framing, session_id)
        self.outgoing: _Outgoing | None = None  # until there is something to answer

    def rest(self) -> None:
        """Give up what can be made again."""
        self.incoming.rest()
        if self.outgoing is not None:
            self.outgoing.rest()


class ServerDatagrams2022:
    """The packets of a port. Sessions are known by their ID, wherever their packets come from.

    At most `most` sessions are live, and as many are remembered that were forgotten by the relay, for as long
    as one of their packets could be played again.
    """

    __slots__ = (
        "_block", "_clock", "_framing", "_framings", "_least", "_live", "_method", "_monotonic", "_most", "_parted",
        "_random", "_users",
    )  # fmt: skip

    def __init__(
        self, method: Method2022, key: bytes, *, clock: Callable[[], float], monotonic: Callable[[], float],
        random: Callable[[int], bytes], users: Users | None = None, most: int = MOST_SESSIONS,
    ) -> None:  # fmt: skip
        self._method, self._users, self._most = method, users, most
        self._clock, self._monotonic, self._random = clock, monotonic, random
        self._framing = framing_of(method, (key,), random)
        self._framings: dict[bytes, Framing] = {}  # by the user's key
        self._block = Block(key) if users is not None else None
        self._least = self._framing.overhead + _FIXED + (IDENTITY_SIZE if users is not None else 0)
        self._live: OrderedDict[bytes, ServerSession] = OrderedDict()
        self._parted: OrderedDict[bytes, tuple[float, ServerSession]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._live) + len(self._parted)

    def open(self, packet: Packet, source: Hashable) -> OpenedDatagram:
        """Open a packet, wherever it came from. RemoteProtocolError for one that must be dropped."""
        if len(packet) < self._least:
            raise AuthenticationError(f"a packet of {len(packet)} bytes is too short")
        try:
            head, sealed = self._framing.split(packet)
            session = self._session(head, sealed)
            incoming = session.incoming
            body = incoming.open(head, sealed if self._users is None else sealed[IDENTITY_SIZE:])
        except InvalidTag:
            raise AuthenticationError("the packet does not open with this key and method") from None
        if body[0] != FROM_CLIENT:
            raise BadRequestError(f"a packet of type {body[0]}, not {FROM_CLIENT}")
        check_clock(int.from_bytes(body[1:9], "big"), int(self._clock()), client=False)
        incoming.window.add(int.from_bytes(head[ID_SIZE:], "big"))
        self._keep(session)
        return OpenedDatagram(session, _stripped(body, 9), session.user)

    def _session(self, head: bytes, sealed: Packet) -> ServerSession:
        """The session of a packet: one that is known, else one that may become known."""
        session_id = head[:ID_SIZE]
        known = self._live.get(session_id)
        if known is not None:
            return known
        if session_id in self._parted:
            return self._parted[session_id][1]
        if self._users is None or self._block is None:
            return ServerSession(self._framing, session_id, "")
        name, key = self._users.of_packet(self._block, bytes(sealed[:IDENTITY_SIZE]), head)
        framing = self._framings.get(key)
        if framing is None:
            framing = self._framings[key] = framing_of(self._method, (key,), self._random)
        return ServerSession(framing, session_id, name)

    def _keep(self, session: ServerSession) -> None:
        """An authentic packet of `session` has come."""
        session_id = session.incoming.id
        live = self._live
        if session_id in live:
            live.move_to_end(session_id)
            return
        self._parted.pop(session_id, None)
        live[session_id] = session
        if len(live) > self._most:
            self.forget(next(iter(live.values())))

    def seal(self, session: Hashable, plain: Packet) -> bytes:
        """The packet for the client of `session`; `plain` is an address header and payload."""
        if not isinstance(session, ServerSession):
            raise LocalProtocolError("this is no session of ours")
        outgoing = session.outgoing
        if outgoing is None:
            outgoing = session.outgoing = _Outgoing(session.framing, self._random(ID_SIZE))
        time = int(self._clock()).to_bytes(8, "big")
        padding = _padding(plain, self._random)
        return outgoing.seal(b"".join((b"\1", time, session.incoming.id, padding, plain)))

    def change_users(self, users: Users, gone: Container[str]) -> None:
        """Go on with other users of the same server key. Sessions of who is `gone`, by name, are known no more."""
        self._users = users
        self._live = OrderedDict((key, one) for key, one in self._live.items() if one.user not in gone)
        self._parted = OrderedDict((key, one) for key, one in self._parted.items() if one[1].user not in gone)

    def forget(self, session: Hashable) -> None:
        """The association of `session` has ended. Its window stays until the times in its packets are too old."""
        assert isinstance(session, ServerSession)
        session_id = session.incoming.id
        if self._live.get(session_id) is not session:
            return
        del self._live[session_id]
        session.rest()
        now, parted = self._monotonic(), self._parted
        parted[session_id] = now, session
        while len(parted) > self._most or now - next(iter(parted.values()))[0] >= KEPT_SECONDS:
            parted.popitem(last=False)

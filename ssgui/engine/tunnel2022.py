"""The tunnel of Shadowsocks 2022, for either end."""

import os
import time
from collections.abc import Callable, Iterable

from ssgui.engine.port_salts import PortSalts
from ssgui.protocol.codecs import ClientDatagrams, ServerDatagrams, StreamDecoder, StreamEncoder
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.identity import Users
from ssgui.protocol.sip022 import Method2022, parse_key, parse_keys
from ssgui.protocol.sip022_datagrams import ClientDatagrams2022, ServerDatagrams2022
from ssgui.protocol.sip022_decoders import AnswerDecoder, RequestDecoder
from ssgui.protocol.sip022_encoders import AnswerEncoder, RequestEncoder


class Tunnel2022:
    """Makes the codecs of one password (SIP022, SIP023).

    `users` are a server's (name, key in base64) pairs; its password is then its own key. `segmented`: a
    request may come in pieces; `salts` remembers a server's. `heard_clock` is told on a client how far ahead the
    server's clock is.
    """

    def __init__(
        self, method: Method2022, password: str, *, salts: PortSalts | None = None,
        users: Iterable[tuple[str, str]] = (), segmented: bool = False,
        heard_clock: Callable[[int], None] | None = None,
    ) -> None:  # fmt: skip
        self._method = method
        self._keys = parse_keys(method, password)
        self.users = self.known_users(users)
        self.segmented, self._heard_clock = segmented, heard_clock
        self._salts = (salts or PortSalts()).dated(self._keys[-1])

    def client_streams(self) -> tuple[StreamEncoder, StreamDecoder]:
        method, keys = self._method, self._keys
        salt = os.urandom(method.salt_size)
        return (
            RequestEncoder(method, keys, salt, time.time, os.urandom),
            AnswerDecoder(method, keys[-1], time.time, salt, self._heard_clock),
        )

    def server_decoder(self) -> StreamDecoder:
        return RequestDecoder(
            self._method, self._keys[-1], self._salts, time.time, users=self.users, segmented=self.segmented
        )

    def server_encoder(self, request: StreamDecoder) -> StreamEncoder:
        assert isinstance(request, RequestDecoder)
        salt = self._salts.own(os.urandom(self._method.salt_size))  # an answer that is sent back is a replay too
        return AnswerEncoder(self._method, request.key, salt, time.time, request.salt)

    def client_datagrams(self) -> ClientDatagrams:
        return ClientDatagrams2022(
            self._method, self._keys, clock=time.time, monotonic=time.monotonic, random=os.urandom,
            heard_clock=self._heard_clock,
        )  # fmt: skip

    def server_datagrams(self) -> ServerDatagrams:
        return ServerDatagrams2022(
            self._method, self._keys[-1], clock=time.time, monotonic=time.monotonic, random=os.urandom,
            users=self.users,
        )  # fmt: skip

    def known_users(self, users: Iterable[tuple[str, str]]) -> Users | None:
        """Those who may come to a server of this key; None without any. LocalProtocolError for one that cannot be."""
        method = self._method
        pairs = [(name, parse_key(method, password, f"the key of the user {name!a}")) for name, password in users]
        if pairs and not method.has_identities:
            raise LocalProtocolError(f"{method.name} cannot have users: only the AES methods of 2022 can")
        return Users(self._keys[-1], pairs) if pairs else None

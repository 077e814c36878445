"""What the two ends of a Shadowsocks tunnel share: a method, a key, and what guards against replays.

A `Tunnel` makes the codecs of one key (`ssgui.protocol.codecs`), so sessions and associations need not know
which edition they speak.
"""

import os
from collections.abc import Callable
from typing import Protocol

from ssgui.config.models import ServerSettings
from ssgui.engine.port_salts import SERVER_SALTS, PortSalts
from ssgui.engine.stream_tunnel import StreamTunnel
from ssgui.engine.tunnel2022 import Tunnel2022
from ssgui.protocol.aead import AeadDecoder, AeadEncoder
from ssgui.protocol.aead_datagrams import AeadClientDatagrams, AeadServerDatagrams
from ssgui.protocol.codecs import ClientDatagrams, ServerDatagrams, StreamDecoder, StreamEncoder
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.methods import Method, find_method, key_for
from ssgui.protocol.replay import SaltFilter, Salts
from ssgui.protocol.sip022 import Method2022
from ssgui.protocol.stream_ciphers import StreamMethod

CLIENT_SALTS = 10_000


class Tunnel(Protocol):
    """Makes the codecs of one key, for either end."""

    def client_streams(self) -> tuple[StreamEncoder, StreamDecoder]:
        """A client's: for the stream that it sends, and for the answer to that stream."""

    def server_decoder(self) -> StreamDecoder:
        """A server's, for the stream of a connection that was accepted."""

    def server_encoder(self, request: StreamDecoder) -> StreamEncoder:
        """A server's, for the answer to what `request` opened."""

    def client_datagrams(self) -> ClientDatagrams:
        """A client's, for one association."""

    def server_datagrams(self) -> ServerDatagrams:
        """A server's, for all associations of one port."""


class AeadTunnel:
    """The AEAD methods of 2017 (SIP004).

    Both ends' salts go into `salts`, so a reflected stream is a replay too; of datagrams' at least the last `most`
    are known.
    """

    def __init__(self, method: Method, key: bytes, salts: Salts, most: int) -> None:
        self._method, self._key, self._salts = method, key, salts
        self._datagram_salts = SaltFilter(most)  # apart: there are so many that streams' would soon be forgotten

    def client_streams(self) -> tuple[StreamEncoder, StreamDecoder]:
        return self._encoder(), self.server_decoder()

    def server_decoder(self) -> StreamDecoder:
        return AeadDecoder(self._method, self._key, self._salts)

    def server_encoder(self, request: StreamDecoder) -> StreamEncoder:
        return self._encoder()

    def client_datagrams(self) -> ClientDatagrams:
        return AeadClientDatagrams(self._method, self._key, os.urandom, self._datagram_salts)

    def server_datagrams(self) -> ServerDatagrams:
        return AeadServerDatagrams(self._method, self._key, os.urandom, self._datagram_salts)

    def _encoder(self) -> StreamEncoder:
        return AeadEncoder(self._method, self._key, self._salts.own(os.urandom(self._method.salt_size)))


def client_tunnel(
    method: str, password: str, heard_clock: Callable[[int], None] | None = None, legacy: frozenset[str] = frozenset()
) -> Tunnel:
    """The tunnel to a server. LocalProtocolError for a method or key that cannot be used.

    `heard_clock` is told how many seconds the server's clock is ahead of ours, where the edition tells.
    `legacy` names the stream ciphers that may be used.
    """
    found = find_method(method, legacy)
    if isinstance(found, Method2022):
        return Tunnel2022(found, password, heard_clock=heard_clock)
    key, salts = key_for(found, password), SaltFilter(CLIENT_SALTS)
    if isinstance(found, StreamMethod):
        return StreamTunnel(found, key, salts, CLIENT_SALTS)
    return AeadTunnel(found, key, salts, CLIENT_SALTS)


def server_tunnel(settings: ServerSettings, salts: PortSalts) -> Tunnel:
    """The tunnel of a server's clients, whose streams' salts `salts` remembers; errors as `client_tunnel`."""
    found, password = find_method(settings.method, settings.legacy_methods), settings.password.reveal()
    if isinstance(found, Method2022):
        return Tunnel2022(found, password, salts=salts, users=user_pairs(settings), segmented=takes_pieces(settings))
    if settings.users:
        raise LocalProtocolError(f"{found.name} cannot have users: only the AES methods of 2022 can")
    key = key_for(found, password)
    if isinstance(found, StreamMethod):
        return StreamTunnel(found, key, salts.undated(key), SERVER_SALTS)
    return AeadTunnel(found, key, salts.undated(key), SERVER_SALTS)


def user_pairs(settings: ServerSettings) -> list[tuple[str, str]]:
    """The users of a server: name, key in base64."""
    return [(user.name, user.password.reveal()) for user in settings.users]


def takes_pieces(settings: ServerSettings) -> bool:
    """Whether the first header of a 2022 stream may come in pieces."""
    # A plugin cuts streams where it likes, and a stranger talks to it, not to us.
    return settings.plugin is not None if settings.segmented_header is None else settings.segmented_header

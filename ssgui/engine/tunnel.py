"""What the two ends of a Shadowsocks tunnel share: a method, a key, and what guards against replays.

A `Tunnel` makes the codecs of one key (`ssgui.protocol.codecs`), so sessions and associations need not know
which edition they speak.
"""

import os
from collections.abc import Callable
from typing import Protocol

from ssgui.config.models import ServerSettings
from ssgui.engine.stream_tunnel import StreamTunnel
from ssgui.engine.tunnel2022 import Tunnel2022
from ssgui.protocol.aead import AeadDecoder, AeadEncoder
from ssgui.protocol.aead_datagrams import AeadClientDatagrams, AeadServerDatagrams
from ssgui.protocol.codecs import ClientDatagrams, ServerDatagrams, StreamDecoder, StreamEncoder
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.methods import Method, find_method, key_for
from ssgui.protocol.replay import SaltFilter
from ssgui.protocol.sip022 import Method2022
from ssgui.protocol.stream_ciphers import StreamMethod

SERVER_SALTS = 50_000
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

    Both ends' salts go into one filter, so a reflected stream is a replay too.
    """

    def __init__(self, method: Method, password: str, salts: int) -> None:
        self._method = method
        self._key = key_for(method, password)
        self._salts = SaltFilter(salts)
        self._datagram_salts = SaltFilter(salts)  # apart: there are so many that streams' would soon be forgotten

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
        salt = os.urandom(self._method.salt_size)
        self._salts.add(salt)
        return AeadEncoder(self._method, self._key, salt)


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
    if isinstance(found, StreamMethod):
        return StreamTunnel(found, password, CLIENT_SALTS)
    return AeadTunnel(found, password, CLIENT_SALTS)


def server_tunnel(settings: ServerSettings) -> Tunnel:
    """The tunnel of a server's clients; errors as `client_tunnel`."""
    found, password = find_method(settings.method, settings.legacy_methods), settings.password.reveal()
    if isinstance(found, Method2022):
        segmented = settings.segmented_header
        return Tunnel2022(
            found,
            password,
            users=[(user.name, user.password.reveal()) for user in settings.users],
            # A plugin cuts streams where it likes, and a stranger talks to it, not to us.
            segmented=settings.plugin is not None if segmented is None else segmented,
        )
    if settings.users:
        raise LocalProtocolError(f"{found.name} cannot have users: only the AES methods of 2022 can")
    if isinstance(found, StreamMethod):
        return StreamTunnel(found, password, SERVER_SALTS)
    return AeadTunnel(found, password, SERVER_SALTS)

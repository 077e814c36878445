"""What the two ends of a Shadowsocks tunnel share: a method, a key, and what guards against replays.

A `Tunnel` makes the codecs of one key (`ssgui.protocol.codecs`), so sessions and associations need not know
which edition they speak.
"""

import os
from typing import Protocol

from ssgui.protocol.aead import AeadDecoder, AeadEncoder
from ssgui.protocol.aead_datagrams import AeadClientDatagrams, AeadServerDatagrams
from ssgui.protocol.codecs import ClientDatagrams, ServerDatagrams, StreamDecoder, StreamEncoder
from ssgui.protocol.methods import Method, find_method, key_for
from ssgui.protocol.replay import SaltFilter

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

    def client_streams(self) -> tuple[StreamEncoder, StreamDecoder]:
        return self._encoder(), self.server_decoder()

    def server_decoder(self) -> StreamDecoder:
        return AeadDecoder(self._method, self._key, self._salts)

    def server_encoder(self, request: StreamDecoder) -> StreamEncoder:
        return self._encoder()

    def client_datagrams(self) -> ClientDatagrams:
        return AeadClientDatagrams(self._method, self._key, os.urandom)

    def server_datagrams(self) -> ServerDatagrams:
        return AeadServerDatagrams(self._method, self._key, os.urandom)

    def _encoder(self) -> StreamEncoder:
        salt = os.urandom(self._method.salt_size)
        self._salts.add(salt)
        return AeadEncoder(self._method, self._key, salt)


def client_tunnel(method: str, password: str) -> Tunnel:
    """The tunnel to a server. LocalProtocolError for a method or key that cannot be used."""
    return AeadTunnel(find_method(method), password, CLIENT_SALTS)


def server_tunnel(method: str, password: str) -> Tunnel:
    """The tunnel of a server's clients; errors as `client_tunnel`."""
    return AeadTunnel(find_method(method), password, SERVER_SALTS)

"""The tunnel of the stream ciphers of old, for either end."""

import os

from ssgui.protocol.codecs import ClientDatagrams, ServerDatagrams, StreamDecoder, StreamEncoder
from ssgui.protocol.replay import SaltFilter, Salts
from ssgui.protocol.stream_ciphers import StreamMethod
from ssgui.protocol.stream_codecs import (
    StreamCipherClientDatagrams,
    StreamCipherDecoder,
    StreamCipherEncoder,
    StreamCipherServerDatagrams,
)


class StreamTunnel:
    """Makes the codecs of one `key`. Own IVs count as seen, so a reflected stream is a replay too.

    `ivs` remembers those of streams; of datagrams at least the last `most` are.
    """

    def __init__(self, method: StreamMethod, key: bytes, ivs: Salts, most: int) -> None:
        self._method, self._key = method, key
        self._ivs, self._datagram_ivs = ivs, SaltFilter(most)

    def client_streams(self) -> tuple[StreamEncoder, StreamDecoder]:
        return self._encoder(), StreamCipherDecoder(self._method, self._key, self._ivs, is_request=False)

    def server_decoder(self) -> StreamDecoder:
        return StreamCipherDecoder(self._method, self._key, self._ivs, is_request=True)

    def server_encoder(self, request: StreamDecoder) -> StreamEncoder:
        return self._encoder()

    def client_datagrams(self) -> ClientDatagrams:
        return StreamCipherClientDatagrams(self._method, self._key, os.urandom, self._datagram_ivs)

    def server_datagrams(self) -> ServerDatagrams:
        return StreamCipherServerDatagrams(self._method, self._key, os.urandom, self._datagram_ivs)

    def _encoder(self) -> StreamEncoder:
        return StreamCipherEncoder(self._method, self._key, self._ivs.own(os.urandom(self._method.iv_size)))

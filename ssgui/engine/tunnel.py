"""What the two ends of a Shadowsocks tunnel share: a method, a key, and the salts that were seen."""

import os

from ssgui.protocol.aead import AeadDecoder, AeadEncoder
from ssgui.protocol.methods import find_method, key_for
from ssgui.protocol.replay import SaltFilter

SERVER_SALTS = 50_000
CLIENT_SALTS = 10_000


class Tunnel:
    """Makes the codecs of one key. Both ends' salts go into one filter, so a reflected stream is a replay too.

    Raises LocalProtocolError for a method or key that cannot be used.
    """

    def __init__(self, method: str, password: str, salts: int) -> None:
        self.method = find_method(method)
        self._key = key_for(self.method, password)
        self._salts = SaltFilter(salts)

    def encoder(self) -> AeadEncoder:
        """For one stream we send, with a fresh salt."""
        salt = os.urandom(self.method.salt_size)
        self._salts.add(salt)
        return AeadEncoder(self.method, self._key, salt)

    def decoder(self) -> AeadDecoder:
        """For one stream we receive."""
        return AeadDecoder(self.method, self._key, self._salts)

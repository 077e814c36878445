"""Good Shadowsocks bytes, made and opened by hand: what a client's first flight looks like on the wire."""

from ssgui.protocol.address import encode_address
from ssgui.protocol.aead import AeadDecoder, AeadEncoder, sealed_bound
from ssgui.protocol.methods import METHODS, key_for


def seal(method: str, password: str, salt: bytes, plain: bytes) -> bytes:
    """A whole stream: `salt`, then `plain` in chunks."""
    found = METHODS[method]
    out = bytearray(sealed_bound(len(plain), found))
    size = AeadEncoder(found, key_for(found, password), salt).encode(plain, memoryview(out))
    return bytes(out[:size])


def first_flight(method: str, password: str, salt: bytes, target: tuple[str, int], payload: bytes = b"") -> bytes:
    """What a client sends first: salt, and the address with the payload in the same chunk."""
    return seal(method, password, salt, encode_address(*target) + payload)


def salt_for(method: str, fill: int = 1) -> bytes:
    """A salt of the right size, different for each `fill`."""
    return fill.to_bytes(METHODS[method].salt_size, "big")


class Opener:
    """Opens the stream a server sends, in whatever pieces it comes."""

    def __init__(self, method: str, password: str) -> None:
        found = METHODS[method]
        self._decoder = AeadDecoder(found, key_for(found, password))

    def open(self, data: bytes) -> bytes:
        """The plaintext that `data` completes; raises the decoder's error."""
        joined = self._decoder.held + data
        out = bytearray(len(joined))
        size = self._decoder.decode(memoryview(joined), memoryview(out))
        if self._decoder.error is not None:
            raise self._decoder.error
        return bytes(out[:size])

"""How fast the codecs and the SOCKS5 parser are alone: no socket, no loop, one core.

    python tests/bench/bench_codec.py [METHOD]...

Prints MB/s of sealing and opening per method and fill, then microseconds per connection. The best of several
rounds counts: it is the one that the rest of the machine disturbed least.
"""

import sys
from collections.abc import Callable
from time import perf_counter, time

from ssgui.protocol.address import Address
from ssgui.protocol.aead import AeadDecoder, AeadEncoder
from ssgui.protocol.codecs import StreamDecoder, StreamEncoder
from ssgui.protocol.methods import ALL_LEGACY, METHODS, AnyMethod, find_method, key_for
from ssgui.protocol.replay import SaltFilter
from ssgui.protocol.sip022 import METHODS_2022, Method2022
from ssgui.protocol.sip022_decoders import AnswerDecoder
from ssgui.protocol.sip022_encoders import AnswerEncoder
from ssgui.protocol.socks5 import Socks5Server
from ssgui.protocol.stream_ciphers import StreamMethod
from ssgui.protocol.stream_codecs import StreamCipherDecoder, StreamCipherEncoder

FILLS = (16 * 1024, 64 * 1024, 512 * 1024)
ROUNDS = 5
ROUND_SECONDS = 0.05


def seconds_per_call(run: Callable[[], object]) -> float:
    """Of the fastest round."""
    calls, best = 1, float("inf")
    for _ in range(ROUNDS):
        start = perf_counter()
        for _ in range(calls):
            run()
        took = perf_counter() - start
        best = min(best, took / calls)
        calls = max(1, int(calls * ROUND_SECONDS / took))
    return best


def streams(method: AnyMethod) -> tuple[StreamEncoder, StreamDecoder]:
    """For one direction; of the 2022 methods that of an answer."""
    if isinstance(method, Method2022):
        key = salt = bytes(method.key_size)
        return AnswerEncoder(method, key, salt, time, salt), AnswerDecoder(method, key, time, salt)
    key = key_for(method, "benchmark")
    if isinstance(method, StreamMethod):
        decoder = StreamCipherDecoder(method, key, SaltFilter(), is_request=False)
        return StreamCipherEncoder(method, key, bytes(method.iv_size)), decoder
    salt = bytes(method.salt_size)
    return AeadEncoder(method, key, salt), AeadDecoder(method, key)


def seal_and_open(method: AnyMethod, size: int) -> tuple[float, float]:
    """Seconds to seal one fill, and to open it."""
    plain = memoryview(bytes(size))
    wire = memoryview(bytearray(size + size // 256 + 256))
    opened = memoryview(bytearray(len(wire)))
    encoder, _ = streams(method)
    sealing = seconds_per_call(lambda: encoder.encode(plain, wire))

    # A stream opens once only, so several fills of it are made first and each is timed by itself.
    best = float("inf")
    encoder, decoder = streams(method)
    for _ in range(max(8, 4 * 1024 * 1024 // size)):
        fill = wire[: encoder.encode(plain, wire)]
        start = perf_counter()
        count = decoder.decode(fill, opened)
        best = min(best, perf_counter() - start)
        if count != size:
            raise SystemExit(f"{method.name}: {count} bytes came back of {size}")
    return sealing, best


def set_up(method: AnyMethod) -> tuple[float, float]:
    """Seconds to make both codecs; and these with the first byte of plaintext sealed and opened."""
    out = memoryview(bytearray(1024))
    wire = memoryview(bytearray(1024))

    def first_byte() -> None:
        encoder, decoder = streams(method)
        decoder.decode(wire[: encoder.encode(b"x", wire)], out)

    return seconds_per_call(lambda: streams(method)), seconds_per_call(first_byte)


def socks5_dialogue(request: bytes) -> None:
    """What the client's session does for each connection."""
    server = Socks5Server()
    server.receive_data(b"\x05\x01\x00")
    server.data_to_send()
    server.receive_data(request)
    server.accept(Address("0.0.0.0", 0))
    server.data_to_send()


def main(names: list[str]) -> None:
    write = sys.stdout.write
    methods = [find_method(name, ALL_LEGACY) for name in names or (*METHODS, *METHODS_2022)]
    write(f"{'MB/s, sealing / opening':30}" + "".join(f"{size // 1024:>10} KiB" for size in FILLS) + "\n")
    for method in methods:
        write(f"{method.name:30}")
        for size in FILLS:
            sealing, opening = seal_and_open(method, size)
            write(f"{size / sealing / 1e6:>7.0f}/{size / opening / 1e6:<6.0f}")
        write("\n")
    write("\nmicroseconds per connection\n")
    for method in methods:
        made, used = set_up(method)
        write(f"{method.name:30} codecs {made * 1e6:5.2f}   with a first byte {used * 1e6:5.2f}\n")
    for what, request in (
        ("IPv4", b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50"),
        ("name", b"\x05\x01\x00\x03\x0bexample.com\x01\xbb"),
        ("IPv6", b"\x05\x01\x00\x04" + bytes(15) + b"\x01\x00\x50"),
    ):
        took = seconds_per_call(lambda request=request: socks5_dialogue(request))  # type: ignore[misc]
        write(f"SOCKS5, {what:18} greeting, request and replies {took * 1e6:5.2f}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Bulk and new connections through our client and server, beside the same two hops without cipher.

    python -m tests.bench.bench_pair

The plain relay is a few lines of asyncio streams, measured in the same run: only the ratios count.
"""

import asyncio
import multiprocessing
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.origin import Origin, receive_hash
from tests.support.ports import free_port, is_listening
from tests.support.processes import ssgui_local, ssgui_server, wait_until
from tests.support.socks_client import receive_exactly, socks_connect

BULK = 500_000_000
CONNECTIONS = 400
Open = Callable[[], socket.socket]


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


def _plain_relay(port: int, target: tuple[str, int]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*target)
        await asyncio.gather(_pipe(reader, far_writer), _pipe(far_reader, writer))
        far_writer.close()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(main())


@contextmanager
def plain_pair(target: tuple[str, int]) -> Iterator[Open]:
    """Two hops to `target`, each a process."""
    far, near = free_port(), free_port()
    hops = [
        multiprocessing.Process(target=_plain_relay, args=(far, target), daemon=True),
        multiprocessing.Process(target=_plain_relay, args=(near, ("127.0.0.1", far)), daemon=True),
    ]
    for hop in hops:
        hop.start()
    try:
        wait_until(lambda: is_listening(far) and is_listening(near), "the plain relays listen")
        yield lambda: socket.create_connection(("127.0.0.1", near), timeout=20)
    finally:
        for hop in hops:
            hop.terminate()
            hop.join()


@contextmanager
def our_pair(target: tuple[str, int]) -> Iterator[Open]:
    """Our client and server."""
    command = [sys.executable, "-m", "ssgui"]
    with ssgui_server(command) as server, ssgui_local(command, server.address) as client:
        yield lambda: socks_connect(client.address, target)


def measure(open_: Open) -> tuple[float, float]:
    """MB/s down one stream, and new connections per second one after the other."""
    for _ in range(20):
        fetch(open_, 64)
    start = time.perf_counter()
    fetch(open_, BULK)
    rate = BULK / 1e6 / (time.perf_counter() - start)
    start = time.perf_counter()
    for _ in range(CONNECTIONS):
        fetch(open_, 64)
    return rate, CONNECTIONS / (time.perf_counter() - start)


def fetch(open_: Open, size: int) -> None:
    """Have `size` bytes sent to us."""
    with open_() as sock:
        sock.sendall(f"DOWN {size}\n".encode())
        if size > 1000:
            receive_hash(sock, size)
        else:
            receive_exactly(sock, size)


def main() -> None:
    with Origin() as origin:
        with plain_pair(origin.address) as open_:
            plain = measure(open_)
        with our_pair(origin.address) as open_:
            ours = measure(open_)
    print(f"Python {sys.version.split()[0]}; in brackets the ratio to two plain asyncio hops without cipher")
    print(f"down one stream {ours[0]:8.0f} MB/s ({ours[0] / plain[0]:.2f})")
    print(f"new connections {ours[1]:8.0f} /s   ({ours[1] / plain[1]:.2f})")


if __name__ == "__main__":
    main()

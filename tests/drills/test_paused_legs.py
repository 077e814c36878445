"""400 connections whose readers read nothing: their legs cost what they hold, and lose nothing."""

import asyncio
import socket
from pathlib import Path

import pytest

from ssgui.engine.engine import Engine
from ssgui.engine.loop import new_headless_loop
from ssgui.engine.multiplexer import has_multiplexer
from ssgui.protocol.address import encode_address
from tests.engine.world import World, until

COUNT, SIZE = 400, 400_000
CHECKED = 20  # every so many-th is read to its end: through buffers this small that takes time
SMALL = 16 * 1024  # of the kernel's buffers: with their usual megabytes nothing would be held here
BLOCK = bytes(range(256)) * 256


def rss() -> int:
    """Resident bytes of this process."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) * 1024


class Origin:
    """Sends SIZE bytes to whoever connects, as far as the kernel takes them, each time it is asked."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        self.listener.setblocking(False)
        self._left: dict[socket.socket, int] = {}

    def pump(self) -> None:
        """Accept who has come, send what can be sent."""
        try:
            while True:
                sock, _ = self.listener.accept()
                sock.setblocking(False)
                self._left[sock] = SIZE
        except BlockingIOError:
            pass  # nobody else has come
        for sock in list(self._left):
            self._send(sock)

    def _send(self, sock: socket.socket) -> None:
        try:
            while left := self._left[sock]:
                start = (SIZE - left) % len(BLOCK)
                self._left[sock] -= sock.send(memoryview(BLOCK)[start : start + left])
        except BlockingIOError:
            return
        assert sock.recv(2) == b"x"  # closing with unread data would be a reset
        del self._left[sock]
        sock.close()

    def close(self) -> None:
        for sock in (self.listener, *self._left):
            sock.close()


async def ask(proxy: tuple[str, int], target: tuple[str, int]) -> socket.socket:
    """A connection to `target` through `proxy`, with a small receive buffer."""
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    await loop.sock_connect(sock, proxy)
    await loop.sock_sendall(sock, b"\x05\x01\x00" + b"\x05\x01\x00" + encode_address(*target) + b"x")
    left = 12
    while left:
        left -= len(await loop.sock_recv(sock, left))
    return sock


async def receive(sock: socket.socket) -> int:
    """Read to the end; how many bytes came, all of them right."""
    loop, got = asyncio.get_running_loop(), 0
    while data := await loop.sock_recv(sock, 1 << 16):
        start = got % len(BLOCK)
        assert data == (BLOCK + BLOCK)[start : start + len(data)]
        got += len(data)
    return got


async def pump_on(origin: Origin) -> None:
    """Send as the kernel takes it: that it does may be known only after the last byte has come (delayed ACKs)."""
    while True:
        origin.pump()
        await asyncio.sleep(0.002)


@pytest.mark.xdist_group("memory")
@pytest.mark.skipif(not has_multiplexer() or not Path("/proc/self/status").exists(), reason="/proc: not on this system")
def test_paused_legs_cost_what_they_hold() -> None:
    async def scenario(world: World) -> None:
        engine: Engine = world.engine()
        server = await world.server(engine=engine)
        client = await world.client(server.address, engine=engine)
        for relay in (server, client):
            assert relay._listener is not None
            relay._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        origin = Origin()
        address = origin.listener.getsockname()
        try:
            first = await ask(client.address, address)
            before = rss()
            socks = [first] + [await ask(client.address, address) for _ in range(COUNT - 1)]
            peak = 0

            def all_held() -> bool:
                nonlocal peak
                origin.pump()
                peak = max(peak, engine.reactor.unsent)
                return sum(view.role == "local" and view.held_down > 0 for view in engine.snapshot()) == COUNT

            await until(all_held, 30)
            held = sum(view.held_down for view in engine.snapshot())
            assert held == engine.reactor.unsent
            growth = rss() - before
            print(f"{2 * COUNT} handlers hold {held} bytes, held {peak}, and grew the process by {growth}")
            # The allocator does not give back what was held a moment ago.
            assert growth < peak * 1.5 + 2 * COUNT * 12 * 1024
            sending = asyncio.create_task(pump_on(origin))
            for sock in socks[::CHECKED]:
                assert await receive(sock) == SIZE
            sending.cancel()
            for sock in socks:
                sock.close()
            await until(lambda: not engine.handlers)
            assert engine.reactor.unsent == 0
        finally:
            origin.close()

    async def main() -> None:
        async with World("selector") as world:
            await scenario(world)

    with asyncio.Runner(loop_factory=new_headless_loop) as runner:
        runner.run(main())

"""`ssgui demo`: a server, a client and a web site on this computer, and a page fetched through all three.

The proof is a page and 50 MB whose hash is known. Then the proxy stays for whoever wants to try it.
"""

import asyncio
import contextlib
import hashlib
import io
import secrets
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from ssgui import __version__
from ssgui.app.demo.screen import Screen, rate
from ssgui.app.demo.site import BULK_PATH, BULK_SIZE, HOST, PAGE, Site, bulk_hash
from ssgui.app.demo.trips import Trip, Trips
from ssgui.config.models import DEFAULT_LOCAL_PORT, LocalSettings, ServerProfile, ServerSettings
from ssgui.config.secret import Secret
from ssgui.engine.engine import Engine
from ssgui.engine.errors import BindError, EngineError
from ssgui.engine.journal import Journal
from ssgui.engine.loop import new_headless_loop
from ssgui.engine.relay import TCPRelay
from ssgui.engine.tasks import run_blocking
from ssgui.system.limits import raise_nofile

METHOD = "aes-256-gcm"
_TIMEOUT = 20.0
_ENDS = 2  # each connection is seen by the client and by the server
_READ = 1 << 18
_LOOK_SECONDS = 0.2
_INTERRUPTED = 130


class ProofFailed(Exception):
    """What was fetched is not what the site sent."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came, and in how many seconds."""

    size: int
    sha256: str
    seconds: float


def run_demo(once: bool, *, console: Console | None = None) -> int:
    """Run it; the exit code: 0 after the proof, 1 when it fails. Without `once` it stays until Ctrl-C."""
    raise_nofile()
    demo = Demo(Screen(console or _console()))
    try:
        with asyncio.Runner(loop_factory=new_headless_loop) as runner:
            runner.run(demo.run(once))
    except (ProofFailed, EngineError, httpx.HTTPError, OSError) as error:
        demo.screen.bad(str(error) or type(error).__name__)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0 if demo.proved else _INTERRUPTED
    return 0


class Demo:
    """One run, told on `screen`. `proved` is set once everything came through intact."""

    def __init__(self, screen: Screen) -> None:
        self.screen, self.proved = screen, False

    async def run(self, once: bool) -> None:
        """Start, prove, and stay unless `once`. ProofFailed, EngineError, httpx.HTTPError, OSError."""
        _cancel_on_sigterm()
        engine = Engine(Journal())
        trips = Trips(engine.journal)
        with Site() as site:
            try:
                proxy = await self._open(engine, site)
                await self._prove(trips, proxy, site)
                self.proved = True
                if not once:
                    self.screen.invitation(proxy, site.url, BULK_PATH)
                    await self._stay(trips)
            finally:
                await engine.stop(0)

    async def _open(self, engine: Engine, site: Site) -> str:
        password = Secret(secrets.token_urlsafe(24))
        # Nothing is forbidden: the site is on the loopback, and so is whoever may ask.
        server = await engine.start_server(ServerSettings(HOST, 0, METHOD, password, forbidden=()))
        profile = ServerProfile(*server.address, METHOD, password)
        client = await _start_client(engine, profile)
        proxy = _text(client)
        self.screen.opening(__version__, client=proxy, server=_text(server), method=METHOD, site=site.url)
        return proxy

    async def _prove(self, trips: Trips, proxy: str, site: Site) -> None:
        screen = self.screen
        screen.heading(f"A page: {site.url}/")
        page = await run_blocking(fetch, proxy, f"{site.url}/")
        if page.sha256 != hashlib.sha256(PAGE).hexdigest():
            raise ProofFailed(f"the page that came ({page.size} bytes) is not the one the site has")
        screen.timeline(await _ended(trips))
        screen.good(f"{page.size} bytes in {page.seconds * 1000:.1f} ms, exactly what the site has")

        screen.heading(f"50 MB: {site.url}{BULK_PATH}")
        expected = await run_blocking(bulk_hash)
        with _progress(screen.console) as progress:
            bar = progress.add_task("", total=BULK_SIZE)

            def told(size: int) -> None:
                progress.update(bar, completed=size)

            bulk = await run_blocking(fetch, proxy, f"{site.url}{BULK_PATH}", told)
        if (bulk.size, bulk.sha256) != (BULK_SIZE, expected):
            raise ProofFailed(f"{bulk.size:,} of {BULK_SIZE:,} bytes came, with SHA-256 {bulk.sha256}, not {expected}")
        screen.durations(await _ended(trips))
        screen.good(f"{bulk.size:,} bytes in {bulk.seconds:.2f} s, {rate(bulk.size, bulk.seconds)}")
        screen.good(f"SHA-256 as sent\n    {bulk.sha256}")

    async def _stay(self, trips: Trips) -> None:
        while True:
            for trip in trips.read():
                self.screen.ended(trip)
            await asyncio.sleep(_LOOK_SECONDS)


def fetch(proxy: str, url: str, told: Callable[[int], object] = lambda size: None) -> Fetched:
    """Fetch `url` through the SOCKS5 `proxy`, blocking; `told` gets the bytes so far. httpx.HTTPError."""
    digest, size = hashlib.sha256(), 0
    # The environment may name proxies; this fetch must go through ours.
    with httpx.Client(proxy=f"socks5://{proxy}", trust_env=False, timeout=_TIMEOUT) as client:
        start = time.perf_counter()
        with client.stream("GET", url) as answer:
            answer.raise_for_status()
            for data in answer.iter_raw(_READ):
                digest.update(data)
                size += len(data)
                told(size)
    return Fetched(size, digest.hexdigest(), time.perf_counter() - start)


async def _start_client(engine: Engine, profile: ServerProfile) -> TCPRelay:
    """On the usual port, or on a free one when that is taken."""
    settings = LocalSettings((profile,), HOST, DEFAULT_LOCAL_PORT)
    try:
        return await engine.start_local(settings)
    except BindError:
        return await engine.start_local(LocalSettings((profile,), HOST, 0))


async def _ended(trips: Trips) -> list[Trip]:
    """The two ends of the connection that was just used, once both are over."""
    ended: list[Trip] = []
    try:
        async with asyncio.timeout(_TIMEOUT):
            while len(ended) < _ENDS:
                await asyncio.sleep(0.01)
                ended += trips.read()
    except TimeoutError:
        raise ProofFailed("the connection does not end") from None
    return ended


def _console() -> Console:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a line that an ASCII terminal cannot show must not end the demo
    return Console(highlight=False)


def _progress(console: Console) -> Progress:
    """A bar that is gone when it is done; none where there is no terminal."""
    columns = (BarColumn(40), DownloadColumn(), TransferSpeedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _text(relay: TCPRelay) -> str:
    host, port = relay.address
    return f"{host}:{port}"


def _cancel_on_sigterm() -> None:
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):  # Windows, where nobody sends it
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)

"""The demo inside of the app: a server and a web site on this computer, and traffic through them, until it is ended."""

import asyncio
import logging
import secrets
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from ssgui.app.adding import merged, without
from ssgui.app.context import AppContext
from ssgui.config.app_config import Server
from ssgui.config.models import ServerSettings
from ssgui.config.secret import Secret
from ssgui.engine.engine import Engine
from ssgui.engine.journal import Journal
from ssgui.engine.tasks import run_blocking, spawn

if TYPE_CHECKING:
    from ssgui.app.demo.site import Site

IDENTITY = "demo"
METHOD = "aes-256-gcm"
HOST = "127.0.0.1"
_PAUSE = 0.02  # seconds between two pieces of the large file: it is there to be watched
_REST = 2.0
_log = logging.getLogger("ssgui")


class _Ended(Exception):
    """Somebody ended the demo while something was being fetched."""


class InnerDemo:
    """Its server is in the list while it runs, and is never kept."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._engine: Engine | None = None
        self._site: Site | None = None
        self._before = ""
        self._over = threading.Event()
        self._traffic: asyncio.Task[None] | None = None
        self.fetched = 0

    @property
    def running(self) -> bool:
        """Whether it is there."""
        return self._engine is not None

    async def start(self, name: str) -> None:
        """Start all of it, and use the server, called `name`. OSError, EngineError."""
        if self.running:
            return
        context, self._over = self._context, threading.Event()
        self._engine = Engine(Journal())  # of its own: Connections is to show the client's side
        try:
            self._site = await run_blocking(_open_site)
            password = Secret(secrets.token_urlsafe(24))
            # Nothing is forbidden: the site is on the loopback, and so is whoever may ask.
            relay = await self._engine.start_server(ServerSettings(HOST, 0, METHOD, password, forbidden=()))
        except BaseException:
            await self._close()
            raise
        host, port = relay.address
        server = Server(id=IDENTITY, host=host, port=port, method=METHOD, password=password, remarks=name)
        self._before = context.config.current
        context.passing.add(IDENTITY)
        kept = without(context.config, {IDENTITY}, self._before)
        context.change(merged(kept, (server,), None, use=True))
        await context.settled()
        self._traffic = spawn(self._fetch(self._site.url), name="traffic of the demo")

    async def stop(self) -> None:
        """Take everything away again."""
        if not self.running:
            return
        self._over.set()
        if self._traffic is not None:
            self._traffic.cancel()
            with suppress(asyncio.CancelledError):
                await self._traffic
            self._traffic = None
        config = self._context.config
        if config.server(IDENTITY) is not None:
            self._context.change(without(config, {IDENTITY}, self._before))
        elif config.server(config.current) is None:
            self._context.change(msgspec.structs.replace(config, current=self._before))
        await self._close()

    async def _close(self) -> None:
        engine, site, self._engine, self._site = self._engine, self._site, None, None
        if engine is not None:
            await engine.stop(0)
        if site is not None:
            await run_blocking(site.__exit__, None, None, None)

    async def _fetch(self, url: str) -> None:
        """The page, then the large file slowly, again and again."""
        while not self._over.is_set():
            relay = self._context.proxy.relay
            if relay is not None:
                host, port = relay.address
                proxy = f"{HOST if host == '0.0.0.0' else host}:{port}"  # noqa: S104
                await run_blocking(self._fetch_both, proxy, url)
            await asyncio.sleep(_REST)

    def _fetch_both(self, proxy: str, url: str) -> None:
        from ssgui.app.demo.command import fetch
        from ssgui.app.demo.site import BULK_PATH

        over = self._over

        def told(size: int) -> None:
            if over.wait(_PAUSE):
                raise _Ended

        try:
            fetch(proxy, f"{url}/")
            self.fetched += 1
            fetch(proxy, f"{url}{BULK_PATH}", told)
            self.fetched += 1
        except _Ended:
            return
        except Exception as error:  # noqa: BLE001  httpx's and its parts'; the row in Connections says what happened
            _log.info("the demo's page did not come: %s", error)


def _open_site() -> "Site":
    from ssgui.app.demo.site import Site

    return Site().__enter__()

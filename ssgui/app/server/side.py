"""What a server has beside its ports: the plan of what it serves, managers, counters, and settings read again."""

import platform
import time
from collections.abc import Awaitable, Callable

from ssgui import __version__
from ssgui.app.headless.reload import Reloader, Settings, as_they_are
from ssgui.app.server.manager import Manager
from ssgui.app.server.metrics import Facts, metrics_text
from ssgui.app.server.metrics_page import MetricsPage
from ssgui.app.server.plan import ServerPlan, Serving


class ServerSide:
    """Begins with `settings`, which are served already; `read` reads them again (left out: they stay).

    `processes` says how many serve now, and how often one was started again.
    """

    def __init__(
        self, serving: Serving, settings: Settings, read: Callable[[], Awaitable[Settings]] | None,
        processes: Callable[[], tuple[int, int]] = lambda: (1, 0),
    ) -> None:  # fmt: skip
        self._serving, self._processes = serving, processes
        self._started, self._began = time.time(), time.monotonic()
        self._plan = ServerPlan(serving, settings)
        self._reloader = Reloader(read or as_they_are(settings), self._plan.take)
        options = settings.options
        self._manager = None if options.manager is None else Manager(options.manager, self._plan)
        self._page = None if options.metrics is None else MetricsPage(options.metrics, self._text)

    def begin(self) -> None:
        """Read the settings again."""
        self._reloader.begin()

    async def end(self) -> None:
        """Change nothing more; managers and counters are still answered."""
        await self._reloader.end()
        await self._plan.close()

    async def start(self) -> None:
        """Open the sockets of managers and counters. BindError."""
        if self._manager is not None:
            await self._manager.start()
        if self._page is not None:
            await self._page.start()

    async def stop(self) -> None:
        """Close them; whatever was begun is given up."""
        await self.end()
        if self._manager is not None:
            await self._manager.stop()
        if self._page is not None:
            await self._page.stop()

    async def _text(self) -> str:
        workers, restarts = self._processes()
        facts = Facts(
            __version__, platform.python_version(), self._started, time.monotonic() - self._began, workers, restarts,
            self._reloader.taken, self._reloader.refused,
        )  # fmt: skip
        return metrics_text(await self._serving.sample(), facts)

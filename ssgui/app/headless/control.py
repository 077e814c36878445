"""The control channel of a process without a window. `requests` may be added to."""

import logging
from collections.abc import Awaitable, Callable

from ssgui.app.watching import EngineRows, Watching
from ssgui.engine.engine import Engine
from ssgui.services.control.channel import ControlError, Json, new_process_control

_log = logging.getLogger("ssgui")


class HeadlessControl:
    """Answers for the process that runs `engine` as `role` ("local", "tunnel", "server")."""

    def __init__(self, engine: Engine, role: str) -> None:
        self._watching = Watching(engine, EngineRows(engine), role)
        self.requests: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "hello": self._watching.hello, "close": self._watching.close,
        }  # fmt: skip
        self._server = new_process_control(role, self._asked, self._watching.streams())

    async def start(self) -> None:
        """Listen. A process that cannot be asked runs all the same."""
        try:
            await self._server.start()
        except ControlError as error:
            _log.warning("ssgui monitor cannot reach this process: %s", error)

    async def stop(self) -> None:
        """Tell those who watch, and listen no more."""
        await self._watching.stop()
        await self._server.stop()

    async def _asked(self, request: Json) -> Json:
        name = str(request.get("do"))
        if name not in self.requests:
            raise ValueError(f"unknown request {name!r}")
        return await self.requests[name](request)

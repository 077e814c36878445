"""The lines of `--events` for who asks for them over the control channel, from the moment of asking."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable

from ssgui.app.events.lines import EventLines, text_of
from ssgui.services.connections.records import Engine
from ssgui.services.control.client import Json, encode

_EVERY = 0.1  # seconds
_SHARE = 0.02  # of one core
_LINES = 100  # at once
MOST_FOLLOWERS = 8


class EventStream:
    """Streams for followers; `hello` is the first line. Who reads slowly loses events, and is told how many."""

    def __init__(self, engine: Engine, hello: Callable[[], Json], port: Callable[[], int] | None) -> None:
        self._engine, self._hello, self._port = engine, hello, port
        self._followers = 0

    async def follow(self, request: Json) -> AsyncGenerator[bytes, None]:
        """Lines for one, until it goes. ValueError when there are too many."""
        if self._followers >= MOST_FOLLOWERS:
            raise ValueError(f"{MOST_FOLLOWERS} follow the events already")
        self._followers += 1
        try:
            lines = EventLines(self._engine, history=False, port=self._port)
            yield encode({"ok": True, **self._hello()})
            while True:
                begun = time.perf_counter()
                news = lines.look()
                spent = time.perf_counter() - begun
                for start in range(0, len(news), _LINES):
                    begun = time.perf_counter()
                    text = text_of(news[start : start + _LINES]).encode("ascii")
                    spent += time.perf_counter() - begun
                    yield text
                await asyncio.sleep(max(_EVERY, spent / _SHARE * self._followers))
        finally:
            self._followers -= 1

"""The monitor without a live screen: one table, lines of JSON for scripts, and the events of a process that runs."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import Any

import msgspec

from ssgui.services.control.client import ControlError, Json, answer_of, follow
from ssgui.services.control.mirror import Mirror
from ssgui.services.control.watch_wire import Told, told_by

_SECONDS = 5.0  # in which a process tells all that it has to tell at first
_RATES = 0.4  # in which it sees what flows
Write = Callable[[str], None]
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


async def snapshot(place: str) -> Mirror:
    """All that the process at `place` knows. ControlError when it does not tell."""
    async with aclosing(follow(place, {"do": "watch"})) as lines:
        try:
            async with asyncio.timeout(_SECONDS):
                mirror = Mirror(answer_of(await _first(lines)))
                await _whole(mirror, lines)
        except TimeoutError:
            raise ControlError("it does not answer") from None
        try:
            async with asyncio.timeout(_RATES):
                async for line in lines:
                    mirror.take(line)
        except TimeoutError:
            pass  # whatever flows has been seen to flow
    return mirror


async def _whole(mirror: Mirror, lines: AsyncGenerator[bytes, None]) -> None:
    async for line in lines:
        if mirror.take(line).whole:
            return
    raise ControlError("it went away")


async def follow_rows(place: str, write: Write, *, once: bool) -> None:
    """Rows as lines of JSON, each when it is new and when something about it has changed; names are escaped.

        {"event":"instance","role":"local","pid":7,…}     first
        {"event":"row","id":1,"stage":"STREAM",…}         as in `services/control/watch_wire.py`, with all of its fields
        {"event":"gone","id":5}                           it is over, and nobody knows more
        {"event":"dropped","n":12}                        so many changes were never told
        {"event":"end","why":"shutdown"}                  last: it ended in good order, or "gone"

    With `once` only what there is now.
    """
    async with aclosing(follow(place, {"do": "watch"})) as lines:
        about = answer_of(await _first(lines))
        Mirror(about)  # speaks what we speak
        write(_line({"event": "instance", **_without_ok(about)}))
        async for line in lines:
            told = told_by(line)
            for one in _told_lines(told):
                write(_line(one))
            if told.bye or (once and told.whole):
                return
    write(_line({"event": "end", "why": "gone"}))


async def follow_events(place: str, write: Write) -> None:
    """What --events of that process would write from now on."""
    async with aclosing(follow(place, {"do": "events"})) as lines:
        about = answer_of(await _first(lines))
        role = "server" if about.get("role") == "server" else "local"
        start = {name: about.get(name) for name in ("t", "time", "pid", "version")}
        write(_line({"event": "start", **start, "role": role}))
        async for line in lines:
            try:
                write(_line(json.loads(line)))
            except (ValueError, RecursionError):
                raise ControlError("it tells nonsense") from None


async def _first(lines: AsyncGenerator[bytes, None]) -> bytes:
    try:
        return await anext(lines)
    except StopAsyncIteration:
        raise ControlError("it went away") from None


def _told_lines(told: Told) -> Iterator[Json]:
    if told.dropped:
        yield {"event": "dropped", "n": told.dropped}
    for row in told.rows:
        yield {"event": "row", **{name: getattr(row, name) for name in row.__struct_fields__}}
    for number in told.gone:
        yield {"event": "gone", "id": number}
    if told.verdict is not None:
        yield {"event": "verdict", "t": told.t, **msgspec.to_builtins(told.verdict)}
    if told.bye:
        yield {"event": "end", "why": "shutdown"}


def _without_ok(about: Json) -> Json:
    return {key: value for key, value in about.items() if key != "ok"}


def _line(message: dict[str, Any]) -> str:
    return _encode(message) + "\n"

"""How often a newer version is looked for, by which way, and what is remembered."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from ssgui.app import updates
from ssgui.app.context import AppContext
from ssgui.app.log_buffer import LogBuffer
from ssgui.app.updates import NAME, Updates
from ssgui.config.store import Store
from ssgui.services.updates import Latest, Releases, UpdateError

PLACE = Releases("https://api.example/latest", "https://example/page")


class World:
    """A clock, a host of code, and what was said."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.context = AppContext(Store(folder), LogBuffer())
        self.now, self.said, self.asked = 1_000_000.0, list[str](), list[dict[str, Any]]()
        self.answer: Latest | Exception = Latest("9.0", '"1"')
        self.proxy = "socks5://127.0.0.1:1080"
        monkeypatch.setattr(updates, "own_proxy", lambda _context: self.proxy)
        self.updates = self.started()

    def started(self) -> Updates:
        return Updates(self.context, PLACE, self.said.append, self.get, lambda: self.now, "1.0")

    async def get(self, place: Releases, **more: Any) -> Latest:
        assert more.pop("opened") == self.context.proxy.own
        assert more.pop("dated") == self.context.clock.heard_date
        self.asked.append(more)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def look(self) -> None:
        self.updates.look()
        while self.updates._task is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


async def test_once_a_day_also_over_starts(world: World, tmp_path: Path) -> None:
    await world.look()
    await world.look()
    assert world.said == ["9.0"]
    assert world.asked == [{"proxy": world.proxy, "etag": ""}]
    world.updates = world.started()
    await world.look()
    assert len(world.asked) == 1
    assert world.said == ["9.0", "9.0"]  # each run says it once
    world.now += 86_401
    world.answer = Latest("", '"1"', True)
    await world.look()
    assert world.asked[-1]["etag"] == '"1"'
    assert json.loads((tmp_path / NAME).read_text())["version"] == "9.0"


async def test_not_if_it_is_not_wanted_or_would_be_seen(world: World) -> None:
    world.proxy = ""
    await world.look()
    world.proxy = "socks5://127.0.0.1:1080"
    world.context.config = world.context.config.__class__(
        settings=world.context.config.settings.__class__(check_updates=False)
    )
    await world.look()
    assert not world.asked


async def test_a_failure_waits_for_the_next_day(world: World) -> None:
    world.answer = UpdateError("404")
    await world.look()
    world.now += 3600
    await world.look()
    assert len(world.asked) == 1
    world.now += 86_400
    world.answer = Latest("0.9")
    await world.look()
    assert len(world.asked) == 2
    assert not world.said


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"checked": "x", "etag": 1, "version": []}', "\0" * 50])
async def test_a_damaged_memory_is_no_memory(world: World, tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    await world.look()
    assert world.said == ["9.0"]


async def test_a_clock_that_went_back_looks_again(world: World) -> None:
    await world.look()
    world.now -= 5_000_000
    await world.look()
    assert len(world.asked) == 2

"""Scenarios of the engine run on every poller this machine has, on the transport legs, and inside of Qt's loop."""

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.util import find_spec

import pytest

from ssgui.engine.loop import new_headless_loop
from ssgui.engine.multiplexer import has_multiplexer
from tests.engine.world import World

POLLERS = ["selector", "nested", "transports"] if has_multiplexer() else ["transports"]
if has_multiplexer() and find_spec("PySide6") is not None:  # the headless engine does not need it
    POLLERS.append("merged")
Scenario = Callable[[World], Awaitable[None]]


@pytest.fixture(params=POLLERS)
def play(request: pytest.FixtureRequest) -> Callable[[Scenario], None]:
    """Runs a scenario in a loop of its own; fails if anything is left behind or was reported by the loop."""
    return _player(str(request.param))


@pytest.fixture
def play_once() -> Callable[[Scenario], None]:
    """The same, on the first poller alone: for what does not depend on it."""
    return _player(POLLERS[0])


def _player(poller: str) -> Callable[[Scenario], None]:
    def run(scenario: Scenario) -> None:
        troubles: list[str] = []

        async def main() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _loop, context: troubles.append(str(context)))
            async with asyncio.timeout(30):
                async with World(poller) as world:
                    await scenario(world)

        with asyncio.Runner(loop_factory=lambda: _new_loop(poller)) as runner:
            runner.run(main())
        gc.collect()  # a socket that nobody closed is reported now, and by this test
        assert not troubles, troubles

    return run


def _new_loop(poller: str) -> asyncio.AbstractEventLoop:
    if poller == "merged":
        return _new_merged_loop()
    return new_headless_loop() if poller == "selector" else asyncio.new_event_loop()


@cache
def _application() -> object:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    return QApplication.instance() or QApplication(["ssgui"])


def _new_merged_loop() -> asyncio.AbstractEventLoop:
    from PySide6.QtCore import QCoreApplication

    from ssgui.gui.event_loop import new_merged_loop

    application = _application()
    assert isinstance(application, QCoreApplication)
    return new_merged_loop(application)

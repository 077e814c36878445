"""The engine's tests run on every poller this machine has, and on the transport legs too."""

import asyncio
import gc
from collections.abc import Awaitable, Callable

import pytest

from ssgui.engine.loop import new_headless_loop
from ssgui.engine.multiplexer import has_multiplexer
from tests.engine.world import World

POLLERS = ["selector", "nested", "transports"] if has_multiplexer() else ["transports"]
Scenario = Callable[[World], Awaitable[None]]


@pytest.fixture(params=POLLERS)
def play(request: pytest.FixtureRequest) -> Callable[[Scenario], None]:
    """Runs a scenario in a loop of its own; fails if anything is left behind or was reported by the loop."""

    def run(scenario: Scenario) -> None:
        troubles: list[str] = []

        async def main() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _loop, context: troubles.append(str(context)))
            async with asyncio.timeout(30):
                async with World(request.param) as world:
                    await scenario(world)

        factory = new_headless_loop if request.param == "selector" else asyncio.new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main())
        gc.collect()  # a socket that nobody closed is reported now, and by this test
        assert not troubles

    return run

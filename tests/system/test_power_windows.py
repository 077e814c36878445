"""Windows' notice of sleep, against a recorded stand-in: it never ran on Windows."""

import asyncio
import ctypes
from typing import Any

import pytest

from ssgui.system.power_windows import Subscription, WindowsPower
from tests.engine.world import until

SUSPEND, RESUME_AUTOMATIC, RESUME_SUSPEND = 4, 0x12, 7


class Powrprof:
    """Its two functions."""

    def __init__(self, error: int = 0) -> None:
        self.error, self.ended = error, list[int | None]()
        self.subscription: Any = None

    def PowerRegisterSuspendResumeNotification(self, flags: Any, recipient: Any, handle: Any) -> int:
        assert flags.value == 2
        self.subscription = recipient._obj
        handle._obj.value = 77
        return self.error

    def PowerUnregisterSuspendResumeNotification(self, handle: Any) -> int:
        self.ended.append(handle.value)
        return 0


def test_it_wakes_the_loop() -> None:
    async def scenario() -> None:
        woken, library = list[int](), Powrprof()
        power = WindowsPower(asyncio.get_running_loop(), lambda: woken.append(1), lambda: library)
        assert ctypes.sizeof(Subscription) == 2 * ctypes.sizeof(ctypes.c_void_p)
        for kind in (SUSPEND, RESUME_AUTOMATIC, SUSPEND, RESUME_SUSPEND):
            assert await asyncio.to_thread(library.subscription.callback, None, kind, None) == 0
        await until(lambda: len(woken) == 2)
        power.close()
        power.close()
        assert library.ended == [77]

    asyncio.run(scenario())


def test_a_refusal_is_said() -> None:
    async def scenario() -> None:
        with pytest.raises(OSError, match="does not tell of sleep"):
            WindowsPower(asyncio.get_running_loop(), lambda: None, lambda: Powrprof(87))

    asyncio.run(scenario())

"""The app as a process of its own, asked over its control channel."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ssgui.services.control.channel import ControlError, ask
from tests.support.processes import ROOT, Process, running, wait_until

OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen", "DBUS_SESSION_BUS_ADDRESS": "disabled:"}


class App:
    """One that runs in the data directory `folder`."""

    def __init__(self, folder: Path, env: Mapping[str, str], process: Process) -> None:
        self.folder, self._env, self.process = folder, env, process

    def status(self) -> dict[str, Any]:
        """What it says about itself."""
        return asyncio.run(ask(self.folder, {"do": "status"}))

    def ask(self, request: dict[str, Any]) -> None:
        """Have it do something."""
        asyncio.run(ask(self.folder, request))

    def answers(self) -> bool:
        """Whether it can be asked yet; AssertionError with its last words when it has ended."""
        self.process.require_running()
        try:
            self.status()
        except ControlError:
            return False
        return True

    def second(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Start it again, beside itself."""
        command, env = [sys.executable, "-m", "ssgui", *arguments], {**os.environ, **self._env}
        return subprocess.run(command, capture_output=True, text=True, env=env, timeout=30, cwd=ROOT)

    def require_good_end(self) -> None:
        """It ended with 0, and complained about nothing."""
        assert self.process.wait() == 0, self.process.stderr()
        complaints = self.process.stderr()
        assert not complaints, complaints


@contextmanager
def app(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None, module: str = "ssgui"
) -> Iterator[App]:  # fmt: skip
    """The app while the block runs, once it answers; without a screen unless `env` has one."""
    full = {
        "SSGUI_HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "XDG_CONFIG_HOME": str(folder / "desktop"),  # settings of a desktop that the test speaks of
        "LC_ALL": "C.UTF-8",
        **(OFFSCREEN if env is None else env),
    }
    with running([sys.executable, "-m", module, *arguments], env=full) as process:
        one = App(folder, full, process)
        wait_until(one.answers, "the app answers", 20)
        yield one

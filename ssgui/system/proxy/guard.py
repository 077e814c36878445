"""The guard: a small process that puts the system's proxy back when the app cannot, because it was killed.

It is this program with a hidden argument, and imports the standard library and `ssgui.system.proxy` only. It blocks
on a pipe, its standard input, whose only other end is the app's and is inherited by nobody: the kernel closes that
with the app, however the app ends. Then it takes the journal's lock and puts back what the run that started it has
changed; after an orderly end, or when a new app was faster, there is nothing, and it just goes.

Everything is imported before it says that it is ready: when the app has died its files may be gone too (an AppImage
that is unmounted, a frozen program's folder, an upgrade).
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ssgui.system.proxy.backend import ProxyError
from ssgui.system.proxy.choose import backend_named
from ssgui.system.proxy.journal import Find, Journal

ARGUMENT = "--proxy-guard"
READY_SECONDS = 10.0
_AGAIN_SECONDS = (1.0, 5.0, 30.0)  # a bus or a service of the desktop may be starting again
_SETTLE_SECONDS = 0.3
_READY = b"r"
_START = """
import sys
sys.path.append(sys.argv[1])
from ssgui.system.proxy import guard
sys.exit(guard.main(sys.argv[3:]))
"""


# ---- the guard itself


def main(arguments: Sequence[str], find: Find = backend_named) -> int:
    """`arguments`: the data directory, and who changed the proxy."""
    folder, owner = arguments
    for name in ("SIGHUP", "SIGTERM", "SIGINT", "SIGQUIT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    journal = Journal(Path(folder))
    os.write(1, _READY)
    _release_output()
    while os.read(0, 1):
        pass
    return keep_restoring(journal, find, owner)


def _release_output() -> None:
    """Whoever reads what the app writes must not wait for the guard too."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)


def _sleep(seconds: float) -> None:
    """The guard has nothing else to do."""
    time.sleep(seconds)  # noqa: TID251


def keep_restoring(journal: Journal, find: Find, owner: str, sleep: Callable[[float], object] = _sleep) -> int:
    """Put back what `owner` changed; 0 when nothing of it is left. What cannot be is left to the next start."""
    for seconds in (*_AGAIN_SECONDS, 0.0):
        with contextlib.suppress(ProxyError), journal.locked():
            if all(entry.owner != owner for entry in journal.entries()):
                return 0
            journal.restore(find, owner, lambda: sleep(_SETTLE_SECONDS))
            return 0
        sleep(seconds)
    return 1


# ---- the app's side


def command() -> list[str]:
    """How this program is started as a guard, without what it does not need: no site packages, no environment."""
    if getattr(sys, "frozen", False):
        return [sys.executable, ARGUMENT]
    root = str(Path(__file__).resolve().parents[3])
    return [sys.executable, "-I", "-S", "-c", _START, root, ARGUMENT]


class Guard:
    """A guard that runs, for the changes of `owner` in the data directory `folder`."""

    def __init__(self, folder: Path, owner: str, program: Sequence[str] = ()) -> None:
        """Start it and wait until it watches: blocks for about 0.1 s. ProxyError if it does not come up."""
        try:
            self._process = subprocess.Popen(
                [*(program or command()), str(folder.absolute()), owner], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=os.path.abspath(os.sep), **_apart(),
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise ProxyError(f"the guard of the system's proxy cannot be started: {error}") from None
        late = threading.Timer(READY_SECONDS, self._process.kill)
        late.daemon = True
        late.start()
        assert self._process.stdout is not None
        with self._process.stdout as output:
            ready = output.read(1) == _READY
        late.cancel()
        if not ready:
            self._process.kill()
            self.dismiss()
            raise ProxyError("the guard of the system's proxy ends as soon as it is started")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it still watches."""
        return self._process.poll() is None

    def dismiss(self, seconds: float = 5.0) -> None:
        """There is nothing to put back any more. One that is still at it is left to end by itself."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)


def _apart() -> dict[str, Any]:
    """A session of its own, in no job of ours; a frozen program unpacks itself again, for itself."""
    options: dict[str, Any] = {"env": {**os.environ, "PYINSTALLER_RESET_ENVIRONMENT": "1"}}
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    else:
        options["start_new_session"] = True
    return options

"""Programs of the desktop that are run to read or change its settings."""

import os
import subprocess
import sys
from collections.abc import Sequence

from ssgui.system.proxy.backend import ProxyError
from ssgui.system.proxy.held import held

_SECONDS = 10.0
_MOST_LETTERS = 200


class ProgramFailed(ProxyError):
    """A program ran, and said that it could not do it."""


def run(command: Sequence[str], seconds: float = _SECONDS, *, named: int = 3) -> str:
    """What `command` writes. ProgramFailed when it says no, and ProxyError when it cannot be started or takes too
    long, and is then killed. A message shows so many words of it as `named` says; what follows may be a secret."""
    program = os.path.basename(command[0])
    descriptors = held() if sys.platform != "win32" else ()
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8"}, pass_fds=descriptors,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ProxyError(f"{program} did not come to an end within {seconds:g} s") from None
    except OSError as error:
        raise ProxyError(f"{program} cannot be run: {error.strerror}") from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout).decode("utf-8", "replace")
        words = " ".join(said.split())[:_MOST_LETTERS] or f"exit code {done.returncode}"
        raise ProgramFailed(f"{' '.join([program, *command[1 : 1 + named]])} failed: {words}")
    return done.stdout.decode("utf-8", "replace")

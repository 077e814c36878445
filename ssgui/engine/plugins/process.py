"""One run of a plugin's program: started so that nothing of it outlives us, read, and stopped.

A plugin runs in a session, and so in a process group, of its own: whatever it starts is stopped with it. When we
die without a chance to stop it (kill -9), two things end it: the kernel kills the program itself, because it was
started with PR_SET_PDEATHSIG (Linux), and a guard, a few lines of shell that wait for a pipe of ours to
close, kills the rest of the group, which a wrapper script leaves. On Windows a job object does both.

A parent-death signal belongs to the thread that forked: programs are started from the loop's own thread.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ssgui.engine.plugins.job_object import JobObject

LONGEST_LINE = 1000
STOP_SECONDS = 3.0
_PR_SET_PDEATHSIG = 1
# A line means that all is well; the end of the pipe, that we are gone.
_GUARD = 'trap "" HUP INT TERM; read -r _ || { kill -s TERM -- "-$1"; sleep 1; kill -s KILL -- "-$1"; }'


class PluginProcess:
    """A program that runs. `said` gets its lines and `ended` its exit code, both in threads of their own."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        said: Callable[[str], None],
        ended: Callable[[int], None],
    ) -> None:
        self._process: subprocess.Popen[bytes] = _start(command, environment)
        self._guard = _guard(self._process.pid)
        self._job = JobObject(self._process) if sys.platform == "win32" else None
        self._said, self._ended = said, ended
        for work in (self._read, self._wait):
            threading.Thread(target=work, daemon=True, name=f"plugin {self._process.pid}").start()

    @property
    def pid(self) -> int:
        """Its process id, which is its group's too."""
        return self._process.pid

    def _read(self) -> None:
        output = self._process.stdout
        assert output is not None
        with output:
            while line := output.readline(LONGEST_LINE):
                self._said(line.decode("utf-8", "replace").rstrip())

    def _wait(self) -> None:
        code = self._process.wait()
        self.signal_group(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)  # what it left behind
        self._dismiss_guard()
        self._ended(code)

    def _dismiss_guard(self) -> None:
        if self._guard is not None:
            with contextlib.suppress(OSError):
                self._guard.communicate(b"\n")

    def signal_group(self, number: int) -> None:
        """Signal the program and all that it has started."""
        if self._job is not None:
            self._job.close()
        elif hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def _start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    elif (die_with_us := _parent_death()) is not None:
        options["preexec_fn"] = die_with_us
    return subprocess.Popen(
        command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        bufsize=-1, **options,
    )  # fmt: skip


def _parent_death() -> Callable[[], None] | None:
    """What a child of ours calls before it becomes the plugin; None where the kernel has no such thing."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes  # loaded before the fork: a child of several threads may not

    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def die_with_parent() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it went before it could be asked for
            os._exit(1)

    return die_with_parent


def _guard(group: int) -> subprocess.Popen[bytes] | None:
    """The shell that waits for our end. Only we hold the other end of its pipe."""
    if sys.platform == "win32":
        return None
    return subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "ssgui-plugin-guard", str(group)], stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env={"PATH": os.defpath},
    )  # fmt: skip

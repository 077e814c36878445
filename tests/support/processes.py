"""Programs under test as subprocesses: started in a session of their own, waited for, always stopped.

Debian's shadowsocks-libev (`libev_server`, `libev_local`) and ours (`ssgui_server`, `ssgui_local`), whose
`--events` file is read back as `Events`.
"""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.support.ports import free_port, is_listening
from tests.support.programs import require

ROOT = Path(__file__).parents[2]
METHOD = "aes-256-gcm"
PASSWORD = "a password of the tests"
HOST = "127.0.0.1"
_POLL = 0.01
_STOP_SECONDS = 5
Json = dict[str, Any]
_T = TypeVar("_T")


def wait_until(condition: Callable[[], _T], what: str, seconds: float = 30) -> _T:
    """The first true result of `condition`; AssertionError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(_POLL)
    return result


class Process:
    """A running program. What it writes goes to temporary files, so no pipe ever fills."""

    def __init__(self, command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.command = list(command)
        self._out, self._err = folder / "stdout", folder / "stderr"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=ROOT,
                env={**os.environ, **(env or {})}, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """Its process id, which is its process group too."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    def stdout(self) -> str:
        """What it wrote to stdout so far."""
        return self._out.read_text("utf-8", "replace")

    def stderr(self) -> str:
        """What it wrote to stderr so far."""
        return self._err.read_text("utf-8", "replace")

    def send_signal(self, number: int) -> None:
        """Signal the program alone."""
        self._process.send_signal(number)

    def wait(self, seconds: float = 10) -> int:
        """Its exit code, when it has ended."""
        return self._process.wait(seconds)

    def require_running(self) -> None:
        """AssertionError with its last words if it has ended."""
        assert self.returncode is None, f"{self.command[0]} ended with {self.returncode}: {self.stderr()}"

    def wait_listening(self, port: int, seconds: float = 10) -> None:
        """Until it (or anybody) listens on TCP `port`."""

        def listening() -> bool:
            self.require_running()
            return is_listening(port)

        wait_until(listening, f"{' '.join(self.command[:4])} listens on {port}\n{self.stderr()}", seconds)

    def stop(self) -> None:
        """End it and all its children; AssertionError if SIGTERM did not do."""
        killed = False
        if self.returncode is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                killed = True
                self._process.kill()
                self._process.wait()
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it left nobody behind
        assert not killed, f"{self.command} did not end within {_STOP_SECONDS} s of SIGTERM: {self.stderr()}"


@contextmanager
def running(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, port: int | None = None
) -> Iterator[Process]:
    """`command` while the block runs; waits for it to listen on `port` if one is given."""
    with tempfile.TemporaryDirectory(prefix="ssgui-test-") as folder:
        process = Process(command, Path(folder), env)
        try:
            if port is not None:
                process.wait_listening(port)
            yield process
        finally:
            process.stop()


# ---- shadowsocks-libev


@contextmanager
def libev_server(
    *, method: str = METHOD, password: str = PASSWORD, host: str = HOST, timeout: int = 60, udp: bool = False,
    flags: Sequence[str] = (),
) -> Iterator[tuple[str, int]]:  # fmt: skip
    """Debian's ss-server on a free port; yields its address."""
    port = free_port(host)
    command = [require("ss-server"), "-s", host, "-p", str(port), "-k", password, "-m", method, "-t", str(timeout)]
    command += [*["-u"] * udp, *flags]
    with running(command, port=port):
        yield host, port


@contextmanager
def libev_local(
    server: tuple[str, int], *, method: str = METHOD, password: str = PASSWORD, timeout: int = 60, udp: bool = False,
    flags: Sequence[str] = (),
) -> Iterator[tuple[str, int]]:  # fmt: skip
    """Debian's ss-local for `server` on a free port; yields its SOCKS5 address."""
    port = free_port()
    command = [
        require("ss-local"), "-s", server[0], "-p", str(server[1]), "-b", HOST, "-l", str(port),
        "-k", password, "-m", method, "-t", str(timeout), *["-u"] * udp, *flags,
    ]  # fmt: skip
    with running(command, port=port):
        yield HOST, port


# ---- ssgui


@dataclass
class Connection:
    """All event lines of one handler."""

    opened: Json
    stages: list[Json] = field(default_factory=list)
    closed: Json | None = None

    @property
    def names(self) -> list[str]:
        """The stages that were entered, in order."""
        return [str(line["stage"]) for line in self.stages]

    @property
    def times(self) -> list[float]:
        """When each of `names` was entered."""
        return [line["t"] for line in self.stages]

    @property
    def target(self) -> str:
        """The last target that a stage named."""
        return next((str(line["target"]) for line in reversed(self.stages) if line.get("target")), "")

    @property
    def reason(self) -> str:
        """Why it ended, "" while it lives."""
        return str(self.closed["reason"]) if self.closed else ""


class Events:
    """The `--events` file of a program that may still be writing to it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self) -> list[Json]:
        """All whole lines so far."""
        if not self._path.exists():
            return []
        text = self._path.read_text("utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def connections(self) -> list[Connection]:
        """The lines grouped by handler, in order of opening. Each start of a worker has numbers of its own."""
        found: dict[tuple[object, int, int], Connection] = {}
        starts: dict[object, int] = {}
        for line in self.lines():
            worker = line.get("worker")
            key = worker, starts.get(worker, 0), line.get("id", 0)
            match line["event"]:
                case "start":
                    starts[worker] = starts.get(worker, 0) + 1
                case "opened":
                    found[key] = Connection(line)
                case "stage":
                    found[key].stages.append(line)
                case "closed":
                    found[key].closed = line
        return list(found.values())

    def wait_closed(self, count: int = 1, seconds: float = 10) -> list[Connection]:
        """The connections, once at least `count` of them are closed."""

        def closed() -> list[Connection]:
            found = self.connections()
            return found if sum(one.closed is not None for one in found) >= count else []

        return wait_until(closed, f"{count} closed in {self._path.name}", seconds)

    def wait_stage(self, stage: str, count: int = 1, seconds: float = 10) -> list[Connection]:
        """The connections, once at least `count` of them have entered `stage`."""

        def reached() -> list[Connection]:
            found = [one for one in self.connections() if stage in one.names]
            return found if len(found) >= count else []

        return wait_until(reached, f"{count} in {stage} in {self._path.name}", seconds)


@dataclass
class Program:
    """A running ssgui: where it listens, what it told, its process, and the directory that its control socket is in."""

    address: tuple[str, int]
    events: Events
    process: Process
    runtime: Path

    @property
    def control(self) -> Path:
        """Its control socket."""
        role = self.process.command[self.process.command.index("--headless") + 1]
        return self.runtime / "ssgui" / f"{role}-{self.process.pid}.sock"


@contextmanager
def ssgui_program(
    command: Sequence[str], role: str, port: int, flags: Sequence[str], password: str = PASSWORD,
    env: Mapping[str, str] | None = None,
) -> Iterator[Program]:  # fmt: skip
    """`ssgui --headless role flags…` with an events file; waits until it listens on `port`.

    AssertionError in the end if a traceback was logged.
    """
    with tempfile.TemporaryDirectory(prefix="ssgui-test-") as folder:
        path = Path(folder) / "events.jsonl"
        full = [*command, "--headless", role, *flags, "--events", str(path)]
        own = {"SSGUI_PASSWORD": password, "XDG_RUNTIME_DIR": folder, **(env or {})}
        with running(full, env=own, port=port) as process:
            yield Program((HOST, port), Events(path), process, Path(own["XDG_RUNTIME_DIR"]))
            assert "Traceback" not in process.stderr(), process.stderr()


@contextmanager
def ssgui_server(
    command: Sequence[str], *, method: str = METHOD, password: str = PASSWORD, flags: Sequence[str] = ()
) -> Iterator[Program]:
    """Our server on a free port, allowed to reach the loopback."""
    port = free_port()
    own = ["-s", HOST, "-p", str(port), "-m", method, "--forbidden-ip", "", *flags]
    with ssgui_program(command, "server", port, own, password) as program:
        yield program


@contextmanager
def ssgui_local(
    command: Sequence[str], server: tuple[str, int], *, method: str = METHOD, password: str = PASSWORD,
    flags: Sequence[str] = (),
) -> Iterator[Program]:  # fmt: skip
    """Our client of `server` on a free port."""
    port = free_port()
    own = ["-s", server[0], "-p", str(server[1]), "-m", method, "-b", HOST, "-l", str(port), *flags]
    with ssgui_program(command, "local", port, own, password) as program:
        yield program

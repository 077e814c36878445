"""The control pipe of Windows, against recorded stand-ins for kernel32 and advapi32."""

import asyncio
import ctypes
import queue
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssgui.services.control import ControlError, PipeControlServer, ask_file, pipe_name
from ssgui.system.windows_pipe import MOST_LINE, PipeCalls, PipeServer, SecurityAttributes

SID = "S-1-5-21-1-2-3-1001"


class Library:
    """Every function of a DLL: what is not defined notes its call and succeeds."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.fail = ""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*args: Any) -> Any:
            self.calls.append((name, args))
            if name == self.fail:
                return 0
            special = type(self).__dict__.get("on_" + name)
            return 1 if special is None else special(self, *args)

        call.restype = None  # type: ignore[attr-defined]
        self.__dict__[name] = call
        return call

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


class Advapi(Library):
    def on_GetTokenInformation(self, token: Any, kind: int, out: Any, size: Any, need: Any) -> int:
        need._obj.value = 44
        return 0 if out is None else 1

    def on_ConvertSidToStringSidW(self, sid: Any, out: Any) -> int:
        out._obj.value = SID
        return 1

    def on_ConvertStringSecurityDescriptorToSecurityDescriptorW(
        self, text: Any, revision: int, out: Any, size: Any
    ) -> int:
        self.descriptor = text.value
        out._obj.value = 4096
        return 1


class Kernel(Library):
    """One pipe; clients are queues of what they send and of what they get."""

    def __init__(self) -> None:
        super().__init__()
        self.clients: queue.Queue[queue.Queue[bytes] | None] = queue.Queue()
        self.sent: queue.Queue[bytes] = queue.Queue()
        self.current: queue.Queue[bytes] | None = None

    def on_GetCurrentProcess(self) -> int:
        return -1

    def on_GetLastError(self) -> int:
        return 231

    def on_CreateNamedPipeW(self, *args: Any) -> int:
        return 77

    def on_ConnectNamedPipe(self, pipe: Any, overlapped: Any) -> int:
        self.current = self.clients.get()
        return 0 if self.current is None else 1

    def on_ReadFile(self, pipe: Any, data: Any, size: int, got: Any, overlapped: Any) -> int:
        assert self.current is not None
        chunk = self.current.get()
        ctypes.memmove(data, chunk, len(chunk))
        got._obj.value = len(chunk)
        return int(bool(chunk))

    def on_WriteFile(self, pipe: Any, data: bytes, size: int, put: Any, overlapped: Any) -> int:
        self.sent.put(data)
        put._obj.value = size
        return 1

    def on_CancelIoEx(self, pipe: Any, overlapped: Any) -> int:
        self.clients.put(None)
        return 1

    def client(self, *chunks: bytes) -> None:
        """A client that sends these and goes."""
        one: queue.Queue[bytes] = queue.Queue()
        for chunk in (*chunks, b""):
            one.put(chunk)
        self.clients.put(one)


@pytest.fixture
def libraries() -> tuple[Kernel, Advapi]:
    return Kernel(), Advapi()


def test_only_this_user_may_open_it(libraries: tuple[Kernel, Advapi]) -> None:
    kernel, advapi = libraries
    calls = PipeCalls(kernel, advapi)
    assert calls.user_sid() == SID
    assert calls.create("\\\\.\\pipe\\x", SID) == 77
    assert advapi.descriptor == f"D:P(A;;GA;;;{SID})"
    name, access, mode, instances, *_sizes, security = next(
        args for each, args in kernel.calls if each == "CreateNamedPipeW"
    )
    assert name.value == "\\\\.\\pipe\\x"
    assert (access, mode, instances) == (0x80003, 8, 1)  # duplex, the first of its name; nobody from elsewhere
    assert security._obj.lpSecurityDescriptor == 4096
    assert security._obj.nLength == ctypes.sizeof(SecurityAttributes) == (24 if sys.maxsize > 2**32 else 12)
    assert kernel.names().count("LocalFree") == 2
    assert "CloseHandle" in kernel.names()


@pytest.mark.parametrize("what", ["OpenProcessToken", "ConvertSidToStringSidW"])
def test_what_windows_refuses_is_said(libraries: tuple[Kernel, Advapi], what: str) -> None:
    kernel, advapi = libraries
    advapi.fail = what
    with pytest.raises(OSError, match=rf"{what} failed \(error 231\)"):
        PipeCalls(kernel, advapi).user_sid()


async def test_questions_and_answers(libraries: tuple[Kernel, Advapi], tmp_path: Path) -> None:
    kernel, advapi = libraries

    async def echo(request: dict[str, Any]) -> dict[str, Any]:
        return {"got": request}

    server = PipeControlServer(tmp_path, echo, PipeCalls(kernel, advapi))
    await server.start()
    kernel.client(b'{"do":', b'"x"}\n{"do":"y"}\nnot json\n')
    kernel.client(b'{"do":"z"}\n')
    wanted = ['"x"', '"y"', '"error"', '"z"']
    for part in wanted:
        line = await asyncio.to_thread(kernel.sent.get, True, 10)
        assert part in line.decode()
    await server.stop()
    await server.stop()
    assert kernel.names().count("DisconnectNamedPipe") >= 1
    assert not [one for one in threading.enumerate() if one.name == "control pipe"]


async def test_a_pipe_of_somebody_else(libraries: tuple[Kernel, Advapi], tmp_path: Path) -> None:
    kernel, advapi = libraries
    kernel.fail = "CreateNamedPipeW"

    async def never(request: dict[str, Any]) -> dict[str, Any]:
        raise AssertionError

    with pytest.raises(ControlError, match="CreateNamedPipeW failed"):
        await PipeControlServer(tmp_path, never, PipeCalls(kernel, advapi)).start()


def test_a_line_without_an_end_is_not_collected_for_ever(libraries: tuple[Kernel, Advapi]) -> None:
    kernel, advapi = libraries
    server = PipeServer("x", lambda line: b"{}\n", PipeCalls(kernel, advapi))
    server.start()
    kernel.client(*[b"x" * 60_000] * (MOST_LINE // 60_000 + 10))
    kernel.client(b"y\n")
    assert kernel.sent.get(timeout=10) == b"{}\n"  # the next one is served
    server.stop()


def test_the_client_reads_one_line(tmp_path: Path) -> None:
    assert re.fullmatch(r"\\\\\.\\pipe\\ssgui-[0-9a-f]{16}", pipe_name(tmp_path))
    path = tmp_path / "pipe"
    path.write_bytes(b'{"do":1}\n{"ok":true}\n')  # a file stands in: what was written is read over
    assert ask_file(str(path), b'{"do":1}\n') == b'{"ok":true}\n'

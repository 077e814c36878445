"""The control pipe of Windows, against recorded stand-ins for kernel32 and advapi32."""

import asyncio
import ctypes
import itertools
import os
import queue
import re
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from ssgui.services.control.channel import Answers, ControlError, PipeControlServer
from ssgui.services.control.client import MAX_LINE, PipeReader
from ssgui.services.control.places import pipe_name, process_pipe_name
from ssgui.system.windows_pipe import MOST_LINE, PipeCalls, PipeServer, SecurityAttributes
from tests.support.processes import wait_until

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


class Client:
    """One end of an instance of the pipe: what it sends, and what it gets."""

    def __init__(self, *chunks: bytes, stays: bool = False) -> None:
        self.sends: queue.Queue[bytes] = queue.Queue()
        self.gets: queue.Queue[bytes] = queue.Queue()
        self.gone = False
        for chunk in (*chunks, *[b""] * (not stays)):
            self.sends.put(chunk)


class Kernel(Library):
    """A pipe of many instances, whose handles are 77 and up."""

    def __init__(self) -> None:
        super().__init__()
        self.clients: queue.Queue[Client | None] = queue.Queue()
        self.at: dict[int, Client] = {}
        self.handles = itertools.count(77)
        self.lock = threading.Lock()

    def on_GetCurrentProcess(self) -> int:
        return -1

    def on_GetLastError(self) -> int:
        return 231

    def on_CreateNamedPipeW(self, *args: Any) -> int:
        return next(self.handles)

    def on_ConnectNamedPipe(self, pipe: Any, overlapped: Any) -> int:
        client = self.clients.get()
        if client is None:
            return 0
        self.at[pipe.value] = client
        return 1

    def on_ReadFile(self, pipe: Any, data: Any, size: int, got: Any, overlapped: Any) -> int:
        chunk = self.at[pipe.value].sends.get()
        ctypes.memmove(data, chunk, len(chunk))
        got._obj.value = len(chunk)
        return int(bool(chunk))

    def on_WriteFile(self, pipe: Any, data: bytes, size: int, put: Any, overlapped: Any) -> int:
        client = self.at[pipe.value]
        if client.gone:
            return 0
        client.gets.put(data)
        put._obj.value = size
        return 1

    def on_CancelIoEx(self, pipe: Any, overlapped: Any) -> int:
        client = self.at.get(pipe.value)
        if client is not None:
            client.gone = True
            client.sends.put(b"")
        self.clients.put(None)
        return 1

    def client(self, *chunks: bytes, stays: bool = False) -> Client:
        """A client that sends these, and goes or stays."""
        one = Client(*chunks, stays=stays)
        self.clients.put(one)
        return one


@pytest.fixture
def libraries() -> tuple[Kernel, Advapi]:
    return Kernel(), Advapi()


def test_only_this_user_may_open_it(libraries: tuple[Kernel, Advapi]) -> None:
    kernel, advapi = libraries
    calls = PipeCalls(kernel, advapi)
    assert calls.user_sid() == SID
    assert calls.create("\\\\.\\pipe\\x", SID, first=True) == 77
    assert advapi.descriptor == f"D:P(A;;GA;;;{SID})"
    name, access, mode, instances, *_sizes, security = next(
        args for each, args in kernel.calls if each == "CreateNamedPipeW"
    )
    assert name.value == "\\\\.\\pipe\\x"
    assert (access, mode, instances) == (0x80003, 8, 16)  # duplex, the first of its name; nobody from elsewhere
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


async def echo(request: dict[str, Any]) -> dict[str, Any]:
    return {"got": request}


async def get(client: Client) -> str:
    return (await asyncio.to_thread(client.gets.get, True, 10)).decode()


async def test_questions_and_answers(libraries: tuple[Kernel, Advapi]) -> None:
    kernel, advapi = libraries
    server = PipeControlServer("x", Answers(echo), PipeCalls(kernel, advapi))
    await server.start()
    first = kernel.client(b'{"do":', b'"x"}\n{"do":"y"}\nnot json\n')
    for part in ('"x"', '"y"', '"error"'):
        assert part in await get(first)
    assert '"z"' in await get(kernel.client(b'{"do":"z"}\n'))
    async with asyncio.timeout(10):
        while "DisconnectNamedPipe" not in kernel.names():  # noqa: ASYNC110  its thread sees that the client has gone
            await asyncio.sleep(0.001)
    await server.stop()
    await server.stop()
    assert not [one for one in threading.enumerate() if one.name == "control pipe"]
    made = {args[0].value for name, args in kernel.calls if name == "CloseHandle"}
    assert made >= set(range(77, next(kernel.handles)))  # every instance is given back


async def test_one_that_watches_does_not_keep_others_out(libraries: tuple[Kernel, Advapi]) -> None:
    kernel, advapi = libraries
    ended = asyncio.Event()

    async def watch(request: dict[str, Any]) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"{}\n"
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    server = PipeControlServer("x", Answers(echo, {"watch": watch}), PipeCalls(kernel, advapi))
    await server.start()
    watcher = kernel.client(b'{"do":"watch"}\n', stays=True)
    for _ in range(3):
        assert await get(watcher) == "{}\n"
    for number in range(20):  # more than there can be instances at once
        assert f'"{number}"' in await get(kernel.client(b'{"do":"%d"}\n' % number))
    watcher.gone = True
    await asyncio.wait_for(ended.wait(), 10)
    await server.stop()
    firsts = [args[1] & 0x80000 for name, args in kernel.calls if name == "CreateNamedPipeW"]
    assert firsts[0]
    assert not any(firsts[1:])
    assert not [one for one in threading.enumerate() if one.name == "control pipe"]


async def test_a_pipe_of_somebody_else(libraries: tuple[Kernel, Advapi]) -> None:
    kernel, advapi = libraries
    kernel.fail = "CreateNamedPipeW"
    with pytest.raises(ControlError, match="CreateNamedPipeW failed"):
        await PipeControlServer("x", Answers(echo), PipeCalls(kernel, advapi)).start()


def one_line(line: bytes) -> Generator[bytes, None, None]:
    yield b"{}\n"


def test_a_line_without_an_end_is_not_collected_for_ever(libraries: tuple[Kernel, Advapi]) -> None:
    kernel, advapi = libraries
    server = PipeServer("x", one_line, PipeCalls(kernel, advapi))
    server.start()
    kernel.client(*[b"x" * 60_000] * (MOST_LINE // 60_000 + 10), stays=True)
    assert kernel.client(b"y\n").gets.get(timeout=10) == b"{}\n"  # the next one is served
    server.stop()


def test_without_another_instance_the_one_goes_on(libraries: tuple[Kernel, Advapi]) -> None:
    kernel, advapi = libraries
    server = PipeServer("x", one_line, PipeCalls(kernel, advapi))
    server.start()
    kernel.fail = "CreateNamedPipeW"
    for _ in range(3):
        assert kernel.client(b"y\n").gets.get(timeout=10) == b"{}\n"
    server.stop()
    assert next(kernel.handles) == 78


def test_what_pipes_are_called(tmp_path: Path) -> None:
    assert re.fullmatch(r"\\\\\.\\pipe\\ssgui-[0-9a-f]{16}", pipe_name(tmp_path))
    assert process_pipe_name("local", 7) == "\\\\.\\pipe\\ssgui-local-7"


def test_the_client_reads_lines(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    path.write_bytes(b'{"do":1}\n{"ok":true}\n{"n":1}\n{"n')  # a file stands in: what was written is read over
    reader = PipeReader(str(path))
    reader.open(b'{"do":1}\n')
    assert [reader.line() for _ in range(3)] == [b'{"ok":true}\n', b'{"n":1}\n', b""]
    reader.close()
    assert reader.line() == b""
    reader.close()


def test_the_client_reads_no_line_without_an_end(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    path.write_bytes(b"x" * (3 * MAX_LINE))
    reader = PipeReader(str(path))
    reader.open(b"")
    with pytest.raises(ValueError, match="without an end"):
        reader.line()
    reader.close()


def test_a_pipe_is_not_closed_under_a_read() -> None:
    inlet, outlet = os.pipe()
    reader, pipe = PipeReader(""), FileIO(inlet, "r")
    reader._pipe = pipe
    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.append(reader.line()))
    thread.start()
    wait_until(lambda: reader._reading, "it reads")
    reader.close()
    assert not pipe.closed
    os.write(outlet, b"late\n")
    thread.join(10)
    assert found == [b"late\n"]
    assert [pipe.closed] == [True]  # not what it was before
    os.close(outlet)

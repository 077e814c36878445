"""One instance, and a way to talk to it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.services.control import channel as control
from ssgui.services.control.channel import Answers, ControlError, ControlServer, InstanceLock, ask, new_control_server
from ssgui.services.control.client import MAX_LINE, ask_place, follow
from ssgui.services.control.places import socket_path
from tests.engine.world import until
from tests.support.json_values import json_values

ROOT = Path(__file__).parents[3]


async def echo(request: dict[str, Any]) -> dict[str, Any]:
    if request.get("do") == "fail":
        raise ValueError("no such thing")
    if request.get("do") == "crash":
        raise RuntimeError("a bug")
    return {"got": request}


async def test_questions_and_answers(tmp_path: Path) -> None:
    server = new_control_server(tmp_path, echo)
    assert isinstance(server, ControlServer)
    await server.start()
    try:
        assert (await ask(tmp_path, {"do": "x", "text": "ü"}))["got"] == {"do": "x", "text": "ü"}
        assert server.path.stat().st_mode & 0o777 == 0o600
        with pytest.raises(ControlError, match="no such thing"):
            await ask(tmp_path, {"do": "fail"})
        with pytest.raises(ControlError, match="see the log"):
            await ask(tmp_path, {"do": "crash"})
        assert (await ask(tmp_path, {}))["ok"]
    finally:
        await server.stop()
    assert not server.path.exists()
    with pytest.raises(ControlError, match="no running instance"):
        await ask(tmp_path, {"do": "x"})


async def test_stopping_ends_what_is_being_asked(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def hang(request: dict[str, Any]) -> dict[str, Any]:
        asked.set()
        await asyncio.sleep(3600)
        return {}

    server = ControlServer(tmp_path / "x.sock", Answers(hang))
    await server.start()
    reader, writer = await asyncio.open_unix_connection(server.path)
    writer.write(b'{"do":"hang"}\n')
    await asked.wait()
    await server.stop()
    assert await reader.read() == b""
    writer.close()


async def test_bad_lines_are_answered_and_endless_ones_end(tmp_path: Path) -> None:
    server = ControlServer(tmp_path / "x.sock", Answers(echo))
    await server.start()
    try:
        reader, writer = await asyncio.open_unix_connection(server.path)
        for line in (b"\xff\n", b"[]\n", b"[" * 5000 + b"\n", b"\n"):
            writer.write(line)
            assert b'"ok":false' in await reader.readline()
        writer.write(b"x" * (3 << 20))
        with contextlib.suppress(ConnectionError):  # we are cut off in the middle
            assert await reader.read() == b""
        writer.close()
    finally:
        await server.stop()


# ---- many lines for one request


async def count(request: dict[str, Any]) -> AsyncGenerator[bytes, None]:
    """Lines without end, or so many; `closed` is set when nobody wants them any more."""
    if request.get("most") == "too many":
        raise ValueError("too many")
    try:
        for number in range(request.get("most", sys.maxsize)):
            yield b'{"n":%d,"pad":"%s"}\n' % (number, b"x" * request.get("pad", 0))
            await asyncio.sleep(0)
    finally:
        closed.append(request)


closed: list[dict[str, Any]] = []


@pytest.fixture
async def counting(tmp_path: Path) -> AsyncIterator[ControlServer]:
    closed.clear()
    server = ControlServer(tmp_path / "x.sock", Answers(echo, {"count": count}))
    await server.start()
    yield server
    await server.stop()


async def test_a_stream_of_answers(counting: ControlServer) -> None:
    async with aclosing(follow(str(counting.path), {"do": "count", "most": 5000})) as lines:
        assert [json.loads(await anext(lines))["n"] for _ in range(5000)] == list(range(5000))


async def test_who_goes_is_told_no_more(counting: ControlServer) -> None:
    async with aclosing(follow(str(counting.path), {"do": "count"})) as lines:
        async for line in lines:
            if json.loads(line)["n"] == 3:
                break
    await until(lambda: bool(closed))
    assert (await ask_place(str(counting.path), {"do": "x"}))["ok"]  # the others are served


async def test_a_stream_that_is_refused_says_why(counting: ControlServer) -> None:
    with pytest.raises(ControlError, match="too many"):
        await ask_place(str(counting.path), {"do": "count", "most": "too many"})


async def test_who_does_not_read_is_let_go(counting: ControlServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_READ_SECONDS", 0.2)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(counting.path))
        sock.sendall(b'{"do":"count","pad":10000}\n')
        await until(lambda: bool(closed))


async def test_stopping_ends_streams(counting: ControlServer) -> None:
    lines = follow(str(counting.path), {"do": "count"})
    assert json.loads(await anext(lines))["n"] == 0
    await counting.stop()
    assert closed
    await lines.aclose()


async def test_there_is_an_end_to_how_many_ask(counting: ControlServer) -> None:
    streams = [follow(str(counting.path), {"do": "count"}) for _ in range(64)]
    for one in streams:
        await anext(one)
    with pytest.raises(ControlError):
        await ask_place(str(counting.path), {"do": "x"})
    for one in streams:
        await one.aclose()
    await until(lambda: len(closed) == 64)


class Nonsense:
    """Listens, and answers what it was given."""

    def __init__(self, path: Path, answer: bytes) -> None:
        self._path, self._answer = path, answer

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_unix_server(self._serve, self._path)
        return str(self._path)

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(self._answer)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "went away"),
        (b'{"ok":true}', "went away"),  # a line that was cut off is none
        (b"hello\n", "no instance of ssgui"),
        (b"[1]\n", "no answer"),
        (b'{"ok":"yes"}\n', "no answer"),
        (b'{"ok":false,"error":"busy"}\n', "busy"),
        (b"[" * 5000 + b"\n", "no instance of ssgui"),
        (b"x" * (3 * MAX_LINE), "no running instance answers"),
    ],
)
async def test_what_is_no_instance(tmp_path: Path, answer: bytes, words: str) -> None:
    async with Nonsense(tmp_path / "n.sock", answer) as place:
        with pytest.raises(ControlError, match=words):
            await ask_place(place, {"do": "hello"})


async def test_a_server_that_is_stuck_is_not_waited_for(tmp_path: Path) -> None:
    async def hang(request: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(3600)
        return {}

    server = ControlServer(tmp_path / "x.sock", Answers(hang))
    await server.start()
    try:
        with pytest.raises(ControlError, match="does not answer") as caught:
            await ask_place(str(server.path), {"do": "x"}, 0.05)
        assert caught.value.reached
    finally:
        await server.stop()


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(["do", "ids", "links", "page", "x"]), json_values, max_size=4))
async def test_random_requests(request: dict[str, Any]) -> None:
    answer = json.loads(await Answers(echo, {"count": count}).to(json.dumps(request).encode()))
    assert answer.get("ok", True) in (True, False)


@settings(max_examples=30)
@given(st.binary(max_size=60).filter(lambda data: b"\n" not in data))
async def test_random_bytes(data: bytes) -> None:
    answer = json.loads(await Answers(echo).to(data))
    assert answer["ok"] in (True, False)


def test_only_one_holds_the_lock_and_death_releases_it(tmp_path: Path) -> None:
    code = (
        "import sys, signal; from pathlib import Path; from ssgui.services.control.channel import InstanceLock;"
        "lock = InstanceLock(Path(sys.argv[1])); print(lock.take(), flush=True); signal.pause()"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        lock = InstanceLock(tmp_path)
        assert not lock.take()
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    assert lock.take()
    assert not InstanceLock(tmp_path).take()
    lock.release()
    last = InstanceLock(tmp_path)
    assert last.take()
    last.release()


def test_the_name_of_the_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    one, other = socket_path(tmp_path / "a"), socket_path(tmp_path / "b")
    assert one.parent == tmp_path / "ssgui"
    assert one != other
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    deep = tmp_path / ("x" * 80) / ("y" * 80)
    assert len(os.fsencode(socket_path(deep))) <= 100

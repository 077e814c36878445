"""One instance, and a way to talk to it."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.services.control import Answers, ControlError, ControlServer, InstanceLock, ask, socket_path

ROOT = Path(__file__).parents[2]


async def echo(request: dict[str, Any]) -> dict[str, Any]:
    if request.get("do") == "fail":
        raise ValueError("no such thing")
    if request.get("do") == "crash":
        raise RuntimeError("a bug")
    return {"got": request}


async def test_questions_and_answers(tmp_path: Path) -> None:
    server = ControlServer(tmp_path, echo)
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

    server = ControlServer(tmp_path, hang)
    await server.start()
    reader, writer = await asyncio.open_unix_connection(server.path)
    writer.write(b'{"do":"hang"}\n')
    await asked.wait()
    await server.stop()
    assert await reader.read() == b""
    writer.close()


async def test_bad_lines_are_answered_and_endless_ones_end(tmp_path: Path) -> None:
    server = ControlServer(tmp_path, echo)
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


@settings(max_examples=30)
@given(st.binary(max_size=60).filter(lambda data: b"\n" not in data))
async def test_random_bytes(data: bytes) -> None:
    answer = json.loads(await Answers(echo).to(data))
    assert answer["ok"] in (True, False)


def test_only_one_holds_the_lock_and_death_releases_it(tmp_path: Path) -> None:
    code = (
        "import sys, signal; from pathlib import Path; from ssgui.services.control import InstanceLock;"
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

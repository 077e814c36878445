"""A client and a server without a window, asked and watched by another process."""

import asyncio
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.engine.stages import Reason, Role, Stage
from ssgui.services.connections.records import Connection, Moment
from ssgui.services.control.client import ControlError, answer_of, ask_place, follow
from ssgui.services.control.mirror import Mirror
from tests.support.json_values import json_values
from tests.support.origin import Origin
from tests.support.ports import free_port
from tests.support.processes import HOST, METHOD, Program, running, ssgui_local, ssgui_server, wait_until
from tests.support.socks_client import receive_exactly, socks_connect

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="unix sockets")
SSGUI = [sys.executable, "-m", "ssgui"]
_T = TypeVar("_T")
Pair = tuple[Program, Program]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Our client behind our server."""
    with ssgui_server(SSGUI) as server, ssgui_local(SSGUI, server.address) as local:
        yield local, server


async def watched(program: Program, condition: Callable[[Mirror], _T | None]) -> _T:
    """Watch until `condition` has something to say."""
    async with asyncio.timeout(20), aclosing(follow(str(program.control), {"do": "watch"})) as lines:
        mirror = Mirror(answer_of(await anext(lines)))
        async for line in lines:
            mirror.take(line)
            if (found := condition(mirror)) is not None:
                return found
    raise AssertionError("it ended")


def streaming_to(origin: Origin) -> Callable[[Mirror], Connection | None]:
    """The connection to `origin`, once bytes came back."""
    target = f"{HOST}:{origin.port}"
    return lambda mirror: next((one for one in mirror.live.values() if one.target == target and one.down), None)


async def test_both_ends_tell_of_one_connection(pair: Pair) -> None:
    local, server = pair
    with Origin() as origin, socks_connect(local.address, origin.address) as sock:
        sock.sendall(b"ECHO\nhello")
        assert receive_exactly(sock, 5) == b"hello"
        streaming = streaming_to(origin)
        here, there = await watched(local, streaming), await watched(server, streaming)
        assert (here.role, there.role) == (Role.LOCAL, Role.SERVER)
        assert here.target == there.target == f"{HOST}:{origin.port}"
        assert [stage for stage, _ in here.timeline] == [
            Stage.INIT, Stage.ADDR, Stage.DNS, Stage.CONNECTING, Stage.STREAM,
        ]  # fmt: skip
        assert [stage for stage, _ in there.timeline] == [Stage.INIT, Stage.DNS, Stage.CONNECTING, Stage.STREAM]
        assert [moment for _, moment in here.moments] == [Moment.FIRST_UP, Moment.FIRST_DOWN]
        assert (here.up, here.down) == (10, 5)
        assert here.client == "{}:{}".format(*sock.getsockname())
        if sys.platform == "linux":
            named = await watched(local, lambda mirror: one if (one := streaming(mirror)) and one.program else None)
            assert named.pid == os.getpid()


async def test_what_process_it_is(pair: Pair) -> None:
    for program, role in zip(pair, ("local", "server"), strict=True):
        answer = await ask_place(str(program.control), {"do": "hello"})
        assert (answer["role"], answer["pid"], answer["protocol"]) == (role, program.process.pid, 1)
        assert answer["listens"] == [f"{HOST}:{program.address[1]}"]
        assert stat.S_IMODE(program.control.stat().st_mode) == 0o600
        assert stat.S_IMODE(program.control.parent.stat().st_mode) == 0o700
        with pytest.raises(ControlError, match="unknown request 'show'"):
            await ask_place(str(program.control), {"do": "show"})


async def test_what_came_before_somebody_watched_is_told_too(pair: Pair) -> None:
    local, _ = pair
    with Origin() as origin:
        with socks_connect(local.address, origin.address) as sock:
            sock.sendall(b"DOWN 1000\n")
            receive_exactly(sock, 1000)
        target = f"{HOST}:{origin.port}"
        wait_until(lambda: any(one.target == target and one.closed for one in local.events.connections()), "its end")
        of_it = lambda mirror: next((one for one in mirror.ended.values() if one.target == target), None)  # noqa: E731
        one = await watched(local, of_it)
        assert (one.reason, one.down) == (Reason.FINISHED, 1000)
        verdict = await watched(local, lambda mirror: mirror.verdict)
        assert verdict.kind == "on"


async def test_a_connection_that_is_closed_from_elsewhere_is_closed(pair: Pair) -> None:
    for program in pair:
        with Origin() as origin, socks_connect(pair[0].address, origin.address) as sock:
            sock.sendall(b"ECHO\nx")
            receive_exactly(sock, 1)
            one = await watched(program, streaming_to(origin))
            request = {"do": "close", "ids": [one.id, 999_999]}
            assert (await ask_place(str(program.control), request))["closed"] == 1
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
        reasons = lambda program=program: [one.reason for one in program.events.connections()]  # noqa: E731
        wait_until(lambda reasons=reasons: "closed-by-user" in reasons(), "it is told")  # type: ignore[misc]


async def test_a_stranger_who_sends_anything_ends_nothing(pair: Pair) -> None:
    local, _ = pair
    for data in (b"\xff\n", b"{}\n[]\n" * 1000, b"x" * (3 << 20), b'{"do":"close","ids":"all"}\n', b""):
        reader, writer = await asyncio.open_unix_connection(local.control)
        writer.write(data)
        writer.write_eof()
        try:
            async with asyncio.timeout(10):
                while await reader.read(1 << 16):
                    pass
        except ConnectionError:
            pass  # it was cut off in the middle
        writer.close()
    assert (await ask_place(str(local.control), {"do": "hello"}))["ok"]


requests = st.dictionaries(st.sampled_from(["ids", "do", "x"]), json_values, max_size=3)
known = st.builds(lambda do, ids: {"do": do, "ids": ids}, st.sampled_from(["hello", "close"]), json_values)
lines = st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"")) | (requests | known | json_values).map(
    lambda value: json.dumps(value).encode()
)


@settings(max_examples=15)
@given(st.lists(lines, max_size=20))
def test_every_line_is_answered_by_one(pair: Pair, sent: list[bytes]) -> None:
    with socket.socket(socket.AF_UNIX) as sock, sock.makefile("rb") as answers:
        sock.settimeout(20)
        sock.connect(str(pair[0].control))
        for line in sent:
            sock.sendall(line + b"\n")
            assert isinstance(json.loads(answers.readline())["ok"], bool)


async def test_many_watch_and_one_is_killed(pair: Pair) -> None:
    watch = [sys.executable, "-m", "ssgui", "monitor", "--json"]
    local, _ = pair
    env = {"XDG_RUNTIME_DIR": str(local.runtime)}
    with Origin() as origin, running(watch, env=env) as killed, running(watch, env=env) as other:
        target = f'"target":"{HOST}:{origin.port}"'
        with socks_connect(local.address, origin.address) as sock:
            for one in (killed, other):
                wait_until(lambda one=one: target in one.stdout(), "it is told")  # type: ignore[misc]
            killed.send_signal(signal.SIGKILL)
            sock.sendall(b"DOWN 1000\n")
            receive_exactly(sock, 1000)
        ended = lambda: [line for line in other.stdout().splitlines() if target in line and "finished" in line]  # noqa: E731
        wait_until(ended, "the other is told of the end")
        local.process.require_running()


# ---- events over the channel


async def events(program: Program) -> AsyncGenerator[dict[str, Any], None]:
    async with aclosing(follow(str(program.control), {"do": "events"})) as lines:
        yield answer_of(await anext(lines))
        async for line in lines:
            yield json.loads(line)


async def test_events_are_those_of_the_file(pair: Pair) -> None:
    local, _ = pair
    with Origin() as origin:
        found: list[dict[str, Any]] = []
        async with asyncio.timeout(20), aclosing(events(local)) as lines:
            assert (await anext(lines))["role"] == "local"
            sock = socks_connect(local.address, origin.address)
            sock.sendall(b"DOWN 10\n")
            receive_exactly(sock, 10)
            sock.close()
            async for line in lines:  # other tests' connections may still be ending
                if line["event"] == "opened" or (found and line["id"] == found[0]["id"]):
                    found.append(line)
                if found and line["event"] == "closed" and line["id"] == found[0]["id"]:
                    break

        def written() -> list[dict[str, Any]]:
            lines = [line for line in local.events.lines() if line.get("id") == found[0]["id"]]
            return lines if lines and lines[-1]["event"] == "closed" else []

        both = (found, wait_until(written, "the file has it"))
        first, second = ([one for one in each if one["event"] in ("opened", "stage")] for each in both)
        assert first == second
        assert {one["event"] for one in found} >= {"opened", "stage", "moment", "closed"}


# ---- beginnings and ends


async def test_those_who_watch_hear_that_it_ends() -> None:
    with ssgui_server(SSGUI) as server:
        async with aclosing(follow(str(server.control), {"do": "watch"})) as lines:
            mirror = Mirror(answer_of(await anext(lines)))
            server.process.send_signal(signal.SIGTERM)
            async for line in lines:
                mirror.take(line)
            assert mirror.left
        assert await asyncio.to_thread(server.process.wait) == 0
        assert not list(server.control.parent.iterdir())


def test_without_a_socket_it_runs_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "ssgui").write_text("in the way")
    port = free_port()
    command = [*SSGUI, "--headless", "local", "-s", HOST, "-p", "1", "-m", METHOD, "-l", str(port)]
    env = {"SSGUI_PASSWORD": "x", "XDG_RUNTIME_DIR": str(tmp_path)}
    with running(command, env=env, port=port) as process:
        wait_until(lambda: "ssgui monitor cannot reach this process" in process.stderr(), "the warning")
        assert "Traceback" not in process.stderr()
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0

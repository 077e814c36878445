"""The counters' text, read by the rules of the format, and the page that serves it."""

import asyncio
import math
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.app.server.metrics import CONTENT_TYPE, Facts, metrics_text
from ssgui.app.server.metrics_page import MOST_CONNECTIONS, MetricsPage
from ssgui.engine.errors import BindError
from ssgui.engine.stages import Reason
from ssgui.engine.tally import PortSample, Sample
from tests.support.ports import free_port

FACTS = Facts("1.2.3", "3.13.1", 1795631194.25, 12.5, workers=2, restarts=1, reloads_taken=3, reloads_refused=4)
# Every line of the format, version 0.0.4, as its description has it.
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
LINE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)?\}})? (\S+)")
HELP = re.compile(rf"# HELP ({NAME}) (?:[^\\\n]|\\[\\n])+")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge)")
LOCALHOST = "127.0.0.1"
Found = dict[str, dict[frozenset[tuple[str, str]], float]]


def unescaped(text: str) -> str:
    """What stands between the quotes, whatever was escaped in it."""
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), text[1:-1])


def parsed(text: str) -> Found:
    """Families, their lines by labels. AssertionError where the text is not of the format."""
    families: Found = {}
    types: dict[str, str] = {}
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if found := HELP.fullmatch(line):
            assert found[1] not in families
            families[found[1]] = {}
        elif found := TYPE.fullmatch(line):
            assert not families[found[1]], "the type comes before the lines"
            types[found[1]] = found[2]
        else:
            found = LINE.fullmatch(line)
            assert found, line
            assert found[1] == list(families)[-1], "the lines of a family stand together"
            labels = [one.partition("=") for one in re.findall(LABEL, found[2] or "")]
            key = frozenset((name, unescaped(text)) for name, _, text in labels)
            assert key not in families[found[1]], line
            families[found[1]][key] = float(found[3])
            assert math.isfinite(float(found[3]))
    assert set(types) == set(families)
    assert all(name.endswith("_total") is (kind == "counter") for name, kind in types.items())
    return families


def key(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def test_what_there_is() -> None:
    port = PortSample(
        {"STREAM": 2, "INIT": 1}, 3, {"finished": 5, "replay": 7, "auth-failed": 1}, {"idle-timeout": 4},
        {"replay": 2, "auth-failed": 8}, {"bad": 10, "full": 6}, {"": (1, 2), "ann": (10, 20)},
    )  # fmt: skip
    found = parsed(metrics_text(Sample({"0.0.0.0:8388": port}, drain=9), FACTS))
    here = {"listen": "0.0.0.0:8388"}
    for name, labels, value in (
        ("build_info", {"version": "1.2.3", "python": "3.13.1"}, 1),
        ("start_time_seconds", {}, 1795631194.25),
        ("uptime_seconds", {}, 12.5),
        ("workers", {}, 2),
        ("worker_restarts_total", {}, 1),
        ("reloads_total", {"result": "taken"}, 3),
        ("reloads_total", {"result": "refused"}, 4),
        ("connections", {"stage": "STREAM", **here}, 2),
        ("connections", {"stage": "INIT", **here}, 1),
        ("connections", {"stage": "DNS", **here}, 0),
        ("connections_ended_total", {"reason": "finished", **here}, 5),
        ("connections_ended_total", {"reason": "denied", **here}, 0),
        ("bytes_total", {"direction": "up", **here}, 11),
        ("bytes_total", {"direction": "down", **here}, 22),
        ("user_bytes_total", {"user": "ann", "direction": "down", **here}, 20),
        ("replays_refused_total", here, 9),
        ("auth_failures_total", here, 9),
        ("drain_connections", {}, 9),
        ("udp_associations", here, 3),
        ("udp_associations_ended_total", {"reason": "idle-timeout", **here}, 4),
        ("udp_refused_total", {"reason": "replay", **here}, 2),
        ("udp_dropped_total", {"cause": "full", **here}, 6),
    ):
        assert found[f"ssgui_{name}"][key(**labels)] == value, name
    assert len(found["ssgui_connections_ended_total"]) == len(Reason)
    assert not [labels for labels in found["ssgui_user_bytes_total"] if ("user", "") in labels]


@given(st.text(max_size=20), st.text(max_size=20), st.integers(0, 2**63))
def test_any_name(user: str, version: str, count: int) -> None:
    port = PortSample(users={user: (count, 1)})
    found = parsed(metrics_text(Sample({"[::]:1": port}), Facts(version, "3", 0, 1e-7)))
    assert next(iter(found["ssgui_build_info"])) == key(version=version, python="3")
    if user:
        assert found["ssgui_user_bytes_total"][key(listen="[::]:1", user=user, direction="up")] == float(count)


def test_nothing_is_told_of_clients_or_targets() -> None:
    names = set(re.findall(r'(\w+)="', metrics_text(Sample({"a:1": PortSample({"DNS": 1})}), FACTS)))
    assert names == {"version", "python", "result", "listen", "stage", "reason", "direction"}


# ---- the page


@asynccontextmanager
async def page(text: str = "x 1\n") -> AsyncIterator[tuple[str, int]]:
    address = LOCALHOST, free_port()

    async def give() -> str:
        return text

    serving = MetricsPage(address, give)
    await serving.start()
    try:
        yield address
    finally:
        await serving.stop()


async def ask(address: tuple[str, int], request: bytes) -> tuple[int, dict[str, str], str]:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(request)
    try:
        async with asyncio.timeout(10):
            answer = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    head, _, body = answer.decode().partition("\r\n\r\n")
    status, *fields = head.split("\r\n")
    return (
        int(status.split()[1]),
        {name.lower(): text for name, _, text in (one.partition(": ") for one in fields)},
        body,
    )


async def test_a_page() -> None:
    async with page() as address:
        for host in (f"{LOCALHOST}:{address[1]}", "localhost", "LOCALHOST:1".lower(), "[::1]:9", LOCALHOST):
            request = f"GET /metrics HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n".encode()
            status, fields, body = await ask(address, request)
            assert (status, body) == (200, "x 1\n")
            assert fields["content-type"] == CONTENT_TYPE
            assert "version=0.0.4" in CONTENT_TYPE
            assert fields["content-length"] == "4"
        assert (await ask(address, b"GET /metrics?x=1 HTTP/1.0\r\n\r\n"))[0] == 200
        status, fields, body = await ask(address, b"HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (status, fields["content-length"], body) == (200, "4", "")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", 405),
        (b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403),
        (b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1.evil.example:80\r\n\r\n", 403),
        (b"GET /metrics HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", 403),
        (b"GET /metrics HTTP/1.1\r\n\r\n", 400),
        (b"\x05\x01\x00\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 40_000 + b"\r\n\r\n", 431),
    ],
)
async def test_what_gets_no_counters(request_: bytes, status: int) -> None:
    async with page() as address:
        found, _, body = await ask(address, request_)
        assert found == status
        assert "x 1" not in body


@given(st.lists(st.binary(max_size=60), max_size=4))
def test_any_bytes(pieces: list[bytes]) -> None:
    async def play() -> None:
        async with page() as address:
            reader, writer = await asyncio.open_connection(*address)
            with suppress(OSError):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                writer.write_eof()
                async with asyncio.timeout(10):
                    await reader.read()
            writer.transport.abort()
            assert (await ask(address, b"GET /metrics HTTP/1.0\r\n\r\n"))[0] == 200

    asyncio.run(play())


async def test_who_holds_connections_open_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssgui.app.server.metrics_page.REQUEST_SECONDS", 0.3)
    async with page() as address:
        silent = [await asyncio.open_connection(*address) for _ in range(MOST_CONNECTIONS + 5)]
        async with asyncio.timeout(10):
            for reader, _ in silent:
                with suppress(ConnectionError):
                    assert await reader.read() == b""
        assert (await ask(address, b"GET /metrics HTTP/1.0\r\n\r\n"))[0] == 200
        for _, writer in silent:
            writer.transport.abort()


async def test_a_port_in_use() -> None:
    async with page() as address:
        with pytest.raises(
            BindError, match=f"^cannot listen on {LOCALHOST}:{address[1]}: Address already in use$"
        ) as caught:
            await MetricsPage(address, lambda: asyncio.sleep(0, "")).start()
        assert caught.value.in_use

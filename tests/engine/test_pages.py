"""The PAC on the one port: served to whoever knows the secret, and invisible to everybody else."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.engine.pages import Fetched, Pages
from ssgui.engine.relay import LocalRelay
from ssgui.engine.stages import Reason
from tests.engine.world import World

Play = Callable[..., None]
SECRET = "a-secret_of-43-characters"
BODY = b'return "PROXY 127.0.0.1:1080";'
LOCAL = ("127.0.0.1", 1080)


def request(path: str, host: str = "127.0.0.1:1080", method: str = "GET", more: str = "") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Browser/1\r\n{more}\r\n".encode()


def pages(**values: object) -> tuple[Pages, list[Fetched]]:
    fetched: list[Fetched] = []
    return Pages(SECRET, {"/proxy.pac": BODY}, "127.0.0.1:1080", fetched=fetched.append, **values), fetched  # type: ignore[arg-type]


def test_who_knows_the_secret_is_served() -> None:
    served, fetched = pages()
    for host in ("127.0.0.1:1080", "localhost:1080", "LOCALHOST:1080", "[::1]:1080"):
        answer = served.answer(request(f"/proxy.pac?k={SECRET}&h=abc", host), LOCAL, "127.0.0.1:5")
        assert answer is not None
        head, _, body = answer.partition(b"\r\n\r\n")
        assert body == BODY
        for line in (b"Content-Type: application/x-ns-proxy-autoconfig", b"X-Content-Type-Options: nosniff",
                     b"Cache-Control: no-store", b"Connection: close"):  # fmt: skip
            assert line in head
        assert b"Access-Control" not in head
    assert answer is not None
    assert fetched[0] == Fetched("127.0.0.1:5", "Browser/1", "/proxy.pac", "abc")
    assert served.answer(request(f"/proxy.pac?k={SECRET}", method="HEAD"), LOCAL, "x") == answer.partition(BODY)[0]


@pytest.mark.parametrize(
    "head",
    [
        request("/"),
        request("/proxy.pac"),
        request("/proxy.pac?k="),
        request(f"/proxy.pac?k={SECRET}x"),
        request(f"/proxy.pac?k={SECRET[:-1]}"),
        request(f"/other.pac?k={SECRET}"),
        request(f"/proxy.pac?k={SECRET}", host="evil.example:1080"),
        request(f"/proxy.pac?k={SECRET}", host="127.0.0.1:1081"),
        request(f"/proxy.pac?k={SECRET}", host="127.0.0.1"),
        request(f"/proxy.pac?k={SECRET}", more="Host: 127.0.0.1:1080\r\n"),
        request(f"/proxy.pac?k={SECRET}", method="POST"),
        request(f"http://127.0.0.1:1080/proxy.pac?k={SECRET}"),
        f"GET /proxy.pac?k={SECRET} HTTP/1.1\r\n\r\n".encode(),
    ],
)
def test_everybody_else_gets_what_any_origin_form_gets(head: bytes) -> None:
    served, fetched = pages()
    assert served.answer(head, LOCAL, "x") is None
    assert not fetched
    assert Pages("", {"/proxy.pac": BODY}).answer(request("/proxy.pac?k="), LOCAL, "x") is None


def test_other_devices_are_told_the_address_that_they_came_in_on() -> None:
    head = request(f"/proxy.pac?k={SECRET}", host="192.168.1.5:1080")
    assert pages()[0].answer(head, ("192.168.1.5", 1080), "192.168.1.9:5") is None  # nobody shares
    served, _ = pages(shared=True)
    answer = served.answer(head, ("192.168.1.5", 1080), "192.168.1.9:5")
    assert answer is not None
    assert answer.endswith(b'return "PROXY 192.168.1.5:1080";')
    assert served.answer(request(f"/proxy.pac?k={SECRET}"), ("192.168.1.5", 1080), "x") is None
    six = served.answer(request(f"/proxy.pac?k={SECRET}", host="[fd00::5]:1080"), ("fd00::5", 1080), "x")
    assert six is not None
    assert six.endswith(b'"PROXY [fd00::5]:1080";')


@given(st.binary(max_size=200), st.binary(max_size=60))
def test_any_bytes(head: bytes, query: bytes) -> None:
    served, _ = pages()
    assert served.answer(head, LOCAL, "x") is None
    served.answer(b"GET /proxy.pac?" + query + b" HTTP/1.1\r\nHost: " + head + b"\r\n\r\n", LOCAL, "x")


async def ask(relay: LocalRelay, head: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*relay.address)
    writer.write(head)
    answer = await reader.read()
    writer.close()
    return answer


def test_on_the_mixed_port(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        host = f"127.0.0.1:{client.address[1]}"
        right = request(f"/proxy.pac?k={SECRET}", host)
        ordinary = await ask(client, request("/anything"))
        assert ordinary.startswith(b"HTTP/1.1 400 ")
        assert await ask(client, right) == ordinary  # nothing is served yet
        client.pages, fetched = pages()
        for wrong in (request("/"), request("/proxy.pac", host), request(f"/proxy.pac?k={SECRET}x", host),
                      request(f"/proxy.pac?k={SECRET}", "evil.example")):  # fmt: skip
            assert await ask(client, wrong) == ordinary
        assert not fetched
        halves = asyncio.open_connection(*client.address)
        reader, writer = await halves
        for part in (right[:9], right[9:-2], right[-2:]):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)  # in pieces
        assert (await reader.read()).endswith(b"\r\n\r\n" + BODY)
        writer.close()
        assert [one.agent for one in fetched] == ["Browser/1"]
        assert (await world.closed(client, 7))[-1].reason is Reason.FINISHED

    play(scenario)

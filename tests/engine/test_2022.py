"""Shadowsocks 2022 through the engine: both ends, users, and clocks."""

import base64
import os
from collections.abc import Callable

import pytest

from ssgui.config.secret import Secret
from ssgui.protocol.sip022 import METHODS_2022
from tests.engine.world import World

Play = Callable[..., None]
METHODS = list(METHODS_2022)


def make_key(method: str) -> str:
    return base64.b64encode(os.urandom(METHODS_2022[method].key_size)).decode()


@pytest.mark.parametrize("method", METHODS)
def test_a_client_and_a_server(play: Play, method: str) -> None:
    async def scenario(world: World) -> None:
        key = make_key(method)
        server = await world.server(method=method, password=Secret(key))
        client = await world.client(server.address, method=method, password=key)
        reader, writer = await world.connect(client, *await world.echo(), b"hello")
        assert await reader.readexactly(5) == b"hello"
        data = os.urandom(700_000)
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        writer.write_eof()
        assert await reader.read() == b""
        assert [one.reason for one in await world.closed(server)] == ["finished"]
        assert [one.reason for one in await world.closed(client)] == ["finished"]

    play(scenario)

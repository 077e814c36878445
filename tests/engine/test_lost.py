"""Connections that the network took with it end with that reason; the others go on."""

from collections.abc import Callable, Coroutine
from typing import Any, cast

from ssgui.engine.handler import TCPRelayHandler
from ssgui.engine.lost import end_lost
from ssgui.engine.plugins.plugin import Plugin
from tests.engine.world import World

Play = Callable[[Callable[[World], Coroutine[Any, Any, None]]], None]


def test_whose_address_is_gone_ends(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        reader, writer = await world.connect(client, *await world.echo(), payload=b"a")
        assert await reader.readexactly(1) == b"a"
        handlers = client.engine.handlers
        assert end_lost(handlers.values(), lambda sockname: sockname[0] == "127.0.0.1") == 0
        writer.write(b"b")
        assert await reader.readexactly(1) == b"b"
        assert end_lost(handlers.values(), lambda _: False) == 1
        (closed,) = await world.closed(client)
        assert closed.reason == "network-lost"
        assert closed.detail.startswith("this computer's address was 127.0.0.1")

    play(scenario)


def test_what_a_plugin_carried_ends_when_the_machine_moved(play: Play) -> None:
    async def scenario(world: World) -> None:
        client, _ = await world.pair()
        for _ in range(2):
            reader, _writer = await world.connect(client, *await world.echo(), payload=b"a")
            assert await reader.readexactly(1) == b"a"
        handlers = client.engine.handlers
        assert end_lost(handlers.values(), lambda _: True, moved=True) == 0
        handler = cast("TCPRelayHandler", next(iter(handlers.values())))
        upstream = cast("Any", handler.session).upstream
        upstream.plugin = cast("Plugin", object())
        assert end_lost(handlers.values(), lambda _: True) == 0
        assert end_lost(handlers.values(), lambda _: True, moved=True) == 2
        upstream.plugin = None

    play(scenario)

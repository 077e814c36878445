"""One port for every protocol: the first byte tells."""

from collections.abc import Callable

import pytest

from ssgui.engine.events import Opened
from ssgui.engine.stages import Reason
from tests.engine.test_endings import dead_port
from tests.engine.world import World

Play = Callable[..., None]


@pytest.mark.parametrize(
    "data", [b"\x00", b"\x03\x01\x00", b"\x16\x03\x01\x02\x00\x01", b"get / HTTP/1.1\r\n\r\n", b"\xff"]
)
def test_what_is_not_served_here_is_closed_without_a_word(play: Play, data: bytes) -> None:
    async def scenario(world: World) -> None:
        client = await world.client(dead_port())
        reader, writer = await world.open(client.address)
        writer.write(data)
        assert await reader.read() == b""
        (closed,) = await world.closed(client)
        assert (closed.reason, closed.detail) == (Reason.BAD_REQUEST, f"the first byte is 0x{data[0]:02x}")
        assert [event.inbound for event in world.events(client) if isinstance(event, Opened)] == ["unknown"]

    play(scenario)

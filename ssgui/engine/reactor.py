"""What all legs of one loop share: the poller, the scratch buffers, and the count of unsent bytes."""

import asyncio

from ssgui.engine.loop import poller_for
from ssgui.engine.poller import Poller

READ_FIRST = 64 * 1024  # a leg starts here, doubles while its reads fill and are sent whole, ...
READ_MOST = 512 * 1024  # ... and stops here: below, the fixed cost of a turn tells; above, nothing is gained
READ_TIGHT = 16 * 1024  # every read while the engine holds more unsent bytes than UNSENT_BUDGET
UNSENT_BUDGET = 64 * 1024 * 1024
# Held ciphertext in front (65,550 at most, of a 2022 chunk), or else tags and lengths (34 per 16,383 and less), an
# address, and a header with 900 bytes of padding.
_SLACK = 80 * 1024


class Reactor:
    """Buffers are scratch: valid only inside one call of a leg, never kept and never handed to a transport.

    Fresh allocations of this size are mapped, zeroed and page-faulted each time, which alone costs a third
    of the speed. Two are enough, because every step goes from one to the other: wire -> plain -> wire.
    """

    __slots__ = ("loop", "plain", "poller", "unsent", "wire")

    def __init__(self, loop: asyncio.AbstractEventLoop, poller: Poller | None = None) -> None:
        self.loop = loop
        self.poller = poller or poller_for(loop)
        self.plain = memoryview(bytearray(READ_MOST + _SLACK))
        self.wire = memoryview(bytearray(READ_MOST + _SLACK))
        self.unsent = 0  # bytes that legs hold for slow sinks

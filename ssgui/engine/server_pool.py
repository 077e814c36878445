"""Chooses one of a client's servers for each connection."""

import random
from collections.abc import Sequence

from ssgui.engine.upstream import Upstream
from ssgui.protocol.address import Address


class ServerPool:
    """The servers of one client."""

    def __init__(self, upstreams: Sequence[Upstream]) -> None:
        self.upstreams = tuple(upstreams)

    def choose(self, target: Address) -> Upstream:
        """The server for a connection to `target`."""
        return self.upstreams[0] if len(self.upstreams) == 1 else random.choice(self.upstreams)

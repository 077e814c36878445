"""Where a server's port remembers the salts of its streams: in this process, or in what it shares with others."""

import time
from typing import TYPE_CHECKING

from ssgui.protocol.replay import SaltFilter, Salts
from ssgui.protocol.salt_pool import SaltPool

if TYPE_CHECKING:
    from ssgui.engine.shared_salts import SharedSalts

SERVER_SALTS = 50_000


class PortSalts:
    """The memories of one port, which stay when its key or its edition changes, and when it changes back."""

    def __init__(self, shared: "SharedSalts | None" = None) -> None:
        self._shared = shared
        self._undated: SaltFilter | None = None
        self._dated: SaltPool | None = None

    def undated(self, key: bytes) -> Salts:
        """For an edition without times: as many as there is room for, for ever."""
        if self._shared is not None:
            return _of_key(self._shared, key, dated=False)
        if self._undated is None:
            self._undated = SaltFilter(SERVER_SALTS)
        return self._undated

    def dated(self, key: bytes) -> Salts:
        """For one that checks times (2022): all, for as long as they are good."""
        if self._shared is not None:
            return _of_key(self._shared, key, dated=True)
        if self._dated is None:
            self._dated = SaltPool(time.monotonic)
        return self._dated


def _of_key(shared: "SharedSalts", key: bytes, *, dated: bool) -> Salts:
    from ssgui.engine.shared_salts import KeySalts  # Linux only

    return KeySalts(shared, key, dated=dated)

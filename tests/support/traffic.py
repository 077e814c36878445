"""Ten minutes of seeded traffic, as the strip above the table shows it."""

import math
import random

from ssgui.engine.stages import Reason
from ssgui.services.connections.overview import SECONDS, Overview
from ssgui.services.connections.records import Connection

_LOOK = 0.2


def traffic(now: float, seed: int = 21) -> Overview:
    """Waves and bursts until `now`, and nine failures in the last minute."""
    chance, made = random.Random(seed), Overview()
    one = Connection(1, 1, "socks5", "127.0.0.1:5", now - SECONDS)
    looks = int(SECONDS / _LOOK)
    burst = 0.0
    for at in range(looks + 1):
        t = now - (looks - at) * _LOOK
        burst = burst * 0.93 + (chance.uniform(2e6, 6e6) if chance.random() < 0.02 else 0)
        wave = 6e5 * (1.4 + math.sin(t / 5) + 0.6 * math.sin(t / 1.7))
        down = (wave + burst) * chance.uniform(0.9, 1.1)
        made.flowed("", int((0.05 * down + 4e4 * chance.random()) * _LOOK), int(down * _LOOK), t)
    for before in (52.0, 46.0, 44.5, 33.0, 27.0, 19.0, 8.0, 5.8, 3.0):
        one.reason, one.ended = Reason.CONNECT_TIMEOUT, now - before
        made.closed(one)
    return made

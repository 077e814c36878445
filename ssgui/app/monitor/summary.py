"""All connections in a line or two: how many are at what, what is stuck, what failed, how much flows."""

from collections import Counter
from typing import NamedTuple

from ssgui.engine.stages import Reason
from ssgui.protocol.address import split_host_port
from ssgui.services.connections.health import LATELY, Standing, is_failure, standing
from ssgui.services.control.mirror import Mirror


class Summary(NamedTuple):
    """`failures` are those of the last ten minutes, `up` and `down` bytes per second."""

    standing: Standing
    failures: Counter[Reason]
    up: float
    down: float
    clients: int
    users: int


def summary_of(mirror: Mirror) -> Summary:
    """Of what `mirror` knows now."""
    now, live = mirror.now(), mirror.live.values()
    up = sum(one.up_rate for one in live)
    down = sum(one.down_rate for one in live)
    clients = {split_host_port(one.client)[0] for one in live}
    users = {one.user for one in live} - {""}
    return Summary(standing(live, now), _failures(mirror, now), up, down, len(clients), len(users))


def _failures(mirror: Mirror, now: float) -> Counter[Reason]:
    found: Counter[Reason] = Counter()
    for one in reversed(mirror.ended.values()):
        if one.ended is not None and now - one.ended > LATELY:
            break
        if one.reason is not None and is_failure(one.reason):
            found[one.reason] += 1
    return found

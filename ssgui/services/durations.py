"""Many durations as a few counts: how many were about so long. Counts of two hours add up to those of both."""

import math
import struct
from collections import Counter
from collections.abc import Iterable
from typing import Final

from ssgui.services.diagnosis.server_quality import Spread

_SMALLEST: Final = 1e-4  # seconds; the steps from there are of a tenth, so that a value is told within 5 %
_STEP: Final = math.log(1.1)
_BUCKETS: Final = 140  # up to a minute
_PAIR: Final = struct.Struct("<BI")
_MOST: Final = (1 << 32) - 1


def counted(seconds: Iterable[float]) -> Counter[int]:
    """How many there are of each length."""
    return Counter(_bucket(one) for one in seconds)


def _bucket(seconds: float) -> int:
    if not seconds > _SMALLEST:
        return 0
    return min(_BUCKETS, round(math.log(seconds / _SMALLEST) / _STEP))


def packed(counts: Counter[int]) -> bytes:
    """For a file: five bytes for each length that there was."""
    return b"".join(_PAIR.pack(bucket, min(_MOST, count)) for bucket, count in sorted(counts.items()))


def unpacked(data: bytes) -> Counter[int]:
    """What was packed; of anything else, what can be had."""
    whole = len(data) - len(data) % _PAIR.size
    found: Counter[int] = Counter()
    for bucket, count in _PAIR.iter_unpack(data[:whole]):
        found[min(_BUCKETS, bucket)] += count
    return found


def spread_of(counts: Counter[int]) -> Spread | None:
    """The middle and the long end of them, None of none."""
    total = counts.total()
    if not total:
        return None
    return Spread(_value(counts, (total + 1) // 2), _value(counts, math.ceil(total * 0.95)))


def _value(counts: Counter[int], rank: int) -> float:
    """About how long the one is that stands at this place, the first being 1."""
    seen = 0
    for bucket, count in sorted(counts.items()):
        seen += count
        if seen >= rank:
            return _SMALLEST * math.exp(bucket * _STEP)
    raise AssertionError("there are as many as were counted")

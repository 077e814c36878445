"""How often a kind of line may be logged: a stranger can cause thousands a second."""

from collections import OrderedDict
from collections.abc import Hashable


class RateLimit:
    """A token bucket per key: `burst` at once, then `rate` a second. Times are given, in seconds.

    It remembers at most `most_keys` keys and forgets the one unused for longest.
    """

    def __init__(self, burst: int = 50, rate: float = 5.0, most_keys: int = 1024) -> None:
        self._burst, self._rate, self._most_keys = burst, rate, most_keys
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def allow(self, key: Hashable, now: float) -> bool:
        """Whether one more of `key` may be told now; if not it is counted."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(float(self._burst), now)
            if len(self._buckets) > self._most_keys:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.since) * self._rate)
        bucket.since = now
        if bucket.tokens < 1:
            bucket.held_back += 1
            return False
        bucket.tokens -= 1
        return True

    def held_back(self, key: Hashable) -> int:
        """How many of `key` were not told since this was last asked."""
        bucket = self._buckets.get(key)
        if bucket is None:
            return 0
        count, bucket.held_back = bucket.held_back, 0
        return count

    def known(self) -> list[Hashable]:
        """The keys it remembers, the one unused for longest first."""
        return list(self._buckets)


class _Bucket:
    __slots__ = ("held_back", "since", "tokens")

    def __init__(self, tokens: float, since: float) -> None:
        self.tokens, self.since, self.held_back = tokens, since, 0

"""Which connections have changed since somebody last asked."""


class Changes:
    """Ids of the connections of which something has changed, for one who wants to hear of no others."""

    __slots__ = ("_most", "ids", "lost")

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self.ids: set[int] = set()
        self.lost = 0  # how many were forgotten, because nobody took them: then look at everything

    def add(self, number: int) -> None:
        """Something about this one has changed."""
        if len(self.ids) >= self._most:
            self.lost += len(self.ids)
            self.ids.clear()
        self.ids.add(number)

    def take(self) -> tuple[set[int], int]:
        """What has changed since the last time, and how many were lost."""
        taken = self.ids, self.lost
        self.ids, self.lost = set(), 0
        return taken

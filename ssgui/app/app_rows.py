"""The app's own connections, for those who watch it from elsewhere."""

from ssgui.app.context import AppContext
from ssgui.services.connections.records import Connections
from ssgui.services.diagnosis.evidence import Verdict


class AppRows:
    """The app's own: it looks anyway, more often while somebody watches."""

    def __init__(self, context: AppContext) -> None:
        self._context = context

    @property
    def connections(self) -> Connections:
        return self._context.connections

    def begin(self) -> None:
        """They are there already."""

    def end(self) -> None:
        """They stay."""

    def pull(self) -> None:
        """Whoever shows them does that."""

    def verdict(self) -> Verdict | None:
        return self._context.verdict()

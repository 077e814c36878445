"""A program that speaks no proxy protocol: its port leads to one target."""

from ssgui.engine.handler import Farewell
from ssgui.engine.sessions.program import ProgramSession
from ssgui.engine.stages import Reason, Stage


class TunnelSession(ProgramSession):
    """The target is known from the start, so that INIT and ADDR take no time."""

    __slots__ = ()

    farewell = Farewell.RESET  # there is no other way to tell

    def start(self) -> None:
        target = self.relay.tunnel_target
        assert target is not None
        self.handler.announce("tunnel")
        self.handler.enter(Stage.ADDR)
        self.local.watch()
        self.go(target, b"")

    def answer(self) -> None:
        """It has not asked."""

    def refuse(self, reason: Reason) -> None:
        """The reset says it."""

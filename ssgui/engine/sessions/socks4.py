"""A program asks by SOCKS4 or 4a."""

from ssgui.engine.handler import Farewell
from ssgui.engine.sessions.program import REQUEST_READ, FollowingSession, ProgramSession
from ssgui.engine.stages import Reason, Stage
from ssgui.protocol.socks4 import Socks4Server
from ssgui.protocol.socks5 import Rejected, Reply


class Socks4Session(FollowingSession):
    """ADDR until the request is complete. Where a password is asked for it is refused: it has no place for one."""

    __slots__ = ("_parser",)

    def __init__(self, first: ProgramSession) -> None:
        super().__init__(first)
        self._parser = Socks4Server()

    def begin(self, data: bytes) -> None:
        self.handler.announce("socks4")
        self.handler.enter(Stage.ADDR)
        self.local.on_readable = self._read_request
        self._feed(data)

    def _read_request(self) -> None:
        if data := self.local.recv(REQUEST_READ):
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        """Until the request is whole; what comes with it is payload already."""
        local, parser = self.local, self._parser
        while data:
            event = parser.receive_data(data)
            if isinstance(event, Rejected):
                local.send(parser.data_to_send())
                self.handler.destroy(Reason.BAD_REQUEST, Farewell.LINGER, event.why)
                return
            if event is not None:
                if self.relay.users:
                    self.refuse(Reason.DENIED)
                    self.handler.destroy(Reason.DENIED, Farewell.LINGER, "SOCKS4 gives no password")
                else:
                    self.go(event.target, parser.trailing)
                return
            if local.closed or local.paused or not local.readable:
                return
            data = local.recv(REQUEST_READ)

    def answer(self) -> None:
        self._parser.accept()
        self.local.send(self._parser.data_to_send())

    def refuse(self, reason: Reason) -> None:
        self._parser.refuse(Reply.GENERAL_FAILURE)  # there is just one way to refuse
        self.local.send(self._parser.data_to_send())

"""The one port of a client: what a program speaks, its first byte tells.

5                   SOCKS5
4                   SOCKS4 or 4a
a capital letter    HTTP: every method begins with one
anything else       nothing that is served here: closed without a word
"""

from ssgui.engine.handler import Farewell
from ssgui.engine.sessions.http import HttpSession
from ssgui.engine.sessions.program import REQUEST_READ
from ssgui.engine.sessions.socks4 import Socks4Session
from ssgui.engine.sessions.socks5 import Socks5Session
from ssgui.engine.stages import Reason


class MixedSession(Socks5Session):
    """SOCKS5, as most connections are; at another first byte the session of its protocol takes over."""

    __slots__ = ()

    def _greeted(self) -> None:
        data = self.local.recv(REQUEST_READ)
        if not data:
            return
        first = data[0]
        if first == 5:
            self.begin(data)
        elif first == 4:
            Socks4Session(self).begin(data)
        elif data[:1].isupper():
            HttpSession(self).begin(data)
        else:
            self.handler.destroy(Reason.BAD_REQUEST, Farewell.LINGER, f"the first byte is 0x{first:02x}")
        self.local.read_again()  # sockets are edge-triggered: nobody tells of the rest

"""What the client sides of proxies have in common (`socks5_client`, `connect_client`): a dialogue for one tunnel."""

from enum import Enum, auto
from typing import Protocol

from ssgui.protocol.errors import RemoteProtocolError


class Refusal(Enum):
    """Whose fault a refusal is, or what the proxy says of the target."""

    PROXY = auto()  # it would refuse every target
    DENIED = auto()
    UNREACHABLE = auto()
    REFUSED = auto()
    TIMEOUT = auto()


class RefusedError(RemoteProtocolError):
    """The proxy understood us and says no; the message goes on from "the proxy"."""

    def __init__(self, message: str, refusal: Refusal) -> None:
        super().__init__(message)
        self.refusal = refusal


class ProxyClient(Protocol):
    """Asks a proxy for a tunnel to one target."""

    trailing: bytes  # what came behind the answer: the first bytes of the tunnel
    asked: bool  # the target was named: what is awaited is the answer to that

    def data_to_send(self) -> bytes:
        """What there is to send; every byte is given once. The first to speak is the client."""

    def receive_data(self, data: bytes) -> bool:
        """Take what came, in any pieces; True once the tunnel is open, and no more must be given then.

        Raises RefusedError, or BadRequestError for what is no answer; the dialogue is over then.
        """

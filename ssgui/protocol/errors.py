"""Errors of the protocols.

    ProtocolError                what went wrong was a matter of protocol
     +-- LocalProtocolError      we asked for something impossible: a method, a key, an address, a call too many
     +-- RemoteProtocolError     the other side's bytes are wrong
          +-- AuthenticationError   they were not made with our key, or were changed on the way
          +-- ReplayError           their salt was seen before
          +-- TruncatedError        they end in the middle of something
          +-- ClockError            they are genuine, but their time is not ours
          +-- BadRequestError       they are genuine but make no sense
               +-- SegmentedHeaderError   a header that must come in one piece did not

The words for the person differ: the first is about a setting, the others are about a peer.
"""


class ProtocolError(Exception):
    """Base of the tree; raise one of the two kinds."""

    def __init__(self, message: str) -> None:
        if type(self) is ProtocolError:
            raise TypeError("raise LocalProtocolError or RemoteProtocolError")
        super().__init__(message)


class LocalProtocolError(ProtocolError):
    """We asked for something impossible."""


class RemoteProtocolError(ProtocolError):
    """The other side's bytes are wrong."""


class AuthenticationError(RemoteProtocolError):
    """Bytes that were not sealed with our key, or were changed on the way."""


class ReplayError(RemoteProtocolError):
    """A salt that was seen before."""


class TruncatedError(RemoteProtocolError):
    """A stream that ends in the middle of something."""


class BadRequestError(RemoteProtocolError):
    """Genuine bytes that make no sense."""


class SegmentedHeaderError(BadRequestError):
    """The header of a 2022 stream that did not come in one piece. Nothing is known of its sender."""


class ClockError(RemoteProtocolError):
    """Genuine bytes of a time that is too far from ours; `offset` is their clock minus ours, in seconds."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset

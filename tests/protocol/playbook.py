r"""Transcripts of SOCKS5 dialogues.

    play = Playbook()
    play >> b"\x05\x01\x00" << b"\x05\x00"
    play >> b"\x05\x01\x00\x01..." << ConnectRequested(...)
    play >> Accept(Address("127.0.0.1", 1080)) << b"\x05\x00\x00\x01..."
    play.check()

`>>` is what the client sends, or what the shell answers; `<<` is what must come of it, and nothing else may.
`check` plays it as written, then one byte at a time, then with everything that the client sends at once.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ssgui.protocol.address import Address
from ssgui.protocol.socks5 import Reply, Socks5Event, Socks5Server


@dataclass(frozen=True)
class Accept:
    """The shell accepts the request."""

    bound: Address


@dataclass(frozen=True)
class Refuse:
    """The shell refuses the request."""

    reply: Reply


@dataclass
class Outcome:
    """What came of a dialogue, or of a part of it."""

    sent: bytes = b""
    events: tuple[Socks5Event, ...] = ()

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(self.sent + other.sent, self.events + other.events)


Move = bytes | Accept | Refuse


def move(server: Socks5Server, step: Move) -> Outcome:
    """Do one thing; what came of it."""
    event = None
    if isinstance(step, Accept):
        server.accept(step.bound)
    elif isinstance(step, Refuse):
        server.refuse(step.reply)
    else:
        event = server.receive_data(step)
    return Outcome(server.data_to_send(), () if event is None else (event,))


def whole(data: bytes) -> Iterator[bytes]:
    yield data


def bytewise(data: bytes) -> Iterator[bytes]:
    for byte in data:
        yield bytes((byte,))


class Playbook:
    """One dialogue: moves, and what is expected of each."""

    def __init__(self, users: Mapping[bytes, bytes] | None = None) -> None:
        self._users = users
        self._script: list[tuple[Move, Outcome]] = []
        self._trailing = b""

    def __rshift__(self, step: Move) -> "Playbook":
        self._script.append((step, Outcome()))
        return self

    def __lshift__(self, expected: bytes | Socks5Event) -> "Playbook":
        step, outcome = self._script[-1]
        more = Outcome(sent=expected) if isinstance(expected, bytes) else Outcome(events=(expected,))
        self._script[-1] = step, outcome + more
        return self

    def leaves(self, trailing: bytes) -> "Playbook":
        """What must be left as payload at the end."""
        self._trailing = trailing
        return self

    def check(self) -> None:
        for pieces in (whole, bytewise):
            self._play(self._script, pieces)
        data = [step for step, _ in self._script if isinstance(step, bytes)]
        answers = [step for step, _ in self._script if not isinstance(step, bytes)]
        expected = sum((outcome for step, outcome in self._script if isinstance(step, bytes)), Outcome())
        rest = [(step, outcome) for step, outcome in self._script if not isinstance(step, bytes)]
        assert len(answers) <= 1, "a dialogue has one request"
        self._play([(b"".join(data), expected), *rest], whole)

    def _play(self, script: list[tuple[Move, Outcome]], pieces: Callable[[bytes], Iterator[bytes]]) -> None:
        server = Socks5Server(self._users)
        for step, expected in script:
            steps: list[Move] = list(pieces(step)) if isinstance(step, bytes) else [step]
            outcome = sum((move(server, part) for part in steps), Outcome())
            assert outcome == expected, (pieces.__name__, step)
        assert server.trailing == self._trailing

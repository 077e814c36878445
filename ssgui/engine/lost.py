"""Connections that died without a word, because the network under them changed: found, and ended."""

import socket
import struct
from collections.abc import Callable, Iterable
from typing import Any

from ssgui.engine.handler import TCPRelayHandler
from ssgui.engine.leg import Leg
from ssgui.engine.stages import Reason

PROBE_SECONDS = 4  # in which the other end has to answer
_TCP = socket.IPPROTO_TCP
_WANTED = (
    ("TCP_KEEPIDLE", 1), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", PROBE_SECONDS - 1),
    ("TCP_USER_TIMEOUT", PROBE_SECONDS * 1000),
)  # fmt: skip
_OPTIONS = [(getattr(socket, name), value) for name, value in _WANTED if hasattr(socket, name)]


def _legs(handlers: Iterable[object]) -> Iterable[tuple[TCPRelayHandler, Leg]]:
    for handler in list(handlers):
        if isinstance(handler, TCPRelayHandler) and handler.remote is not None and not handler.remote.closed:
            yield handler, handler.remote


def end_lost(handlers: Iterable[object], has: Callable[[Any], bool], *, moved: bool = False) -> int:
    """End those whose own address `has` is false for; how many they were.

    `moved`: none of the addresses is left that led to servers, so what plugins carried for us is lost as well.
    """
    count = 0
    for handler, leg in _legs(handlers):
        try:
            sockname = leg.sock.getsockname()
        except OSError:
            continue  # it is broken already, and says so itself
        if moved and _by_plugin(handler):
            count += 1
            handler.destroy(Reason.NETWORK_LOST, detail="this computer's addresses of then are not its own any more")
        elif not has(sockname):
            count += 1
            handler.destroy(
                Reason.NETWORK_LOST, detail=f"this computer's address was {sockname[0]}, and is not any more"
            )
    return count


def _by_plugin(handler: TCPRelayHandler) -> bool:
    upstream = getattr(handler.session, "upstream", None)
    return upstream is not None and upstream.plugin is not None


class Probing:
    """Has the system ask the other ends of connections whether they are still there, and leaves things as they were.

    What does not answer within PROBE_SECONDS ends by an error of its socket. Nothing is sent through the tunnels.
    """

    def __init__(self, handlers: Iterable[object]) -> None:
        self._before: list[tuple[Leg, list[tuple[int, int]]]] = []
        for _, leg in _legs(handlers):
            try:
                before = [(option, leg.sock.getsockopt(_TCP, option)) for option, _ in _OPTIONS]
                _set(leg, _OPTIONS)
            except (OSError, AttributeError):
                continue
            self._before.append((leg, before))

    def end(self) -> None:
        """Every connection that is left has answered."""
        for leg, before in self._before:
            if not leg.closed:
                try:
                    _set(leg, before)
                except OSError:
                    pass  # it is broken, and says so itself
        self._before.clear()


def _set(leg: Leg, options: Iterable[tuple[int, int]]) -> None:
    for option, value in options:
        leg.sock.setsockopt(_TCP, option, struct.pack("i", value))

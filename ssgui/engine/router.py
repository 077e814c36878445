"""Decides where a client's connections go: through a server, directly, or nowhere."""

from ssgui.engine.events import Endpoint
from ssgui.protocol.address import Address
from ssgui.rules.acl import Match, Route

_PROXY = Match(Route.PROXY)


class Router:
    """Everything goes through a server."""

    def route(self, target: Address, client: Endpoint) -> Match:
        """The way to `target` for the program at `client`, and the rule that says so."""
        return _PROXY

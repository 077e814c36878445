"""Decides where a client's connections go: through a server, directly, or nowhere.

An access list's rules come first, then `bypass_lan`, then the list's default; without either everything goes
through a server. Whatever they say, LAN clients do not reach this machine (`own_machine`). Names are judged
as names: what a direct one resolves to, the guards judge when it is dialled.
"""

from ssgui.engine.events import Endpoint
from ssgui.engine.own_machine import LanGuard, LoopGuard, OwnMachine, is_loopback
from ssgui.protocol.address import Address
from ssgui.rules.acl import Acl, Match, Route
from ssgui.rules.lan import is_lan

_PROXY = Match(Route.PROXY)
_BYPASS_LAN = Match(Route.DIRECT, "bypass-lan")
_LAN_GUARD = Match(Route.REJECT, "lan-guard")
_OWN_PORT = Match(Route.REJECT, "own-port")
_PAUSED = Match(Route.DIRECT, "paused")


class Router:
    """The rules of one client."""

    def __init__(self, acl: Acl | None = None, *, bypass_lan: bool = False, machine: OwnMachine | None = None) -> None:
        self._acl, self._bypass_lan = acl, bypass_lan
        self._has_rules = acl is not None or bypass_lan
        self._paused = False
        machine = machine or OwnMachine()
        self.lan_guard, self.loop_guard = LanGuard(machine), LoopGuard(machine)

    def pause(self, paused: bool) -> None:
        """Send everything directly, whatever the rules say, for as long as a person wants that; guards stay.

        What has its way already keeps it.
        """
        self._paused = paused
        self._has_rules = paused or self._acl is not None or self._bypass_lan

    def route(self, target: Address, client: Endpoint) -> Match:
        """The way to `target` for the program at `client`, and the rule that says so."""
        if not is_loopback(client) and self.lan_guard.denies_host(target.host):
            return _LAN_GUARD
        if not self._has_rules:
            return _PROXY
        match = self._decide(target.host)
        if match.route is Route.DIRECT and self.loop_guard.denies_host(*target):
            return _OWN_PORT
        return match

    def _decide(self, host: str) -> Match:
        if self._paused:
            return _PAUSED
        match = _PROXY if self._acl is None else self._acl.decide(host)
        if self._bypass_lan and not match.rule and is_lan(host):
            return _BYPASS_LAN
        return match

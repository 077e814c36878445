"""Decides where a client's connections go: through a server, directly, or nowhere.

An access list's rules come first, then `bypass_lan`, then the list's default; without either everything goes
through a server. In Rules mode a person's lists decide instead, as a PAC of them would (`follow`). Whatever they
say, LAN clients do not reach this machine (`own_machine`). Names are judged as names: what a direct one resolves
to, the guards judge when it is dialled.
"""

from collections.abc import Iterable
from typing import Final

from ssgui.engine.events import Endpoint
from ssgui.engine.own_machine import LanGuard, LoopGuard, OwnMachine, is_loopback
from ssgui.protocol.address import Address
from ssgui.rules.acl import Acl, Match, Route
from ssgui.rules.address_forms import literal
from ssgui.rules.lan import is_lan
from ssgui.rules.matcher import DEFAULT, Matcher

_PROXY = Match(Route.PROXY)
_BYPASS_LAN = Match(Route.DIRECT, "bypass-lan")
_LAN_GUARD = Match(Route.REJECT, "lan-guard")
_OWN_PORT = Match(Route.REJECT, "own-port")
_PAUSED = Match(Route.DIRECT, "paused")
_MOST_OWN: Final = 64


class Router:
    """The rules of one client."""

    def __init__(self, acl: Acl | None = None, *, bypass_lan: bool = False, machine: OwnMachine | None = None) -> None:
        self._acl, self._bypass_lan = acl, bypass_lan
        self._has_rules = acl is not None or bypass_lan
        self._paused = False
        self._rules: Matcher | None = None
        self._named_only = self._ask_dns = False
        self._own: set[Endpoint] = set()
        machine = machine or OwnMachine()
        self.lan_guard, self.loop_guard = LanGuard(machine), LoopGuard(machine)

    def pause(self, paused: bool) -> None:
        """Send everything directly, whatever the rules say, for as long as a person wants that; guards stay.

        What has its way already keeps it.
        """
        self._paused = paused
        self._look_for_rules()

    def follow(self, rules: Matcher | None, *, named_only: bool = False, ask_dns: bool = False) -> None:
        """Have new connections follow `rules`, or everything go through a server again (None).

        With `named_only` a browser has asked them already: all goes through, and the rule is named. With `ask_dns`
        a name that no rule knows is judged by its addresses.
        """
        self._rules, self._named_only, self._ask_dns = rules, named_only, ask_dns
        self._look_for_rules()

    def _look_for_rules(self) -> None:
        self._has_rules = (
            self._paused or self._rules is not None or self._acl is not None or self._bypass_lan
        )  # fmt: skip

    @property
    def by_url(self) -> bool:
        """Whether requests to one host may go different ways."""
        return self._rules is not None and not self._paused and not self._named_only

    def own(self, client: Endpoint) -> None:
        """The connection of `client`, which is about to ask, is of this program: a server is its way, as for pages

        that only a server can reach, whatever the rules say. It may be called in any thread.
        """
        if len(self._own) >= _MOST_OWN:
            self._own.clear()
        self._own.add(client)

    def asks(self, match: Match, host: str) -> bool:
        """Whether the addresses of `host` are wanted before `match` holds."""
        if not self._ask_dns or self._rules is None or not self.by_url or match.rule:
            return False
        return self._rules.has_networks and literal(host) is None

    def judged(self, match: Match, addresses: Iterable[str]) -> Match:
        """`match`, or what a network says that holds the first of `addresses` to be in one."""
        if self._rules is not None:
            for address in addresses:
                if found := self._rules.decide_address(address):
                    return Match(found.route, f"{found.list}: {found.text}")
        return match

    def route(self, target: Address, client: Endpoint, url: str = "") -> Match:
        """The way to `target` for the program at `client`, and the rule that says so; by `url` where it is known."""
        if not is_loopback(client) and self.lan_guard.denies_host(target.host):
            return _LAN_GUARD
        if not self._has_rules:
            return _PROXY
        if self._own and client in self._own and not self._paused:
            self._own.discard(client)
            return _PROXY
        if self._rules is None or self._paused:
            match = self._decide(target.host)
        else:
            match = self._named(target) if self._named_only else self._by_rules(target, url)
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

    def _by_rules(self, target: Address, url: str) -> Match:
        assert self._rules is not None
        found = self._rules.decide_target(target.host, target.port, url)
        text = f"{found.list}: {found.text}" if found.text else found.list
        return Match(found.route, "" if found.list == DEFAULT else text)

    def _named(self, target: Address) -> Match:
        """Through a server, with the rule that a browser has followed; no rule where the program asked none."""
        match = self._by_rules(target, "")
        return match if match.route is Route.PROXY else _PROXY

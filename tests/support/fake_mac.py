"""A stand-in for `networksetup`, `osascript` and the shell of a Mac, in place of `programs.run`.

The forms of its answers are those of networksetup(8) of macOS, and of recordings that others have published: "An
asterisk (*) denotes that a network service is disabled.", `URL: (null)`, "There aren't any bypass domains set on
FireWire." (garylarizza.com on networksetup), "Authenticated Proxy Enabled: 0", "** Error: Command requires admin
privileges." with exit code 14 (irbis-sh/zen-desktop 761), "x is not a recognized network service." with "** Error: The
parameters were not valid." and exit code 4.
"""

import copy
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ssgui.system.proxy.backend import ProxyError
from ssgui.system.proxy.programs import ProgramFailed
from tests.support.journal_drill import Died

TOOL = "/usr/sbin/networksetup"
ASK = [
    "/usr/bin/osascript", "-e", "on run argv", "-e",
    'do shell script (item 1 of argv) with prompt "ssgui changes the proxy of this Mac." with administrator privileges',
    "-e", "end run",
]  # fmt: skip
KINDS = {"webproxy": "web", "securewebproxy": "secureweb", "socksfirewallproxy": "socks"}
_WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|[^\s;&'"])+|&&|;""")
_ADMIN = "** Error: Command requires admin privileges.\n"


def place(server: str = "", port: int = 0, *, on: bool = False, authenticated: bool = False) -> dict[str, Any]:
    """One proxy."""
    return {"on": on, "server": server, "port": port, "authenticated": authenticated}


def service(*, active: bool = True, url: str = "", pac: bool = False, **others: Any) -> dict[str, Any]:
    """A service as a Mac has it at first, but for what is given."""
    plain = {"web": place(), "secureweb": place(), "socks": place(), "bypass": ["*.local", "169.254/16"]}
    return {"active": active, "pac": {"on": pac, "url": url}, **plain, **others}


@dataclass
class FakeMac:
    """`system` is what is set, `calls` every command. Passwords of proxies stay only where nothing overwrites them."""

    system: dict[str, dict[str, Any]] = field(default_factory=lambda: {"Wi-Fi": service()})
    calls: list[Any] = field(default_factory=list)
    die_at: int = -1
    locked: bool = False  # only an administrator may change it
    quiet: bool = False  # and the exit code does not say so
    password: bool = True  # it is given when asked for
    prompts: int = 0
    no_empty: bool = False  # a server or an address cannot be empty
    strange: set[str] = field(default_factory=set)  # services without proxies
    stubborn: set[str] = field(default_factory=set)  # commands without an effect
    failing: set[str] = field(default_factory=set)  # commands that it refuses
    asked: list[str] = field(default_factory=list)
    broken: str = ""

    def __call__(self, command: Sequence[str], seconds: float, *, named: int) -> str:
        if len(self.calls) == self.die_at:
            raise Died
        self.calls.append([*command[1:]] if command[0] == TOOL else [*command])
        if self.broken:
            raise ProxyError(self.broken)
        if list(command[:-1]) == ASK:
            assert (seconds, named) == (120.0, 0)
            return self._asked(command[-1])
        assert seconds == 10.0
        if list(command[:2]) == ["/bin/sh", "-c"]:
            assert named == 0
            said, code = self._script(command[2], root=False)
        else:
            assert (command[0], named) == (TOOL, 2)
            said, code = self._tool(list(command[1:]), root=False)
        if code:
            raise ProgramFailed(f"networksetup failed: {' '.join(said.split())}")
        return said

    def _asked(self, script: str) -> str:
        self.prompts += 1
        self.asked.append(script)
        if not self.password:
            raise ProgramFailed("osascript failed: 0:74: execution error: User canceled. (-128)")
        said, code = self._script(script, root=True)
        if code:
            raise ProgramFailed(f"osascript failed: 0:74: execution error: {said.strip()} ({code})")
        return said

    def _script(self, script: str, *, root: bool) -> tuple[str, int]:
        """A shell that knows ";", "&&" and ":"."""
        text, code, arguments, goes = "", 0, list[str](), True
        for word in [*_WORD.findall(script), ";"]:
            if word not in (";", "&&"):
                arguments += shlex.split(word)
                continue
            if goes and arguments != [":"]:
                assert arguments[0] == TOOL
                said, code = self._tool(arguments[1:], root=root)
                text += said
            elif goes:
                code = 0
            arguments, goes = [], word == ";" or code == 0
        return text, code

    def _tool(self, arguments: list[str], *, root: bool) -> tuple[str, int]:
        if arguments == ["-listallnetworkservices"]:
            lines = [name if one["active"] else f"*{name}" for name, one in self.system.items()]
            return "\n".join(["An asterisk (*) denotes that a network service is disabled.", *lines, ""]), 0
        verb, name, *values = arguments
        if verb.startswith("-set") and self.locked and not root:
            return _ADMIN, 0 if self.quiet else 14
        if name not in self.system or name in self.strange:
            return f"{name} is not a recognized network service.\n** Error: The parameters were not valid.\n", 4
        if verb.startswith("-get"):
            return self._get(verb.removeprefix("-get"), name, self.system[name]), 0
        if verb in self.failing:
            return "** Error: The parameters were not valid.\n", 4
        if verb in self.stubborn:
            return "", 0
        return self._set(verb.removeprefix("-set"), self.system[name], values)

    @staticmethod
    def _get(what: str, name: str, there: dict[str, Any]) -> str:
        if what == "proxybypassdomains":
            return "\n".join([*there["bypass"], ""]) or f"There aren't any bypass domains set on {name}.\n"
        if what == "autoproxyurl":
            return f"URL: {there['pac']['url'] or '(null)'}\nEnabled: {_yes(there['pac']['on'])}\n"
        one = there[KINDS[what]]
        return (
            f"Enabled: {_yes(one['on'])}\nServer: {one['server']}\nPort: {one['port']}\n"
            f"Authenticated Proxy Enabled: {int(one['authenticated'])}\n"
        )

    def _set(self, what: str, there: dict[str, Any], values: list[str]) -> tuple[str, int]:
        if what == "proxybypassdomains":
            there["bypass"] = [] if values == ["Empty"] else values
        elif what.endswith("state"):
            assert values in (["on"], ["off"])
            kind = what.removesuffix("state")
            there[KINDS.get(kind, "pac")]["on"] = values == ["on"]
        elif self.no_empty and not values[0]:
            return "** Error: The parameters were not valid.\n", 4
        elif what == "autoproxyurl":
            (url,) = values
            there["pac"] = {"on": True, "url": url}
        else:
            server, port, *rest = values
            assert rest in ([], ["off"])
            assert not there[KINDS[what]]["authenticated"] or rest, "its password would be lost"
            there[KINDS[what]] = place(server, int(port), on=True)
        return "", 0

    def state(self) -> dict[str, dict[str, Any]]:
        """What is set now."""
        return copy.deepcopy(self.system)


def _yes(on: bool) -> str:
    return "Yes" if on else "No"

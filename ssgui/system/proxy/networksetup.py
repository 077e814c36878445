"""`networksetup`, by which macOS reads and sets the proxies of its network services; as an administrator if it must be.

Written after its manual and what is known of its answers; never run on a Mac. It says some errors with exit code 0,
so its words are looked at.
"""

import shlex
import time
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from ssgui.system.proxy.backend import ProxyError
from ssgui.system.proxy.programs import ProgramFailed, run

KINDS = {"web": "webproxy", "secureweb": "securewebproxy", "socks": "socksfirewallproxy"}
_TOOL, _SHELL, _SCRIPT = "/usr/sbin/networksetup", "/bin/sh", "/usr/bin/osascript"
_MAY_NOT, _ERROR, _STRANGE_SERVICE = "requires admin privileges", "** Error", "not a recognized network service"
_SECONDS, _PROMPT_SECONDS, _PEACE_SECONDS = 10.0, 120.0, 40.0
# The commands are an argument, so that AppleScript has nothing to unquote, and the shell gets what shlex wrote.
_ASK = (
    "-e", "on run argv",
    "-e", 'do shell script (item 1 of argv) with prompt "ssgui changes the proxy of this Mac." '
    "with administrator privileges",
    "-e", "end run",
)  # fmt: skip
Command = tuple[str, ...]
Step = tuple[Command, ...]
"""Commands of which none may be without the next: a shell runs them, which ends them although we are killed."""
Service = dict[str, Any]
"""`active`; `pac` with `on` and `url`; `web`, `secureweb` and `socks`, each with `on`, `server`, `port` and
`authenticated`; and `bypass`, a list. What is not set is empty, or 0."""


class Run(Protocol):
    """`programs.run`."""

    def __call__(self, command: Sequence[str], seconds: float, /, *, named: int) -> str: ...


class _NotAllowed(ProxyError):
    """It wants an administrator."""


class NetworkSetup:
    """The program. An administrator's password is asked for at most once a change, and not again right after a no."""

    declined: ClassVar[float | None] = None  # when, of the whole process

    def __init__(self, run: Run = run) -> None:
        self._run = run

    # ---- reading

    def services(self) -> dict[str, Service]:
        """Everything that is set. Services that have no such settings are left out."""
        found, failed = {}, None
        for name, active in _names(self._ask("-listallnetworkservices")):
            try:
                found[name] = {"active": active, **self._service(name)}
            except ProgramFailed as error:
                failed = error
        if failed is not None and not found:
            raise failed
        return found

    def _service(self, name: str) -> Service:
        pac = _fields(self._ask("-getautoproxyurl", name), "URL")
        service: Service = {"pac": {"on": _is_on(pac), "url": pac["URL"]}}
        for kind, words in KINDS.items():
            place = _fields(self._ask(f"-get{words}", name), "Server", "Port")
            service[kind] = {
                "on": _is_on(place),
                "server": place["Server"],
                "port": int(place["Port"]) if place["Port"].isdecimal() else 0,
                "authenticated": place.get("Authenticated Proxy Enabled", "0") != "0",
            }
        lines = self._ask("-getproxybypassdomains", name).splitlines()
        none = lines[:1] and lines[0].startswith("There aren't any bypass domains")
        return {**service, "bypass": [] if none else [line.strip() for line in lines if line.strip()]}

    def _ask(self, *arguments: str) -> str:
        return self._answer([_TOOL, *arguments], 2)

    def _answer(self, command: Sequence[str], named: int) -> str:
        """What it says. ProgramFailed if that is a no."""
        try:
            said = self._run(command, _SECONDS, named=named)
        except ProgramFailed as error:
            if _MAY_NOT in str(error):
                raise _NotAllowed(str(error)) from None
            raise
        if _MAY_NOT in said:
            raise _NotAllowed(_MAY_NOT)
        if _ERROR in said or f"{_STRANGE_SERVICE}." in said:
            raise ProgramFailed(f"networksetup failed: {' '.join(said.split())[:200]}")
        return said

    # ---- changing

    def do(self, steps: Sequence[Step], *, keep_going: bool = False) -> ProxyError | None:
        """All of `steps`. The first that fails is the end of it, or with `keep_going` what is returned."""
        failed: ProxyError | None = None
        for at, step in enumerate(steps):
            try:
                if len(step) == 1:
                    self._ask(*step[0])
                else:
                    self._answer([_SHELL, "-c", "; ".join(map(_line, step))], 0)
            except _NotAllowed:
                self._as_administrator([_line(command) for one in steps[at:] for command in one], keep_going)
                return failed
            except ProxyError as error:
                if not keep_going:
                    raise
                failed = failed or error
        return failed

    def _as_administrator(self, lines: Sequence[str], keep_going: bool) -> None:
        now = time.monotonic()
        if self.declined is not None and now - self.declined < _PEACE_SECONDS:
            raise ProxyError("an administrator's password is needed, and was refused a moment ago")
        text = "; ".join([*lines, ":"]) if keep_going else " && ".join(lines)
        try:
            self._run([_SCRIPT, *_ASK, text], _PROMPT_SECONDS, named=0)
        except ProxyError as error:
            if "-128" in str(error):
                NetworkSetup.declined = time.monotonic()
                raise ProxyError("macOS wants an administrator's password for this, and did not get one") from None
            raise


def _line(command: Command) -> str:
    return shlex.join([_TOOL, *command])


def _names(text: str) -> list[tuple[str, bool]]:
    """Services and whether they are active, of lines in which an asterisk marks those that are not."""
    lines = [line for line in text.splitlines()[1:] if line.strip()]
    return [(line.removeprefix("*"), not line.startswith("*")) for line in lines]


def _fields(text: str, *wanted: str) -> dict[str, str]:
    """Of lines like `Port: 8080`; "(null)" is nothing."""
    pairs = [line.partition(":") for line in text.splitlines()]
    found = {key.strip(): value.strip().replace("(null)", "") for key, colon, value in pairs if colon}
    if missing := [key for key in ("Enabled", *wanted) if key not in found]:
        raise ProxyError(f"networksetup answers in words that are not known: no {missing[0]}")
    return found


def _is_on(fields: dict[str, str]) -> bool:
    return fields["Enabled"].lower() in ("yes", "1", "on")

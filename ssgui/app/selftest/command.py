"""`ssgui selftest`: whether this installation is whole and works on this machine. Loopback only, nothing is kept.

Every check is a function that says in a few words what was good, or raises; each gets a line.
"""

import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ssgui.app.selftest.pac import Sample, serve_pac
from ssgui.app.selftest.relays import relay_everything

_log = logging.getLogger("ssgui")
Say = Callable[[str], None]


class SelftestError(Exception):
    """Something is not as it should be; says what."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to try."""

    name: str
    act: Callable[[], str]


WindowChecks = Callable[[Path, Callable[[], Sample]], Sequence[Check]]


def run_selftest(say: Say, complain: Say, window: WindowChecks | None, no_window: str) -> int:
    """Try everything; the exit code: 0, or 1 when something failed.

    `window` makes the checks that want Qt, from a scratch directory and the PAC; without it `no_window` says why.
    """
    with tempfile.TemporaryDirectory(prefix="ssgui-selftest-", ignore_cleanup_errors=True) as scratch:
        return _run(Path(scratch), say, complain, window, no_window)


def _run(scratch: Path, say: Say, complain: Say, window: WindowChecks | None, no_window: str) -> int:
    samples: list[Sample] = []

    def pac() -> str:
        samples.append(serve_pac(scratch / "pac"))
        return f"{len(samples[0].pac):,} bytes, as {samples[0].kind}, and to nobody without its secret"

    def served() -> Sample:
        if not samples:
            raise SelftestError("there is no PAC to evaluate")
        return samples[0]

    checks = [Check("relay", relay_everything), Check("serve the PAC", pac)]
    checks += window(scratch / "window", served) if window is not None else []
    failed = sum(not _try(check, say, complain) for check in checks)
    if window is None:
        say(f"--  the window was not tried, nor the PAC run: {no_window}")
    say("everything works" if not failed else f"{failed} of {len(checks)} failed")
    return 1 if failed else 0


def _try(check: Check, say: Say, complain: Say) -> bool:
    start = time.perf_counter()
    try:
        good = check.act()
    except Exception as error:  # noqa: BLE001  whatever it is, it is what this command is there to find
        words = " ".join(str(error).split())
        plain = isinstance(error, SelftestError | OSError) and words
        complain(f"failed: {check.name}: {words if plain else f'{type(error).__name__}: {words}'}")
        _log.debug("%s", check.name, exc_info=error)
        return False
    say(f"ok  {check.name}: {good} ({time.perf_counter() - start:.1f} s)")
    return True

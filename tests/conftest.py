"""What all tests share: long ones on demand, our program on each interpreter, and what was skipped, said last."""

import gc
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import HealthCheck, settings

from tests.support.programs import interpreters

# No test changes the proxy of the desktop that it is run on: those that want a desktop make one.
os.environ["XDG_CURRENT_DESKTOP"] = ""
os.environ.pop("KDE_FULL_SESSION", None)

# How long an example takes on a busy machine says nothing about it.
settings.register_profile("ssgui", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("ssgui")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run what is marked long (make test-all)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


def pytest_collection_finish() -> None:
    """What was collected stays: engine tests collect garbage after each scenario, and need not look at it again."""
    gc.collect()
    gc.freeze()


@cache
def _version(python: str) -> str:
    code = "import sys; print('py%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="session", params=interpreters(), ids=_version)
def ssgui_command(request: pytest.FixtureRequest) -> Sequence[str]:
    """The command that runs our program, on this interpreter and on each that was prepared beside it."""
    return [request.param, "-m", "ssgui"]


@pytest.fixture(scope="session")
def ssgui_program() -> Sequence[str]:
    """The command that runs our program on this interpreter."""
    return [sys.executable, "-m", "ssgui"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else str(report.longrepr)
        for report in terminalreporter.stats.get("skipped", [])
    )
    if reasons:
        terminalreporter.write_sep("-", "skipped, and why")
        for reason, count in sorted(reasons.items()):
            terminalreporter.write_line(f"{count:5} x {reason}")

"""An origin, and both ends ours."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.origin import Origin
from tests.support.processes import Program, ssgui_local, ssgui_server

_HERE = Path(__file__).parent
# On interpreters other than the running one these stand for all, except with --long.
_REPRESENTATIVES = ("test_curl_stages.py", "test_stop.py", "test_udp.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        call = getattr(item, "callspec", None)
        if call is None or item.path.parent != _HERE or item.path.name in _REPRESENTATIVES:
            continue
        if call.params.get("ssgui_command", sys.executable) != sys.executable:
            item.add_marker(pytest.mark.long)


@dataclass
class Pair:
    """Our client and the server behind it."""

    local: Program
    server: Program


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as one:
        yield one


@pytest.fixture
def pair(ssgui_command: Sequence[str]) -> Iterator[Pair]:
    with ssgui_server(ssgui_command) as server, ssgui_local(ssgui_command, server.address) as local:
        yield Pair(local, server)

"""An origin, and both ends ours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from tests.support.origin import Origin
from tests.support.processes import Program, ssgui_local, ssgui_server


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

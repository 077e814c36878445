"""Stopping while much is going on: soon, in order, and without a warning in Python's development mode."""

import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack

import pytest

from tests.support.origin import Origin
from tests.support.processes import ssgui_local, ssgui_server
from tests.support.socks_client import receive_exactly, socks_connect

LIVE = 200
WITHIN = 3.0


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that are started now run under `-X dev -W error`."""
    monkeypatch.setenv("PYTHONDEVMODE", "1")
    monkeypatch.setenv("PYTHONWARNINGS", "error")


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("which", ["local", "server"])
def test_stop_with_many_live_connections(ssgui_command: Sequence[str], which: str) -> None:
    with (
        Origin() as origin,
        ssgui_server(ssgui_command) as server,
        ssgui_local(ssgui_command, server.address) as local,
        ExitStack() as stack,
    ):
        for _ in range(LIVE):
            sock = stack.enter_context(socks_connect(local.address, origin.address))
            sock.sendall(b"ECHO\nx")
            assert receive_exactly(sock, 1) == b"x"
        program = local if which == "local" else server
        started = time.monotonic()
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait() == 0
        assert time.monotonic() - started < WITHIN
        connections = program.events.connections()
        assert [one.reason for one in connections] == ["shutdown"] * LIVE
        log = program.process.stderr()
        assert not [word for word in ("Warning", "Traceback", "destroyed", "ERROR") if word in log], log

"""What `--events` shows of a real curl: every stage of both ends, in time."""

import hashlib
import json
import os
from datetime import datetime
from typing import Any

from tests.e2e.conftest import Pair
from tests.e2e.curl import curl
from tests.support.origin import Origin, pattern_hash
from tests.support.processes import Connection, wait_until

SIZE = 1 << 20
LOCAL = ["INIT", "ADDR", "DNS", "CONNECTING", "STREAM", "DESTROYED"]
SERVER = ["INIT", "DNS", "CONNECTING", "STREAM", "DESTROYED"]


def test_stages_of_a_fetch(pair: Pair, origin: Origin) -> None:
    answer = curl(pair.local.address, f"http://localhost:{origin.port}/{SIZE}")
    assert (answer.code, answer.error) == (0, "")
    assert hashlib.sha256(answer.body).hexdigest() == pattern_hash(SIZE)
    (local,), (server,) = pair.local.events.wait_closed(), pair.server.events.wait_closed()
    _check(local, LOCAL, "proxy", origin)
    _check(server, SERVER, "direct", origin)
    assert closed(local)["up"] == closed(server)["up"] > 0
    assert closed(local)["down"] == closed(server)["down"] > SIZE


def _check(connection: Connection, names: list[str], route: str, origin: Origin) -> None:
    assert connection.names == names
    assert connection.reason == "finished"
    assert connection.times == sorted(connection.times)
    assert connection.opened["t"] == connection.times[0]
    dns = connection.stages[names.index("DNS")]
    assert (dns["target"], dns["route"]) == (f"localhost:{origin.port}", route)
    spent = closed(connection)["stages"]
    assert list(spent) == names[:-1]
    assert all(seconds >= 0 for seconds in spent.values())
    assert abs(sum(spent.values()) - (connection.times[-1] - connection.times[0])) < 1e-4


def closed(connection: Connection) -> dict[str, Any]:
    assert connection.closed is not None
    return connection.closed


def test_first_line_tells_who_writes(pair: Pair) -> None:
    start = wait_until(pair.local.events.lines, "the client's first line")[0]
    assert list(start) == ["event", "t", "time", "pid", "version", "role"]
    assert (start["event"], start["role"]) == ("start", "local")
    assert os.getpgid(start["pid"]) == pair.local.process.pid
    assert datetime.fromisoformat(start["time"]).tzinfo is not None
    assert wait_until(pair.server.events.lines, "the server's first line")[0]["role"] == "server"


def test_connections_one_after_the_other_have_their_own_numbers(pair: Pair, origin: Origin) -> None:
    for _ in range(3):
        assert curl(pair.local.address, f"http://{origin.address[0]}:{origin.port}/10").code == 0
    connections = pair.local.events.wait_closed(3)
    assert len({one.opened["id"] for one in connections}) == 3
    assert [one.reason for one in connections] == ["finished"] * 3
    assert json.dumps(pair.local.events.lines()).isascii()

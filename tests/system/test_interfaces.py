"""The network of this machine, and one that a test takes to pieces in a namespace of its own."""

import subprocess
import sys

import pytest

from ssgui.system.interfaces import read_addresses
from ssgui.system.network import NetworkState, look_at_network
from tests.support.processes import ROOT
from tests.support.programs import require

IN_ITS_NETWORK = """
import asyncio, subprocess
from ssgui.engine.engine import Engine
from ssgui.app.revival import Mender
from ssgui.services import awake
from ssgui.services.awake import Awake
from tests.engine.world import World, until

awake.LOOK_SECONDS = 3600.0  # so that it can only be told

def ip(*words):
    subprocess.run(["ip", *words], check=True)

async def main():
    told = []
    async with World("selector") as world:
        watched = Awake(lambda: "", told.append)
        assert not watched.online
        watched.start()
        ip("link", "set", "lo", "up")
        ip("link", "add", "d0", "type", "veth", "peer", "name", "d1")
        ip("addr", "add", "10.9.9.1/24", "dev", "d0")
        ip("link", "set", "d0", "up")
        assert not watched.online
        ip("link", "set", "d1", "up")
        ip("route", "add", "default", "via", "10.9.9.2")
        await until(lambda: watched.online)
        echo = await world.echo("10.9.9.1")
        server = await world.server()
        reader, writer = await world.connect(await world.client(server.address), *echo, payload=b"a")
        assert await reader.readexactly(1) == b"a"
        mender = Mender(server.engine)
        mender.heard(told[-1])
        assert len(server.engine.handlers) == 1
        ip("link", "set", "d1", "down")  # the cable is pulled: addresses and routes stay
        await until(lambda: not watched.online)
        assert told[-1].turned
        ip("link", "set", "d1", "up")
        await until(lambda: watched.online)
        mender.heard(told[-1])
        assert len(server.engine.handlers) == 1  # it may live, and the other end was asked
        ip("addr", "del", "10.9.9.1/24", "dev", "d0")
        await until(lambda: not watched.online)
        mender.heard(told[-1])
        assert not server.engine.handlers
        (closed,) = await world.closed(server)
        assert closed.reason == "network-lost", closed
        assert "10.9.9.1" in closed.detail, closed
        mender.end()
        await watched.stop()
    print("so it was")

asyncio.run(main())
"""


def test_loopback_is_there_and_carries() -> None:
    found = read_addresses()
    if found is None:
        pytest.skip("this system has no rtnetlink")
    assert "127.0.0.1" in found.carrying <= found.all
    assert look_at_network("localhost").online
    assert look_at_network("127.0.0.1").ways == {"127.0.0.1"}


@pytest.mark.parametrize("state", [NetworkState(), NetworkState(addresses=read_addresses())])
def test_which_addresses_are_ours(state: NetworkState) -> None:
    assert state.has(("127.0.0.1", 5))
    assert state.has(("::1", 5, 0, 0))
    assert state.has(("::ffff:127.0.0.1", 5, 0, 0))
    assert not state.has(("198.51.100.77", 5))
    assert not state.has(("2001:db8::77", 5, 0, 0))


def test_changes_are_told_and_take_their_connections_with_them() -> None:
    if sys.platform != "linux":
        pytest.skip("namespaces are Linux's")
    unshare, _ = require("unshare"), require("ip")
    allowed = subprocess.run([unshare, "-rn", "ip", "link", "add", "d0", "type", "veth"], capture_output=True)
    if allowed.returncode:
        pytest.skip("no network of one's own may be made here")
    done = subprocess.run(
        [unshare, "-rn", sys.executable, "-c", IN_ITS_NETWORK], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert "so it was" in done.stdout, done.stdout + done.stderr

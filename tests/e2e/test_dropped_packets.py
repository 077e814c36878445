"""Diagnoses in a network that drops what it is given, or has no way: in a namespace of its own."""

import subprocess
import sys

import pytest

from tests.support.processes import ROOT
from tests.support.programs import require

IN_ITS_NETWORK = """
import asyncio, subprocess
from ssgui.config.models import ServerSettings
from ssgui.config.secret import Secret
from ssgui.engine import handler
from ssgui.engine.loop import new_headless_loop
from ssgui.services.diagnosis import rows as row_findings
from ssgui.services.diagnosis.finding import FindingKind as K
from tests.engine.world import METHOD, PASSWORD, World, until
from tests.services.diagnosis.test_findings import ask, echoing, refused
from tests.support.observer import Observer

handler.CONNECT_TIMEOUT = 0.5
row_findings.DELIVERY_SECONDS = 1.0
SERVER = "10.9.9.2"

def ip(*words):
    subprocess.run(["ip", *words], check=True)

def mac_of(name):
    words = subprocess.run(["ip", "-brief", "link", "show", name], capture_output=True, text=True, check=True)
    return words.stdout.split()[2]

async def story():
    async with World("selector") as world:
        settings = ServerSettings(SERVER, 0, METHOD, Secret(PASSWORD), forbidden=())
        server = await world.engine().start_server(settings)
        client = await world.client(server.address, timeout=2)
        client.timeout = 60
        observer = Observer(client)
        target = await world.echo()
        reader, writer = await echoing(world, client)
        await until(lambda: observer.kind() == "on")
        _, fresh = await world.connect(client, *target)
        ip("addr", "del", SERVER + "/32", "dev", "lo")  # from now on whatever is for it ends on a dead wire
        fresh.write(b"a first payload")
        writer.write(bytes(40_000_000))
        await until(lambda: len([one for one in observer.rows() if one.first_up]) == 2)
        assert observer.overall() is None
        kinds = lambda: {one.kind for one in observer.found()}
        await until(lambda: kinds() == {K.UNDELIVERED, K.PATH_FULL}, 12)
        lost = next(one for one in observer.found() if one.kind is K.UNDELIVERED)
        assert lost.seconds >= 1 and lost.size == 15, lost
        print("what is sent does not arrive")
        await refused(world, client)
        found = await observer.whole(K.SERVER_TIMEOUT)
        assert 0.4 < found.seconds < 5, found
        assert observer.kind() == "failing"
        print("a server that times out")
        client.router.pause(True)
        for _ in range(2):
            try:
                await world.connect(client, "198.51.100.1", 80)
            except ConnectionError:
                pass
        assert observer.found()[-1].kind is K.TARGET_UNREACHABLE, observer.found()[-1]
        ip("route", "flush", "dev", "d0")
        client.router.pause(False)
        await refused(world, client)
        await observer.whole(K.SERVER_UNREACHABLE)
        print("no way to it")

ip("link", "set", "lo", "up")
ip("link", "add", "d0", "type", "veth", "peer", "name", "d1")
ip("addr", "add", "10.9.9.1/24", "dev", "d0")
ip("link", "set", "d0", "up")
ip("link", "set", "d1", "up")
ip("neigh", "replace", SERVER, "lladdr", mac_of("d1"), "dev", "d0", "nud", "permanent")
ip("addr", "add", SERVER + "/32", "dev", "lo")
with asyncio.Runner(loop_factory=new_headless_loop) as runner:
    runner.run(story())
print("so it was")
"""


def test_packets_that_are_dropped_are_told_from_a_server_that_is_silent() -> None:
    if sys.platform != "linux":
        pytest.skip("namespaces are Linux's")
    unshare, _ = require("unshare"), require("ip")
    allowed = subprocess.run([unshare, "-rn", "ip", "link", "add", "d0", "type", "veth"], capture_output=True)
    if allowed.returncode:
        pytest.skip("no network of one's own may be made here")
    command = [unshare, "-rn", sys.executable, "-c", IN_ITS_NETWORK]
    done = subprocess.run(command, capture_output=True, text=True, timeout=55, cwd=ROOT)
    assert "so it was" in done.stdout, done.stdout + done.stderr

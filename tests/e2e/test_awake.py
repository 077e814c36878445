"""The app in a network of its own that is taken to pieces: what it says about itself stays true."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT
from tests.support.programs import require

IN_ITS_NETWORK = """
import json, subprocess, sys, time
from pathlib import Path
from tests.support.app import app
from tests.support.browser import Site
from tests.support.ports import free_port
from tests.support.processes import METHOD, PASSWORD, ssgui_program, wait_until

ADDRESS = "10.9.9.1"

def ip(*words):
    subprocess.run(["ip", *words], check=True)

def becomes(one, state, soon=5.0):
    begun = time.monotonic()
    wait_until(lambda: one.status()["state"] == state, state)
    took = time.monotonic() - begun
    print(f"{state} after {took:.1f} s")
    assert took < soon, (state, took)

ip("link", "set", "lo", "up")
ip("link", "add", "d0", "type", "veth", "peer", "name", "d1")
ip("link", "set", "d0", "up")
ip("link", "set", "d1", "up")
home, port = Path(sys.argv[1]), free_port()
server = {"id": "1", "server": ADDRESS, "server_port": port, "method": METHOD, "password": PASSWORD}
with Site() as site:
    probe = f"http://127.0.0.1:{site.port}/probe"
    settings = {"mode": "global", "local_port": free_port(), "probe_url": probe}
    kept = {"version": 1, "servers": [server], "current": "1", "settings": settings}
    (home / "config.json").write_text(json.dumps(kept))
    with app(home) as one:
        becomes(one, "offline")
        ip("addr", "add", f"{ADDRESS}/24", "dev", "d0")
        becomes(one, "failing")  # tried by itself, more than once, and nobody listens
        own = ["-s", "0.0.0.0", "-p", str(port), "-m", METHOD, "--forbidden-ip", ""]
        with ssgui_program([sys.executable, "-m", "ssgui"], "server", port, own, PASSWORD):
            becomes(one, "on")
            ip("link", "set", "d1", "down")
            becomes(one, "offline")
            ip("link", "set", "d1", "up")
            becomes(one, "on")
            ip("addr", "del", f"{ADDRESS}/24", "dev", "d0")
            becomes(one, "offline")
        one.ask({"do": "quit"})
        one.require_good_end()
print("so it was")
"""


def test_the_state_is_true_whatever_happens_to_the_network(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("namespaces are Linux's")
    unshare, _ = require("unshare"), require("ip")
    allowed = subprocess.run([unshare, "-rn", "ip", "link", "add", "d0", "type", "veth"], capture_output=True)
    if allowed.returncode:
        pytest.skip("no network of one's own may be made here")
    command = [unshare, "-rn", sys.executable, "-c", IN_ITS_NETWORK, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=ROOT)
    print(done.stdout)
    assert "so it was" in done.stdout, done.stdout + done.stderr

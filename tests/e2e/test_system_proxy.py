"""The app and the system's proxy, from outside: set while it runs, put back first of all when it ends, or by its
guard when it is killed, or at its next start."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.support.app import App, app
from tests.support.ports import free_port
from tests.support.processes import METHOD, PASSWORD, wait_until
from tests.support.stepping_app import LISTENED
from tests.support.stepping_proxy import SteppingProxy, guards, system

MODULE = "tests.support.stepping_app"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds guards in /proc")
BEFORE = system("manual", host="proxy.example", port=3128)


def configure(home: Path, mode: str) -> SteppingProxy:
    server = {"id": "1", "server": "127.0.0.1", "server_port": 9, "method": METHOD, "password": PASSWORD}
    settings = {"mode": mode, "local_port": free_port()}
    kept = {"version": 1, "servers": [server], "current": "1", "settings": settings}
    (home / "config.json").write_text(json.dumps(kept))
    backend = SteppingProxy(home)
    backend.write(BEFORE)
    return backend


def port_of(home: Path) -> int:
    return int(json.loads((home / "config.json").read_text())["settings"]["local_port"])


def wait_set(one: App, backend: SteppingProxy) -> None:
    def is_set() -> bool:
        one.process.require_running()
        return bool(backend.snapshot()["http"] == {"host": "127.0.0.1", "port": port_of(one.folder)})

    wait_until(lambda: is_set() and backend.snapshot()["mode"] == "manual", "the system's proxy is set")


def test_it_is_put_back_first_and_the_guard_goes(tmp_path: Path) -> None:
    backend = configure(tmp_path, "global")
    with app(tmp_path, module=MODULE) as one:
        wait_set(one, backend)
        assert len(guards(tmp_path)) == 1
        one.process.send_signal(signal.SIGTERM)
        one.require_good_end()
    assert backend.snapshot() == BEFORE
    assert (tmp_path / LISTENED).read_text() == "True"  # the port was still open
    wait_until(lambda: not guards(tmp_path), "the guard is gone")
    assert port_of(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["settings"]["mode"] == "global"


def test_killed_with_its_guard_the_next_start_puts_it_back(tmp_path: Path) -> None:
    backend = configure(tmp_path, "global")
    with app(tmp_path, module=MODULE) as one:
        wait_set(one, backend)
        (guard,) = guards(tmp_path)
        os.kill(guard, signal.SIGKILL)
        one.process.send_signal(signal.SIGKILL)
        one.process.wait()
    assert backend.snapshot()["mode"] == "manual"
    assert backend.snapshot() != BEFORE
    kept = json.loads((tmp_path / "config.json").read_text())
    kept["settings"]["mode"] = "off"
    (tmp_path / "config.json").write_text(json.dumps(kept))
    with app(tmp_path, module=MODULE) as one:
        wait_until(lambda: backend.snapshot() == BEFORE, "the proxy of before is back")
        one.ask({"do": "quit"})
        assert one.process.wait() == 0


def test_killed_alone_its_guard_puts_it_back(tmp_path: Path) -> None:
    backend = configure(tmp_path, "global")
    with app(tmp_path, module=MODULE) as one:
        wait_set(one, backend)
        one.process.send_signal(signal.SIGKILL)
        one.process.wait()
    wait_until(lambda: backend.snapshot() == BEFORE, "the guard has put it back")
    wait_until(lambda: not guards(tmp_path), "the guard is gone")

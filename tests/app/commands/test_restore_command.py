"""`ssgui restore-proxy`: says what it did, and loads no window for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from ssgui.app.commands.restore import restore_proxy
from ssgui.cli import main
from ssgui.services.control.channel import InstanceLock
from ssgui.system.proxy.backend import ProxyBackend
from ssgui.system.proxy.journal import NAME, Journal
from tests.support.ports import free_port
from tests.support.processes import ROOT
from tests.support.stepping_proxy import SteppingProxy, setting, system


def run(folder: Path, backend: ProxyBackend | None) -> list[str]:
    said: list[str] = []

    def find(name: str) -> ProxyBackend:
        assert backend is not None
        return backend

    restore_proxy(folder, said.append, find=find, choose=lambda: backend)
    return said


@pytest.fixture
def backend(tmp_path: Path) -> SteppingProxy:
    made = SteppingProxy(tmp_path)
    made.write(system())
    return made


def set_it(folder: Path, backend: SteppingProxy) -> None:
    journal = Journal(folder)
    with journal.locked():
        journal.set(backend, setting("global", 1080), "a run that was killed")


def test_it_puts_back_and_says_so(tmp_path: Path, backend: SteppingProxy) -> None:
    set_it(tmp_path, backend)
    lock = InstanceLock(tmp_path)
    assert lock.take()
    assert run(tmp_path, backend) == [
        "the system's proxy is back to what it was",
        "ssgui is running, and can set it again",
    ]
    lock.release()
    assert backend.snapshot() == system()
    assert run(tmp_path, backend) == ["nothing to put back: the system's proxy is not changed by ssgui"]
    assert run(tmp_path, None) == ["nothing to put back: the system's proxy is not changed by ssgui"]


def test_it_says_what_it_left_and_what_is_dead(tmp_path: Path, backend: SteppingProxy) -> None:
    set_it(tmp_path, backend)
    backend.write(system("manual", host="vpn.example", port=1))
    assert run(tmp_path, backend)[0].startswith("what another program has set is left")
    dead = free_port()
    backend.write(system("manual", host="127.0.0.1", port=dead))
    assert f"port {dead} of this computer, where nobody listens" in run(tmp_path, backend)[1]
    assert backend.snapshot()["mode"] == "manual"  # not ours
    set_it(tmp_path, backend)
    assert f"port {dead}" in run(tmp_path, backend)[1]
    assert backend.snapshot()["mode"] == "none"


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restore-proxy", "--data-dir", str(tmp_path / "none")]) == 0
    assert "nothing to put back" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()
    (tmp_path / NAME).write_text(
        '{"entries": [{"backend": "x", "previous": {}, "ours": [], "ports": [], "owner": "o"}]}'
    )
    assert main(["--data-dir", str(tmp_path), "restore-proxy"]) == 1
    assert "'x'" in capsys.readouterr().err


def test_it_loads_no_window(tmp_path: Path) -> None:
    code = (
        "import sys; from ssgui.cli import main; main(sys.argv[1:]);"
        "sys.exit(bool({'PySide6', 'asyncio.events_qt', 'qasync', 'httpx', 'cryptography'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, "restore-proxy", "--data-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")

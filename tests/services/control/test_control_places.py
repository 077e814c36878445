"""Where processes listen: found by their own, closed to others, and nothing left by the dead."""

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ssgui.services.control import places as control_places
from ssgui.services.control.places import places, process_socket_path, socket_path
from ssgui.services.control.unix_socket import OwnSocket, SocketTaken, sweep

ROOT = Path(__file__).parents[3]
NAMES = ("XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY")


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime directory of this test."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path / "run" / "ssgui"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# ---- where


def test_a_process_listens_in_the_runtime_directory(runtime: Path) -> None:
    assert process_socket_path("local", 7) == runtime / "local-7.sock"


def test_a_service_listens_where_systemd_made_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{tmp_path}:/elsewhere")
    assert process_socket_path("server", 7) == tmp_path / "ssgui" / "server-7.sock"
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "gone"))
    assert process_socket_path("server", 7).name == "server-7.sock"


@pytest.mark.parametrize(("user", "folder"), [(0, Path("/run/ssgui")), (1234, Path("tmp/ssgui-1234"))])
def test_without_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, folder: Path) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(control_places, "_user", lambda: user)
    assert process_socket_path("server", 7).parent == tmp_path / folder


def test_a_directory_that_a_service_has_is_not_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(control_places, "_user", lambda: 0)
    monkeypatch.setattr(control_places, "_RUN", tmp_path / "service")
    assert process_socket_path("server", 7).parent == tmp_path / "service"
    (tmp_path / "service").mkdir()
    monkeypatch.setattr(control_places, "_user", lambda: os.geteuid() + 1)
    assert not control_places._may_be_ours(tmp_path / "service")


def test_a_path_that_is_too_long_for_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("x" * 80) / ("y" * 80)
    deep.mkdir(parents=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    for path in (process_socket_path("local", 7), socket_path(tmp_path)):
        assert path.parent == tmp_path / "tmp" / f"ssgui-{os.getuid()}"


# ---- one socket


def test_nobody_else_gets_near_it(runtime: Path) -> None:
    one = OwnSocket(process_socket_path("local", 7))
    assert (mode(runtime), mode(one.path), mode(one.path.with_suffix(".lock"))) == (0o700, 0o600, 0o600)
    one.remove()
    assert list(runtime.iterdir()) == []


def test_a_directory_that_others_can_enter_is_closed(runtime: Path) -> None:
    runtime.mkdir(mode=0o755)
    one = OwnSocket(runtime / "local-7.sock")
    assert mode(runtime) == 0o700
    one.remove()


def test_a_directory_that_is_not_for_sockets_alone_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    one = OwnSocket(folder / "0123456789abcdef.sock", tighten=False)
    assert (mode(folder), mode(one.path)) == (0o755, 0o600)
    one.remove()


def test_a_directory_of_somebody_else_is_not_used(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    with pytest.raises(PermissionError, match="somebody else"):
        OwnSocket(runtime / "local-7.sock")


def test_a_link_to_a_directory_is_not_followed(runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    runtime.symlink_to(tmp_path / "other")
    with pytest.raises(PermissionError):
        OwnSocket(runtime / "local-7.sock")


def test_a_lock_that_is_a_link_is_not_followed(runtime: Path, tmp_path: Path) -> None:
    runtime.mkdir()
    target = tmp_path / "precious"
    target.write_text("kept")
    (runtime / "local-7.lock").symlink_to(target)
    with pytest.raises(OSError, match="local-7"):
        OwnSocket(runtime / "local-7.sock")
    assert target.read_text() == "kept"


def test_two_cannot_have_the_same(runtime: Path) -> None:
    first = OwnSocket(runtime / "local-7.sock")
    with pytest.raises(SocketTaken):
        OwnSocket(runtime / "local-7.sock")
    assert first.path.exists()
    first.remove()
    OwnSocket(runtime / "local-7.sock").remove()


# ---- what the dead left

HOLD = """
import sys, signal
from pathlib import Path
from ssgui.services.control.unix_socket import OwnSocket
one = OwnSocket(Path(sys.argv[1]))
print("listens", flush=True)
signal.pause()
"""


@contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that listens at `path`."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "listens\n"
            yield process
        finally:
            process.kill()


def test_the_dead_leave_nothing_for_long_and_the_living_keep_theirs(runtime: Path) -> None:
    dead, alive = runtime / "local-7.sock", runtime / "server-8.sock"
    with holder(alive):
        with holder(dead) as process:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert dead.exists()
        one = OwnSocket(runtime / "local-9.sock")
        assert not dead.exists()
        assert not dead.with_suffix(".lock").exists()
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(alive))
        one.remove()


def test_the_same_number_can_be_taken_over_from_the_dead(runtime: Path) -> None:
    path = runtime / "local-7.sock"
    with holder(path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    OwnSocket(path).remove()


def test_only_sockets_of_ours_are_swept(runtime: Path) -> None:
    runtime.mkdir()
    kept = [runtime / name for name in ("settings.lock", "settings.sock", "x-7.sock", "readme", "local-9.sock")]
    for path in kept:
        path.write_text("kept")
    (runtime / "local-9.lock").touch()  # of a file that is no socket
    sweep(runtime)
    assert [path.read_text() for path in kept] == ["kept"] * len(kept)


# ---- which there are


def test_places_are_sockets_of_ours_and_nothing_else(runtime: Path, tmp_path: Path) -> None:
    one = OwnSocket(runtime / "local-7.sock")
    app = OwnSocket(runtime / "0123456789abcdef.sock")
    (runtime / "local-8.sock").write_text("a file")
    (runtime / "local-9.sock").symlink_to(one.path)
    (runtime / "other.sock").symlink_to(one.path)
    found = [place for place in places() if place.startswith(str(tmp_path))]
    assert found == [str(app.path), str(one.path)]
    one.remove()
    app.remove()
    assert not [place for place in places() if place.startswith(str(tmp_path))]


def test_what_belongs_to_others_is_for_root_alone(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = OwnSocket(runtime / "local-7.sock")
    owner = os.geteuid()
    monkeypatch.setattr(control_places, "_user", lambda: owner + 1)
    assert str(one.path) not in places()
    monkeypatch.setattr(control_places, "_user", lambda: 0)
    assert str(one.path) in places()
    one.remove()


def test_root_looks_into_everybodys_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "tmp" / "ssgui-4711"
    one = OwnSocket(theirs / "local-7.sock")
    assert str(one.path) not in places() or os.geteuid() == 0
    monkeypatch.setattr(control_places, "_user", lambda: 0)
    assert str(one.path) in places()
    one.remove()

"""`ssgui monitor` in a terminal, beside a real client and a real server with real connections."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.origin import Origin
from tests.support.processes import HOST, ROOT, Program, running, ssgui_local, ssgui_server, wait_until
from tests.support.socks_client import receive_exactly, socks_connect
from tests.support.terminal import TerminalProgram

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pty")
SSGUI = [sys.executable, "-m", "ssgui"]
EVIL = b"\x1b]0;owned\x07\x1b[31mred\x1b[2J\n[bold]b[/bold]\xe2\x80\xaeevil.example"  # a bidi mark among it


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Program, Program]]:
    """Our client, which logs where it goes, behind our server."""
    with ssgui_server(SSGUI) as server, ssgui_local(SSGUI, server.address, flags=["-v"]) as local:
        yield local, server


Pair = tuple[Program, Program]


@contextmanager
def monitor(program: Program, *flags: str, **how: Any) -> Iterator[TerminalProgram]:
    """The monitor of `program` in a terminal."""
    env = {"XDG_RUNTIME_DIR": str(program.runtime), **how.pop("env", {})}
    with TerminalProgram([*SSGUI, "monitor", "--pid", str(program.process.pid), *flags], env=env, **how) as shown:
        yield shown


def ask(program: Program, *flags: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """The monitor without a terminal."""
    full = {**os.environ, "XDG_RUNTIME_DIR": str(program.runtime), **(env or {})}
    return subprocess.run(
        [*SSGUI, "monitor", *flags], capture_output=True, text=True, env=full, timeout=30, cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@contextmanager
def echoing(program: Program, origin: Origin, host: str = "") -> Iterator[socket.socket]:
    """A connection that streams, and stays."""
    with socks_connect(program.address, (host or origin.address[0], origin.port)) as sock:
        sock.sendall(b"ECHO\nhello")
        assert receive_exactly(sock, 5) == b"hello"
        yield sock


def target_of(origin: Origin) -> str:
    return f"{HOST}:{origin.port}"


# ---- the table


def test_both_ends_live(pair: Pair) -> None:
    local, server = pair
    with Origin() as origin, echoing(local, origin), monitor(local) as here, monitor(server, columns=120) as there:
        target = target_of(origin)
        text = here.wait_for(f"local {local.process.pid}", "Connected", "Streaming", target, "1 streaming")
        assert "Bytes came back" in text
        line = here.lines()[here.row_of(target)]
        assert line.split()[:5] == ["●", "Streaming", "R", "R", target]
        there.wait_for(f"server {server.process.pid}", "1 client", target, "Client", f"{HOST}:")
        assert all(len(line) <= 80 for line in here.lines())
        with echoing(local, origin):
            here.wait_for("2 streaming")
            there.wait_for("2 streaming")
        here.wait_for("Finished")
        here.press("q")
        there.press("q")
        assert (here.wait(), there.wait()) == (0, 0)
        assert here.is_restored()
        assert there.is_restored()


def test_a_connection_is_closed_from_there(pair: Pair) -> None:
    local, _ = pair
    with Origin() as origin, echoing(local, origin) as sock, monitor(local) as shown:
        shown.wait_for("Streaming", target_of(origin))
        shown.press("1/" + str(origin.port) + "\r")
        shown.wait_for("1 of 1: " + str(origin.port))
        shown.press("jx")
        shown.wait_for(f"Close the connection to {target_of(origin)}?")
        shown.press("n")
        shown.wait_for("Enter more")
        sock.sendall(b"still")
        assert receive_exactly(sock, 5) == b"still"
        shown.press("xy")
        shown.wait_for("1 closed", "no active connections")
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
        shown.press("3")
        shown.wait_for("✗ Closed by you")


def test_all_that_a_filter_leaves_are_closed(pair: Pair) -> None:
    local, server = pair
    with Origin() as one, Origin() as other, ExitStack() as stack:
        gone = [stack.enter_context(echoing(local, one)) for _ in range(3)]
        kept = stack.enter_context(echoing(local, other))
        shown = stack.enter_context(monitor(server, columns=110))
        shown.wait_for(target_of(one), target_of(other))
        shown.press(f"1/{one.port}\rX")
        shown.wait_for("Close all of these, 3 in number?")
        shown.press("y")
        shown.wait_for("3 closed")
        for sock in gone:
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
        kept.sendall(b"still")
        assert receive_exactly(kept, 5) == b"still"


@pytest.mark.long
def test_all_about_one(pair: Pair) -> None:
    local, server = pair
    with Origin() as origin, echoing(local, origin), monitor(local, rows=40) as here, monitor(server, rows=40) as there:
        for shown in (here, there):
            shown.wait_for(target_of(origin))
            shown.press("\r")
        text = here.wait_for("from ", "what happened", "the first bytes came back", "CONNECTING connecting", "stream ")
        assert "INIT       greeting" in text
        there.wait_for("INIT       reading the address", "shadowsocks", "the first bytes left")
        here.press("\x1b")
        here.wait_for("Target")


# ---- the terminal


def test_whatever_ends_it_the_terminal_is_as_it_was(pair: Pair) -> None:
    local, _ = pair
    ways = ("\x03", signal.SIGTERM, signal.SIGHUP)
    with ExitStack() as stack:
        for how, shown in [(how, stack.enter_context(monitor(local))) for how in ways]:
            shown.wait_for("Target")
            assert termios.tcgetattr(shown.slave) != shown.before
            if isinstance(how, str):
                shown.press(how)
            else:
                shown.process.send_signal(how)
            assert shown.wait() == 0, how
            assert shown.is_restored(), how
            assert "Traceback" not in shown.text()


def test_a_fault_of_ours_leaves_the_terminal_as_it_was(pair: Pair, tmp_path: Path) -> None:
    local, _ = pair
    (tmp_path / "sitecustomize.py").write_text(
        "import ssgui.app.monitor.screen as screen\n"
        "def fail(*_):\n    raise RuntimeError('a bug')\n"
        "screen.health_line = fail\n"
    )
    env = {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    with monitor(local, env=env) as shown:
        assert shown.wait() == 1
        assert shown.is_restored()
        shown.wait_for("RuntimeError: a bug")


def test_a_terminal_that_is_closed_ends_it(pair: Pair) -> None:
    local, _ = pair
    with monitor(local) as shown:
        shown.wait_for("Target")
        shown.hang_up()
        assert shown.wait() == 0


@pytest.mark.long
def test_stopped_and_continued(pair: Pair) -> None:
    local, _ = pair
    with Origin() as origin, echoing(local, origin), monitor(local) as shown:
        shown.wait_for(target_of(origin))
        shown.press("\x1a")
        wait_until(lambda: _state_of(shown.process.pid) == "T", "it is stopped")
        assert shown.is_restored()
        before = len(shown.raw)
        shown.process.send_signal(signal.SIGCONT)
        wait_until(lambda: b"Target" in shown.raw[before:], "it paints again")
        assert termios.tcgetattr(shown.slave) != shown.before
        shown.press("q")
        assert shown.wait() == 0
        assert shown.is_restored()


def _state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.long
def test_another_size(pair: Pair) -> None:
    local, _ = pair
    with Origin() as origin, echoing(local, origin), monitor(local) as shown:
        shown.wait_for(target_of(origin), "/ filter")
        assert "Server" not in shown.lines()[2]
        shown.resize(160, 30)
        shown.wait_for("Server", "Program", "All down")
        wait_until(lambda: "/ filter" in shown.lines()[29], "the last line")
        for columns, rows in ((40, 10), (10, 3), (1, 1)):
            shown.resize(columns, rows)
            wait_until(lambda columns=columns: len(shown.lines()[0]) <= columns, "it fits")  # type: ignore[misc]
        shown.resize(80, 24)
        shown.wait_for(target_of(origin))


def test_without_colours_and_without_fine_characters(pair: Pair) -> None:
    local, _ = pair
    with Origin() as origin, echoing(local, origin):
        with monitor(local) as shown:
            shown.wait_for(target_of(origin))
            assert b"\x1b[34m" in shown.raw
            assert shown.cell(shown.row_of(target_of(origin)), 0).fg != "default"
        with monitor(local, env={"NO_COLOR": "1"}) as shown:
            shown.wait_for(target_of(origin))
            assert not re.search(rb"\x1b\[(?:\d+;)*[39]\d[;m]", shown.raw)
        with monitor(local, env={"PYTHONIOENCODING": "ascii"}) as shown:
            shown.wait_for(target_of(origin), "* Streaming")
            assert shown.raw.isascii()


# ---- what is watched, ends


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param(signal.SIGTERM, "has ended", marks=pytest.mark.long),
        (signal.SIGKILL, "is gone: it was killed, or crashed"),
    ],
)
def test_one_that_ends(number: int, words: str) -> None:
    with ssgui_server(SSGUI) as server, monitor(server) as shown:
        shown.wait_for("Target")
        server.process.send_signal(number)
        assert shown.wait() == 0
        assert shown.is_restored()
        assert f"ssgui: server {server.process.pid} {words}".encode() in shown.raw


@pytest.mark.long
def test_one_that_says_nothing_any_more() -> None:
    with ssgui_server(SSGUI) as server, monitor(server) as shown:
        shown.wait_for("Target")
        server.process.send_signal(signal.SIGSTOP)
        try:
            shown.wait_for("no news for")
            shown.press("q")
            assert shown.wait() == 0
        finally:
            server.process.send_signal(signal.SIGCONT)


# ---- names of strangers


def socks_request(address: tuple[str, int], host: bytes, port: int) -> socket.socket:
    """A connection that asks for a host of any bytes."""
    sock = socket.create_connection(address, timeout=20)
    sock.sendall(b"\x05\x01\x00")
    receive_exactly(sock, 2)
    sock.sendall(b"\x05\x01\x00\x03" + bytes((len(host),)) + host + port.to_bytes(2, "big"))
    receive_exactly(sock, 10)
    return sock


def test_hostile_names_do_no_harm(pair: Pair) -> None:
    local, server = pair
    with socks_request(local.address, EVIL, 443) as sock, monitor(local, columns=150, rows=40) as shown:
        sock.sendall(b"x")
        shown.wait_for("example:443")
        shown.press("/evil\rj\r")
        shown.wait_for("what happened", r"\x1b]0;owned\x07", "[bold]b[/bold]")
        assert shown.title == ""
        assert not {0x07, 0x9B} & set(shown.raw)
        assert b"\x1b]" not in shown.raw
        assert "\u202e" not in shown.raw.decode()
    texts = [local.process.stderr(), server.process.stderr()]
    assert r"\x1b]0;owned" in texts[0]  # -v says where it went
    for program, flags in ((local, ["--once"]), (local, ["--once", "--json"]), (server, ["--once", "--json"])):
        texts.append(ask(program, *flags, "--pid", str(program.process.pid)).stdout)
        assert r"example:443" in texts[-1]
    for text in texts:
        assert text.replace("\n", "").isprintable()
        assert "\u202e" not in text
    targets = [json.loads(line).get("target", "") for line in texts[-1].splitlines()]
    assert any(target.endswith("evil.example:443") for target in targets)


# ---- without a terminal


def test_which_processes_there_are(pair: Pair) -> None:
    local, _ = pair
    listed = ask(local, "--list")
    assert listed.returncode == 0
    assert f"{local.process.pid}  local   {HOST}:{local.address[1]}" in listed.stdout
    found = [json.loads(line) for line in ask(local, "--list", "--json").stdout.splitlines()]
    assert [one["pid"] for one in found if one["role"] == "local"] == [local.process.pid]
    none = ask(local, "--pid", "1")
    assert (none.returncode, none.stderr) == (1, "ssgui: none that can be watched has the PID 1\n")


@pytest.mark.long
def test_the_only_one_is_meant_and_of_several_none(tmp_path: Path) -> None:
    env = {"XDG_RUNTIME_DIR": str(tmp_path)}
    command = [*SSGUI, "--headless", "server", "-s", HOST, "-p", "0", "-q", "-k", "x", "-m", "aes-256-gcm"]
    with running(command, env=env) as first:
        sockets = tmp_path / "ssgui"
        wait_until(lambda: sockets.is_dir() and list(sockets.glob("*.sock")), "it listens")
        program = Program((HOST, 0), None, first, tmp_path)  # type: ignore[arg-type]
        if os.getuid():  # root sees everybody's
            assert f"server {first.pid}" in ask(program).stdout
        with running(command, env=env) as second:
            wait_until(lambda: len(list(sockets.glob("*.sock"))) == 2, "both listen")
            several = ask(program)
            assert several.returncode == 2
            assert "say which with --pid" in several.stderr
            assert {str(first.pid), str(second.pid)} <= set(several.stdout.split())
    nobody = ask(program, "--data-dir", str(tmp_path / "nobody"))
    assert (nobody.returncode, nobody.stderr) == (1, "ssgui: none runs that can be watched\n")


def test_paper_and_lines_for_scripts(pair: Pair) -> None:
    local, _ = pair
    with Origin() as origin, echoing(local, origin):
        pid = str(local.process.pid)
        done = ask(local, "--pid", pid, env={"COLUMNS": "80"})  # no terminal: as with --once
        assert (done.returncode, done.stderr) == (0, "")
        assert target_of(origin) in done.stdout
        assert "\x1b" not in done.stdout
        assert max(len(line) for line in done.stdout.splitlines()) <= 80
        once = [json.loads(line) for line in ask(local, "--pid", pid, "--once", "--json").stdout.splitlines()]
        assert (once[0]["event"], once[0]["pid"], once[0]["role"]) == ("instance", local.process.pid, "local")
        (row,) = [line for line in once if line.get("target") == target_of(origin)]
        assert (row["event"], row["stage"], row["up"], row["down"]) == ("row", "STREAM", 10, 5)
        assert [name for name, _ in row["timeline"]] == ["INIT", "ADDR", "DNS", "CONNECTING", "STREAM"]


@pytest.mark.long
def test_lines_that_follow_and_who_has_enough_of_them(pair: Pair, tmp_path: Path) -> None:
    local, _ = pair
    env = {**os.environ, "XDG_RUNTIME_DIR": str(local.runtime)}
    pid = ["--pid", str(local.process.pid)]
    command: Sequence[str] = [*SSGUI, "monitor", *pid]
    path = tmp_path / "events"
    with (
        Origin() as origin,
        subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT) as follower,
        running([*command, "--events", str(path)], env={"XDG_RUNTIME_DIR": str(local.runtime)}) as events,
    ):
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["event"] == "instance"
        wait_until(lambda: path.exists() and path.read_text(), "it follows")
        with echoing(local, origin):
            pass
        wait_until(lambda: '"event":"closed"' in path.read_text(), "the end is told")
        kinds = [json.loads(line)["event"] for line in path.read_text().splitlines()]
        assert kinds[:2] == ["start", "opened"]
        assert {"stage", "moment", "closed"} <= set(kinds)
        for line in follower.stdout:
            row = json.loads(line)
            if row.get("target") == target_of(origin) and row["stage"] == "DESTROYED":
                break
        follower.stdout.close()  # who read has enough
        with echoing(local, origin):
            pass
        assert follower.wait(20) == 0
        events.send_signal(signal.SIGINT)
        assert events.wait() == 130
        assert "Traceback" not in events.stderr()

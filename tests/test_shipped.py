"""What is shipped beside the program: it loads, and says what the program says."""

import base64
import configparser
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import click
import pytest

from ssgui.config.classic import parse_classic
from ssgui.config.json_text import parse_json
from ssgui.config.settings import local_settings, server_settings
from ssgui.config.values import ConfigError
from tests.support.origin import Origin
from tests.support.ports import free_port
from tests.support.processes import HOST, METHOD, PASSWORD, running, ssgui_local, wait_until
from tests.support.programs import require
from tests.support.shipped import RESOURCES, command, files
from tests.support.socks_client import receive_all, socks_connect

ROOT = Path(__file__).parents[1]
UNITS = sorted((RESOURCES / "systemd").glob("*.service"))
EXAMPLES = sorted((ROOT / "docs/examples").glob("*.json"))
BIN = Path(sys.executable).parent
# How open to attack systemd thinks a service is: 0 to 100. One without any protection has 96.
MOST_EXPOSURE = 20


def run(*words: str, **environment: str) -> str:
    """What a program writes; AssertionError if it fails, or complains."""
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=50, env={**os.environ, **environment}, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


# ---- the man page


def test_the_man_page_is_what_the_program_says() -> None:
    assert (RESOURCES / "man/ssgui.1").read_text("utf-8") == files()["man/ssgui.1"], "type make man"


def commands(group: click.Group) -> list[click.Command]:
    found: list[click.Command] = [group]
    for one in group.commands.values():
        if not one.hidden:
            found += commands(one) if isinstance(one, click.Group) else [one]
    return found


def test_every_command_and_flag_is_in_it() -> None:
    page = (RESOURCES / "man/ssgui.1").read_text("utf-8").replace("\\-", "-")
    terms = set(re.findall(r"^\.B (.+)$", page, re.MULTILINE))
    flags = {flag for term in terms for flag in re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", term)}
    for one in commands(command()):
        assert one.name is None or re.search(rf"^\.S[SH] .*\b{re.escape(one.name)}\b|^\.TH SSGUI", page, re.MULTILINE)
        for parameter in one.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert set(parameter.opts) <= flags, one.name
    assert {"--workers", "--manager-address", "--metrics", "-c", "--data-dir"} <= flags


def test_the_man_page_can_be_read() -> None:
    groff = require("groff")
    text = run(groff, "-man", "-Tascii", "-ww", "-P-c", str(RESOURCES / "man/ssgui.1"))
    assert "SSGUI(1)" in text
    assert "--manager-address ADDRESS" in re.sub(r".\x08", "", text)


# ---- completions


def completion_environment() -> dict[str, str]:
    return {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "SSGUI_HOME": "/nonexistent"}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [("ssgui --headless server --work", "--workers"), ("ssgui serv", "server"), ("ssgui local --cho", "--choose")],
)
@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_shells_complete(shell: str, words: str, wanted: str) -> None:
    program = require(shell)
    if not (BIN / "ssgui").exists():
        pytest.skip("ssgui: not installed beside this interpreter")
    if shell == "bash":
        parts = words.split()
        script = (
            f"source {RESOURCES}/completions/ssgui.bash; complete -p ssgui >/dev/null || exit 3; "
            f'COMP_WORDS=({words}); COMP_CWORD={len(parts) - 1}; _ssgui_completion ssgui; echo "${{COMPREPLY[@]}}"'
        )
        found = run(program, "--norc", "-c", script, **completion_environment())
    else:
        script = f"source {RESOURCES}/completions/ssgui.fish; complete -C {words!r}"
        found = run(program, "--no-config", "-c", script, **completion_environment())
    assert wanted in found.split()


def test_zsh_loads_it(tmp_path: Path) -> None:
    """By the name that its folders of completions want; zsh itself completes only where somebody types."""
    script = (
        f"fpath=({RESOURCES}/completions $fpath); autoload -Uz compinit; compinit -u -d {tmp_path}/dump; "
        'print -r -- "$_comps[ssgui]"; autoload +X _ssgui && print -r -- loaded'
    )
    assert run(require("zsh"), "-f", "-c", script).split() == ["_ssgui", "loaded"]


# ---- units


def test_there_are_units_for_one_and_for_many() -> None:
    assert [path.name for path in UNITS] == ["ssgui-local@.service", "ssgui-server.service", "ssgui-server@.service"]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units(path: Path, tmp_path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(path)
    service = unit["Service"]
    words = service["ExecStart"].split()
    assert words[:2] == ["/usr/bin/ssgui", "--headless"]
    found = command().commands[words[2]]
    assert words[3] in {flag for parameter in found.params for flag in parameter.opts}
    instance = "@" in path.name
    assert service["RuntimeDirectory"] == ("ssgui-%i" if instance else "ssgui")
    assert service["StateDirectory"] == ("ssgui/%i" if instance else "ssgui")
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert service["User"] in (RESOURCES / "systemd/ssgui.sysusers").read_text()
    analyze = require("systemd-analyze")
    runnable = tmp_path / path.name
    runnable.write_text(path.read_text().replace("/usr/bin/ssgui", sys.executable))
    checked = subprocess.run([analyze, "verify", "--man=no", str(runnable)], capture_output=True, text=True, timeout=50)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    safe = [analyze, "security", "--offline=yes", f"--threshold={MOST_EXPOSURE}", "--no-pager", str(runnable)]
    assert subprocess.run(safe, capture_output=True, timeout=50).returncode == 0


# ---- examples


def with_keys(text: str) -> bytes:
    """An example as somebody has made it his own."""
    tree = parse_json(text.encode())
    kind = str(tree.get("method") or "")

    def own(value: object, method: str) -> object:
        if isinstance(value, dict):
            inner = str(value.get("method") or method)
            return {key: own(item, inner) for key, item in value.items()}
        if isinstance(value, list):
            return [own(item, method) for item in value]
        if value == "mypassword":
            return base64.b64encode(os.urandom(16)).decode() if method.startswith("2022") else "pass phrase"
        return value

    return json.dumps(own(tree, kind)).encode()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_refused_until_they_have_keys_of_their_own(path: Path) -> None:
    text = path.read_text("utf-8")
    with pytest.raises(ConfigError, match="which everybody knows: choose another"):
        parse_classic(text.encode(), {"SSGUI_TWO": "pass phrase"})
    file = parse_classic(with_keys(text), {"SSGUI_TWO": "pass phrase"})
    assert file.warnings == ()
    if "local_port" in text:
        assert local_settings(file.options).servers
    else:
        assert server_settings(file.options)


def test_examples_are_of_every_kind() -> None:
    kinds = {"client.json", "many-servers.json", "many-users.json", "server.json", "several-ports.json"}
    assert {path.name for path in EXAMPLES} == kinds


# ---- what a unit lets the program do


def expanded(names: set[str]) -> set[str]:
    """System calls, with groups (@name) taken apart as systemd knows them."""
    found: set[str] = set()
    for name in names:
        if name.startswith("@"):
            inner = {line.strip() for line in run(require("systemd-analyze"), "syscall-filter", name).splitlines()[1:]}
            found |= expanded({line for line in inner if line and not line.startswith("#")})
        else:
            found.add(name)
    return found


def allowed_calls(unit: Path) -> set[str]:
    """As `SystemCallFilter=` has it: lists that are added, and with ~ taken away, one after the other."""
    allowed: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit.read_text(), re.MULTILINE):
        if line.startswith("~"):
            allowed -= expanded(set(line[1:].split()))
        else:
            allowed |= expanded(set(line.split()))
    return allowed


@pytest.mark.long
def test_a_server_calls_nothing_that_its_unit_forbids(tmp_path: Path) -> None:
    """Workers, managers, counters, UDP, names, a reload and a death: each call of the kernel is on the list."""
    strace, trace, port = require("strace"), tmp_path / "trace", free_port()
    settings, page = tmp_path / "ss.json", free_port()
    tree = {
        "server": HOST, "server_port": port, "method": METHOD, "password": PASSWORD, "workers": 2, "forbidden_ip": "",
        "mode": "tcp_and_udp", "manager_address": str(tmp_path / "manager.sock"), "metrics": str(page),
    }  # fmt: skip
    settings.write_text(json.dumps(tree))
    # From when it runs as itself: what makes ready for that, the unit's filter never sees.
    command = [strace, "-f", "-qq", "-o", str(trace), sys.executable, "-m", "ssgui", "--headless", "server"]
    with ExitStack() as stack:
        origin = stack.enter_context(Origin())
        server = stack.enter_context(running([*command, "-c", str(settings)]))
        wait_until(lambda: "counters are at" in server.stderr(), "it serves", 60)
        local = stack.enter_context(ssgui_local([sys.executable, "-m", "ssgui"], (HOST, port)))
        for name in (HOST, "localhost"):
            with socks_connect(local.address, (name, origin.port)) as sock:
                sock.sendall(b"DOWN 100000\n")
                assert len(receive_all(sock)) == 100_000
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(bytes(100), (HOST, port))
        with urllib.request.urlopen(f"http://{HOST}:{page}/metrics", timeout=30) as counters:
            assert b"ssgui_workers 2" in counters.read()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(tmp_path / "client.sock"))
            manager.settimeout(30)
            for order in (f'add: {{"server_port": {free_port()}, "password": "p"}}', "list", "ping"):
                manager.sendto(order.encode(), str(tmp_path / "manager.sock"))
                assert manager.recv(1 << 16)
        settings.write_text(json.dumps({**tree, "timeout": 200}))
        (supervisor,) = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        os.kill(int(supervisor), signal.SIGHUP)
        wait_until(lambda: "the settings were taken" in server.stderr(), "they were", 60)
        worker = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()[0]
        os.kill(int(worker), signal.SIGKILL)
        wait_until(lambda: "serves again" in server.stderr(), "another worker", 60)
        os.kill(int(supervisor), signal.SIGTERM)
        assert server.wait(30) == 0
    calls = set(
        re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed)", trace.read_text("utf-8", "replace"), re.MULTILINE)
    )
    assert {"epoll_wait", "memfd_create", "accept4", "sendto", "fcntl", "clone"} <= calls
    assert calls - allowed_calls(RESOURCES / "systemd/ssgui-server.service") == set()

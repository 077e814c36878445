"""The command line: what flags mean, and one line with exit code 2 for what they cannot mean."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from ssgui import __version__
from ssgui.app.desktop_job import DesktopJob
from ssgui.app.headless import run as headless
from ssgui.app.headless.job import Job
from ssgui.cli import main
from ssgui.config.models import DEFAULT_FORBIDDEN, PluginSettings, UpstreamProxy
from ssgui.config.secret import Secret
from ssgui.protocol.address import Address

LOCAL = ["local", "-s", "example.com", "-p", "8388", "-k", "pw"]


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("SSGUI_PASSWORD", "SSGUI_UPSTREAM_PROXY"):
        monkeypatch.delenv(name, raising=False)
    root, ours = logging.getLogger(), logging.getLogger("ssgui")
    before = root.handlers[:], root.level, ours.level, logging.raiseExceptions
    yield
    root.handlers[:], logging.raiseExceptions = before[0], before[3]
    root.setLevel(before[1])
    ours.setLevel(before[2])


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """What would have been run."""
    found: list[Job] = []

    def run(job: Job) -> int:
        found.append(job)
        return 0

    monkeypatch.setattr(headless, "run_headless", run)
    return found


# ---- what flags mean


def test_a_client_as_in_the_original(jobs: list[Job]) -> None:
    flags = "-s example.com -p 8388 -k pw -m aes-256-gcm -b 127.0.0.2 -l 1081 -t 200 --user u --pass p --prefer-ipv6"
    assert main(["--headless", "local", *flags.split(), "--uvloop"]) == 0
    (job,) = jobs
    assert job.local is not None
    (server,) = job.local.servers
    assert (server.host, server.port, server.method) == ("example.com", 8388, "aes-256-gcm")
    assert server.password.reveal() == "pw"
    assert (job.local.bind_host, job.local.bind_port, job.local.timeout) == ("127.0.0.2", 1081, 200)
    assert [(name, password.reveal()) for name, password in job.local.users] == [("u", "p")]
    assert job.local.prefer_ipv6
    assert job.uvloop
    assert job.events is None


def test_a_server(jobs: list[Job]) -> None:
    assert main(["--headless", "server", "-k", "pw"]) == 0
    assert main(["server", "--headless", "-s", "::1", "-p", "0", "-k", "pw", "--forbidden-ip", ""]) == 0
    assert main(["server", "-k", "pw", "--forbidden-ip", "10.0.0.0/8,::1"]) == 0
    plain, open_to_all, own_list = (job.servers[0] for job in jobs)
    assert (plain.bind_host, plain.bind_port, plain.forbidden) == ("0.0.0.0", 8388, DEFAULT_FORBIDDEN)
    assert (open_to_all.bind_host, open_to_all.bind_port, open_to_all.forbidden) == ("::1", 0, ())
    assert [str(network) for network in own_list.forbidden] == ["10.0.0.0/8", "::1/128"]


CLIENT_FLAGS = (
    "-u --udp-timeout 20 --plugin obfs-local --plugin-opts obfs=http --bypass-lan --fast-open --mptcp --choose auto "
    "--probe-url http://p/x"
)


@pytest.mark.parametrize("command", ["local", "tunnel -L [::1]:53"])
def test_everything_a_client_can_do(command: str, jobs: list[Job], tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("[proxy_all]\n[bypass_list]\n192.0.2.0/24\n")
    assert main([*command.split(), *LOCAL[1:], *CLIENT_FLAGS.split(), "--acl", str(acl)]) == 0
    local = jobs[0].local
    assert local is not None
    assert local.tunnel == (Address("::1", 53) if command != "local" else None)
    assert (local.udp, local.udp_timeout, local.choice, local.probe_url) == (True, 20, "auto", "http://p/x")
    assert (local.bypass_lan, local.fast_open, local.mptcp) == (True, True, True)
    assert local.servers[0].plugin == PluginSettings("obfs-local", "obfs=http")
    assert local.acl is not None
    assert local.acl.decide("192.0.2.1").route == "direct"


def test_everything_a_server_can_do(jobs: list[Job], tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("[outbound_block_list]\n192.0.2.0/24\n")
    flags = "-k pw -u --udp-timeout 20 --plugin obfs-server --fast-open --mptcp --segmented-header --acl"
    assert main(["server", *flags.split(), str(acl)]) == 0
    (server,) = jobs[0].servers
    assert (server.udp, server.udp_timeout, server.fast_open, server.mptcp) == (True, 20, True, True)
    assert server.plugin == PluginSettings("obfs-server")
    assert server.segmented_header
    assert server.acl is not None
    assert main(["server", "-k", "pw", "--no-segmented-header"]) == 0
    assert jobs[1].servers[0].segmented_header is False
    assert main(["server", "-k", "pw"]) == 0
    assert jobs[2].servers[0].segmented_header is None


def test_an_upstream_proxy(jobs: list[Job], capfd: pytest.CaptureFixture[str]) -> None:
    flags = [*LOCAL, "--upstream-proxy", "socks5://u:p%40@127.0.0.1:9050"]
    assert main(flags) == 0
    assert jobs[0].local is not None
    assert jobs[0].local.upstream_proxy == UpstreamProxy("socks5", "127.0.0.1", 9050, "u", Secret("p@"))
    assert main([*flags, "--plugin", "obfs-local"]) == 2
    assert "its plugin connects by itself" in capfd.readouterr().err


def test_the_upstream_proxy_of_the_environment(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSGUI_UPSTREAM_PROXY", "http://u:secret@h:8080")
    assert main(LOCAL) == 0
    assert "SSGUI_UPSTREAM_PROXY" not in os.environ
    monkeypatch.setenv("SSGUI_UPSTREAM_PROXY", "http://u:secret@h:8080")
    assert main([*LOCAL, "--upstream-proxy", "socks5://g:1"]) == 0
    proxies = [job.local.upstream_proxy for job in jobs if job.local]
    assert proxies == [UpstreamProxy("http", "h", 8080, "u", Secret("secret")), UpstreamProxy("socks5", "g", 1)]
    assert "secret" not in repr(proxies)


def test_a_bad_proxy_of_the_environment_is_not_shown(
    jobs: list[Job], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SSGUI_UPSTREAM_PROXY", "http://u:hunter22@h:http")
    assert main(LOCAL) == 2
    err = capfd.readouterr().err
    assert err.startswith("ssgui: SSGUI_UPSTREAM_PROXY: must be ")
    assert "hunter22" not in err


def test_a_server_without_a_password_makes_one(jobs: list[Job]) -> None:
    assert main(["server", "-p", "1"]) == 0
    assert main(["server", "-p", "1", "--events", "-"]) == 0
    first, second = jobs
    assert first.servers[0].password == first.made
    assert first.made != second.made
    assert (first.links, second.links) == (sys.stdout, sys.stderr)


def test_common_flags_stand_anywhere(jobs: list[Job], tmp_path: Path) -> None:
    password, events = tmp_path / "password", tmp_path / "events"
    password.write_text("from file\n")
    common = ["--headless", "--events", str(events), "--password-file", str(password), "-q", "--data-dir", "/tmp"]
    command = ["local", "-s", "h", "-p", "1"]
    assert main([*common, *command]) == 0
    assert main([*command, *common]) == 0
    assert main([*common[:3], *command, *common[3:], "--log-json"]) == 0
    for job in jobs:
        assert job.local is not None
        assert job.local.servers[0].password.reveal() == "from file"
        assert job.events is not None
        assert job.events.name == str(events)
        assert job.events.closed
    assert len(jobs) == 3


@pytest.mark.parametrize(
    ("flags", "level"),
    [([], logging.INFO), (["-v"], logging.DEBUG), (["-q"], logging.WARNING), (["-v", "-q"], logging.WARNING)],
)
def test_how_much_is_logged(flags: list[str], level: int, jobs: list[Job]) -> None:
    assert main([*flags, *LOCAL]) == 0
    assert logging.getLogger("ssgui").level == level
    assert logging.getLogger().level == logging.WARNING


def test_verbose_adds_up(jobs: list[Job]) -> None:
    assert main(["-v", *LOCAL, "-v"]) == 0
    assert logging.getLogger().level == logging.DEBUG


def test_flags_win_over_the_file(jobs: list[Job], tmp_path: Path) -> None:
    path = tmp_path / "ss.json"
    path.write_text(json.dumps({"server": "a", "server_port": 1, "password": "p", "local_port": 7, "verbose": True}))
    assert main(["local", "-c", str(path)]) == 0
    assert logging.getLogger("ssgui").level == logging.DEBUG
    assert main(["local", "-c", str(path), "-s", "b", "-l", "8", "-q"]) == 0
    assert logging.getLogger("ssgui").level == logging.WARNING
    seen = [(job.local.servers[0].host, job.local.servers[0].port, job.local.bind_port) for job in jobs if job.local]
    assert seen == [("a", 1, 7), ("b", 1, 8)]


def test_which_password_wins(jobs: list[Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, bare, password = tmp_path / "ss.json", tmp_path / "bare.json", tmp_path / "password"
    config.write_text('{"server": "a", "server_port": 1, "password": "config"}')
    bare.write_text('{"server": "a", "server_port": 1}')
    password.write_text("file")
    from_flag, from_file = ["-k", "flag"], ["--password-file", str(password)]
    for flags in (
        [*from_flag, *from_file, "-c", str(config)],
        [*from_file, "-c", str(config)],
        ["-c", str(config)],
        ["-c", str(bare)],
    ):
        monkeypatch.setenv("SSGUI_PASSWORD", "environment")
        assert main(["local", *flags]) == 0
    seen = [job.local.servers[0].password.reveal() for job in jobs if job.local]
    assert seen == ["flag", "file", "config", "environment"]


def test_port_password_is_many_servers(jobs: list[Job], tmp_path: Path) -> None:
    path = tmp_path / "ss.json"
    path.write_text('{"server": "127.0.0.1", "port_password": {"8381": "a", "8382": "b"}}')
    assert main(["server", "-c", str(path)]) == 0
    assert [(one.bind_port, one.password.reveal()) for one in jobs[0].servers] == [(8381, "a"), (8382, "b")]


@pytest.mark.skipif(sys.platform != "linux", reason="workers share a port on Linux only")
def test_workers_that_cannot_be_are_refused_where_they_were_asked_for(
    jobs: list[Job], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ss.json"
    path.write_text('{"server": "a", "server_port": 1, "password": "p", "workers": 4, "plugin": "obfs-server"}')
    assert main(["server", "-c", str(path)]) == 0
    assert jobs[0].workers == 1
    assert "there is nothing to share; one process serves" in capfd.readouterr().err
    assert main(["server", "-c", str(path), "--workers", "2"]) == 2
    assert capfd.readouterr().err.splitlines()[-1].startswith("ssgui: --workers: a plugin is one process")
    assert main(["server", "-c", str(path), "--plugin", ""]) == 0
    assert jobs[1].workers == 4


def test_warnings_are_logged(jobs: list[Job], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ss.json"
    path.write_text('{"server": "a", "server_port": 1, "password": "p", "workers": 4, "timeout": 10}')
    assert main(["local", "-c", str(path), "-u", "-b", "0.0.0.0"]) == 0
    lines = capfd.readouterr().err.splitlines()
    for text in ("workers, managers and metrics are a server's", "timeout of 10 s", "listening on 0.0.0.0"):
        assert [line for line in lines if "WARNING" in line and text in line]
    assert len(lines) == 3
    assert jobs[0].local is not None
    assert jobs[0].local.udp


# ---- the app


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[DesktopJob]:
    """What the app would have been asked to do, where a window can be opened."""
    found: list[DesktopJob] = []

    def run(job: DesktopJob) -> int:
        found.append(job)
        return 0

    monkeypatch.setitem(sys.modules, "ssgui.gui.desktop", SimpleNamespace(run_desktop=run))
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("SSGUI_HOME", str(tmp_path))
    return found


def test_no_command_opens_the_app(opened: list[DesktopJob], tmp_path: Path) -> None:
    assert main([]) == 0
    assert main(["ss://YWVz@h:1", "SS://x"]) == 0
    assert main(["-v", "--data-dir", str(tmp_path / "other")]) == 0
    assert [job.links for job in opened] == [(), ("ss://YWVz@h:1", "SS://x"), ()]
    assert [job.folder.name for job in opened] == [tmp_path.name, tmp_path.name, "other"]
    assert [job.debug for job in opened] == [False, False, True]
    assert all(job.run is None and job.events is None for job in opened)


def test_flags_of_a_client_are_for_one_run(opened: list[DesktopJob]) -> None:
    flags = "-s example.com -p 8388 -k pw -m aes-256-gcm -l 1081 --bypass-lan"
    assert main([*flags.split()]) == 0
    (job,) = opened
    assert job.run is not None
    assert job.run.servers[0].host == "example.com"
    assert job.run.bind_port == 1081
    assert job.run.bypass_lan


def test_a_password_called_like_a_command(opened: list[DesktopJob], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-s", "h", "-p", "1", "-k", "local"]) == 2
    assert "must stand after 'local'" in capsys.readouterr().err
    assert not opened


def test_without_a_display_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert main([]) == 1
    assert "no display" in capsys.readouterr().err


def test_without_qt_it_says_what_to_install(tmp_path: Path) -> None:
    for name in ("PySide6", "qasync"):
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError('No module named {name}', name='{name}')")
    env = os.environ | {"PYTHONPATH": os.pathsep.join((str(tmp_path), os.getcwd())), "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "ssgui", "--data-dir", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 1
    assert "pip install 'ssgui[gui]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


# ---- mistakes


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["--headless"], "--headless needs a command"),
        (["--headless", "ss://YWVz@h:1"], "--headless needs a command"),
        (["--uvloop"], "without a window"),
        (["ss://YWVz@h:1", "-s", "h", "-p", "1", "-k", "pw"], "give one or the other"),
        (["-s", "h", "-p", "1"], "no password"),
        (["-l", "1081"], "no server: "),
        (["frobnicate"], "'frobnicate' is no command"),
        (["https://h/"], "'https://h/' is no command, and no ss:// link"),
        (["-s", "h", "local"], "-s must stand after 'local'"),
        (["--frobnicate"], "No such option '--frobnicate'"),
        (["local"], "no server: "),
        (["local", "-s", "h", "-k", "pw"], "no server port"),
        (["local", "-s", "h", "-p", "1"], "no password"),
        ([*LOCAL, "-p", "0"], "'-p': '0' is no port"),
        ([*LOCAL, "-p", "http"], "'-p': 'http' is no port"),
        ([*LOCAL, "-l", "65536"], "'-l': '65536' is no port"),
        ([*LOCAL, "-m", "rot13"], "'-m': "),
        ([*LOCAL, "-m", "aes-256-cfb"], "aes-256-cfb is an old method "),
        ([*LOCAL, "-m", "salsa20", "--allow-legacy", "salsa20"], "no library here has it"),
        ([*LOCAL, "-m", "2022-blake3-chacha8-poly1305"], "'-m': "),
        ([*LOCAL, "-b", "http://x"], "'-b': 'http://x' is no host"),
        ([*LOCAL, "-s", ""], "'-s': the host is empty"),
        ([*LOCAL, "-k", ""], "'-k': the password is empty"),
        ([*LOCAL, "-k", "mypassword"], "'-k': the password is the one of the sample"),
        ([*LOCAL, "-t", "soon"], "'-t': 'soon' is not a valid float"),
        ([*LOCAL, "-t", "-1"], "'-t': -1.0 is no time"),
        ([*LOCAL, "--user", "u"], "--user and --pass"),
        ([*LOCAL, "--user", "u", "--pass", "x" * 256], "at most 255 bytes"),
        ([*LOCAL, "--forbidden-ip", ""], "No such option '--forbidden-ip'"),
        ([*LOCAL, "--plugin-opts", "a=b"], "--plugin-opts are the options of a --plugin"),
        ([*LOCAL, "--acl", "/no/such.acl"], "/no/such.acl: No such file"),
        ([*LOCAL, "--udp-timeout", "-1"], "'--udp-timeout': -1.0 is no time"),
        ([*LOCAL, "--choose", "best"], "'--choose': 'best' is not one of 'fixed', 'random', 'auto'"),
        ([*LOCAL, "--probe-url", "https://h/"], "'--probe-url': must be http://HOST"),
        ([*LOCAL, "--upstream-proxy", "socks4://h:1"], "'--upstream-proxy': must be socks5://HOST:PORT"),
        ([*LOCAL, "--allow-legacy", "rot13"], "'--allow-legacy': "),
        ([*LOCAL, "--allow-legacy", "aes-256-gcm"], "'--allow-legacy': aes-256-gcm is no old method"),
        ([*LOCAL, "--segmented-header"], "No such option '--segmented-header'"),
        ([*LOCAL, "-m", "2022-blake3-aes-256-gcm"], "server example.com:8388: the password "),
        (["server", "-k", "pw", "-m", "2022-blake3-aes-128-gcm"], "server 0.0.0.0:8388: the password "),
        (["server", "-k", "pw", "--bypass-lan"], "No such option '--bypass-lan'"),
        (["tunnel", *LOCAL[1:]], "no target: give -L HOST:PORT"),
        (["tunnel", *LOCAL[1:], "-L", "h"], "'-L': must be HOST:PORT"),
        (["tunnel", *LOCAL[1:], "-L", "::1:80"], "'-L': must be HOST:PORT"),
        (["tunnel", *LOCAL[1:], "-L", "h:0"], "'-L': '0' is no port"),
        (["tunnel", *LOCAL[1:], "-L", "h:1", "--user", "u"], "No such option '--user'"),
        (["-L", "h:1", "tunnel"], "-L must stand after 'tunnel'"),
        ([*LOCAL, "-L", "h:1"], "No such option '-L'"),
        ([*LOCAL, "extra"], "unexpected extra argument"),
        ([*LOCAL, "-k"], "'-k' requires an argument"),
        ([*LOCAL, "-c", "/no/such.json"], "/no/such.json: No such file"),
        (["local", "--password-file", "/no/such"], "/no/such: No such file"),
        ([*LOCAL, "--events", "/no/such/file"], "--events /no/such/file: No such file"),
        (["server", "--workers", "0"], "'--workers': must be a number of processes, 1 to 128"),
        (["server", "--metrics", "192.0.2.1:9100"], "'--metrics': must be an address of this computer alone"),
        (["server", "--manager-address", "0.0.0.0:6001"], "'--manager-address': must be an address of this computer"),
        ([*LOCAL, "--workers", "2"], "No such option '--workers'"),
        (["server", "-l", "1080"], "No such option '-l'"),
        (["server", "--forbidden-ip", "localhost"], "'--forbidden-ip': 'localhost' is no address"),
        (["demo", "--events", "-"], "--events is for local, tunnel and server"),
        (["demo", "-s", "h"], "No such option '-s'"),
    ],
)
def test_a_mistake_is_one_line(
    command: list[str], message: str, jobs: list[Job], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 2
    out, err = capfd.readouterr()
    assert message in err
    assert err.startswith("ssgui: ")
    assert err.count("\n") == 1
    assert out == ""
    assert jobs == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"server": "h",\n "server_port": }', "line 2, column 17"),
        ('{"server": "h", "server_port": 1, "password": "p", "method": "rot13"}', '"method": '),
        ('{"server": "h", "server_port": 1, "password": "p", "auth": true}', '"auth": One-Time Auth is gone'),
        ('{"server": "h\\n\\u001b[31m", "server_port": 1}', '"server": '),
    ],
)
def test_a_mistake_in_the_file(
    text: str, message: str, tmp_path: Path, jobs: list[Job], capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ss.json"
    path.write_text(text)
    assert main(["local", "-c", str(path)]) == 2
    err = capfd.readouterr().err
    assert err.startswith(f"ssgui: {path}: ")
    assert message in err
    assert err.count("\n") == 1
    assert err.rstrip("\n").isprintable()


def test_what_nobody_foresaw_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(job: Job) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(headless, "run_headless", fail)
    with pytest.raises(ZeroDivisionError):
        main(LOCAL)


def test_ctrl_c_at_the_wrong_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(job: Job) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(headless, "run_headless", interrupt)
    assert main(LOCAL) == 130


# ---- help and start-up


@pytest.mark.parametrize(
    "command", [["-h"], ["--help"], ["local", "-h"], ["server", "--help"], ["tunnel", "-h"], ["demo", "-h"]]
)
def test_help(command: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 0
    out, err = capfd.readouterr()
    assert out.startswith("Usage: ssgui ")
    assert "--password-file" in out
    assert err == ""


@pytest.mark.parametrize("command", [["--version"], ["local", "--version"]])
def test_version(command: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 0
    assert capfd.readouterr().out == f"ssgui {__version__}\n"


def test_the_module_runs() -> None:
    command = [sys.executable, "-m", "ssgui", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == f"ssgui {__version__}\n"


HEAVY = ("PySide6", "qasync", "httpx", "segno", "rich", "aiodns", "pycares", "keyring")
PROGRAM = """
import sys
from ssgui.app.headless import run as headless
from ssgui.cli import main
headless.run_headless = lambda job: 0
code = main(sys.argv[1:])
print(code, *(name for name in {heavy} if name in sys.modules))
"""


def test_a_start_loads_nothing_it_does_not_use() -> None:
    command = [sys.executable, "-c", PROGRAM.format(heavy=HEAVY), "--headless", *LOCAL]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "0\n"

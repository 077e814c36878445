"""`ssgui link`, `import` and `export`: what they print where, and their exit codes."""

import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssgui.cli import main
from ssgui.config.app_config import AppConfig, Server
from ssgui.config.documents import read_document
from ssgui.config.secret import Secret
from ssgui.config.store import Store
from tests.config.documents import samples

Say = tuple[int, str, str]
Run = Callable[..., Say]
ONE, TWO = samples.LINK, samples.OTHER


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(*arguments: str, stdin: bytes = b"") -> Say:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def gui_config(tmp_path: Path) -> str:
    path = tmp_path / "gui-config.json"
    path.write_bytes(samples.GUI_CONFIG)
    return str(path)


def objects(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_decode(run: Run) -> None:
    code, out, err = run("link", "decode", ONE, TWO)
    assert (code, err) == (0, "")
    first, second = objects(out)
    assert first == {
        "server": "192.0.2.1", "server_port": 8388, "method": "aes-128-gcm", "password": "test", "plugin": "",
        "plugin_opts": "", "remarks": "one",
    }  # fmt: skip
    assert second["remarks"] == "two"


@pytest.mark.parametrize("stdin", [f"{ONE}\n{TWO}".encode(), samples.PACKED])
def test_decode_from_standard_input(run: Run, stdin: bytes) -> None:
    for arguments in ((), ("-",)):
        code, out, _ = run("link", "decode", *arguments, stdin=stdin)
        assert code == 0
        assert len(objects(out)) == 2


def test_decode_says_what_it_could_not(run: Run) -> None:
    text = f"{ONE}\nssr://x\nss://aes-256-gcm:hunter2@h:0\nssconf://u@h.example/hunter2"
    code, out, err = run("link", "decode", text, "nothing")
    assert code == 0
    assert len(objects(out)) == 1
    assert [line.split(":")[:3] for line in err.splitlines()] == [
        ["ssgui", " argument 1", " link 2 (line 2)"], ["ssgui", " argument 1", " link 3 (line 3)"],
        ["ssgui", " argument 1", " link 4 (line 4)"], ["ssgui", " argument 2", " there is no link in it"],
    ]  # fmt: skip
    assert "hunter2" not in err


def test_decode_remarks(run: Run) -> None:
    code, out, err = run("link", "decode", "ss://odd-cipher:p@h:1?prefix=x#a%1b%5b31m%e2%80%ae")
    assert code == 0
    assert objects(out)[0]["method"] == "odd-cipher"
    assert objects(out)[0]["remarks"] == "a\x1b[31m\u202e"
    assert out.rstrip("\n").isprintable()
    assert "odd-cipher" in err
    assert "prefix" in err


@pytest.mark.parametrize("link", ["ss://aes-256-gcm:hunter2@h:x", "vmess://x", "hello", ""])
def test_decode_of_nothing(run: Run, link: str) -> None:
    code, out, err = run("link", "decode", link)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "hunter2" not in err


def test_link_alone(run: Run) -> None:
    code, out, err = run("link")
    assert (code, out) == (2, "")
    assert "Missing command" in err


def test_encode_undoes_decode(run: Run, tmp_path: Path) -> None:
    links = [ONE, TWO, "ss://cmM0LW1kNTpwYXNz@[2001:db8::1]:1/?plugin=obfs-local%3Bobfs%3Dhttp#%E9%A6%99"]
    _, lines, _ = run("link", "decode", *links)
    for count in (1, 3):
        some = "".join(f"{line}\n" for line in lines.splitlines()[:count])
        code, out, _ = run("link", "encode", stdin=some.encode())
        assert code == 0
        assert out.splitlines() == links[:count]
    path = tmp_path / "config.json"
    path.write_bytes(samples.CLASSIC)
    code, out, _ = run("link", "encode", str(path))
    assert (code, len(out.splitlines())) == (0, 2)


def test_import(run: Run, gui_config: str) -> None:
    code, out, err = run("import", gui_config)
    assert code == 0
    assert out.splitlines() == [
        "gui-config.json of shadowsocks-windows: 2 servers",
        "  example.com:8388  chacha20-ietf-poly1305  HK 1",
        "  192.0.2.3:443  aes-256-cfb",
    ]
    assert "ssgui: skipped: entry 6: '70000' is no port (1 to 65535)" in err.splitlines()
    assert "ssgui: merged: entry 5: the same server as entry 2" in err.splitlines()
    assert 'ssgui: setting: "hotkey": is not imported' in err.splitlines()


def test_import_for_programs(run: Run, gui_config: str) -> None:
    code, out, err = run("import", "--json", gui_config)
    assert (code, err) == (0, "")
    (tree,) = objects(out)
    assert [one["server"] for one in tree["servers"]] == ["example.com", "192.0.2.3"]
    assert tree["servers"][1]["plugin_args"] == "-v 'a b'"
    assert {"severity": "skipped", "where": "entry 1", "what": "it has no server address"} in tree["notes"]
    assert tree["settings"]["local_port"] == 1081
    again = run("import", "-", "--json", stdin=json.dumps(tree).encode())
    assert objects(again[1])[0]["servers"][0]["group"] == "https://sub.example/x"


@pytest.mark.parametrize("data", [b"", b"\0\0", b"hello", b'{"server": "h", "server_port": 1}', samples.OUTLINE_ERROR])
def test_import_of_nothing(run: Run, data: bytes) -> None:
    code, out, err = run("import", "-", stdin=data)
    assert (code, out) == (2, "")
    assert err.startswith("ssgui: standard input: ")


def test_import_of_what_is_not_there(run: Run, tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        code, _, err = run("import", str(path))
        assert code == 2
        assert str(path) in err


@pytest.mark.parametrize("form", ["links", "sip008", "gui-config"])
def test_export(run: Run, gui_config: str, tmp_path: Path, form: str) -> None:
    path = tmp_path / "out"
    path.write_text("before")
    code, out, err = run("export", str(path), "--format", form, "--from", gui_config)
    assert (code, out) == (0, "")
    assert f"{path}: 2 servers written" in err
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before, after = read_document(samples.GUI_CONFIG), read_document(path.read_bytes())
    if form == "links":
        assert "the arguments of its plugin has no place in a link" in err
        assert [one.remarks for one in after.profiles] == ["HK 1", ""]
    else:
        assert after.format == form
        assert after.profiles == before.profiles
    assert run("export", "-", "--format", form, "-c", gui_config)[1].count("example.com") >= 1
    assert sorted(one.name for one in tmp_path.iterdir()) == ["gui-config.json", "out"]


def test_export_keeps_ids_and_what_it_does_not_know(run: Run) -> None:
    _, out, err = run("export", "-", "--format", "sip008", "--from", "-", stdin=samples.SIP008)
    tree = json.loads(out)
    assert tree["version"] == 1
    assert tree["servers"][0] == json.loads(samples.SIP008)["servers"][0]
    assert "kept" in err


def test_export_of_what_the_app_has(run: Run, tmp_path: Path) -> None:
    code, _, err = run("--data-dir", str(tmp_path), "export", "-", "--format", "links")
    assert code == 2
    assert "--from" in err
    server = Server(id="a", host="192.0.2.1", port=8388, method="aes-128-gcm", password=Secret("test"), remarks="one")
    Store(tmp_path).save(AppConfig(servers=(server,)))
    for arguments in (("--data-dir", str(tmp_path), "export"), ("export", "--data-dir", str(tmp_path))):
        assert run(*arguments, "-", "--format", "links")[1] == f"{ONE}\n"


def test_export_to_no_file(run: Run, gui_config: str, tmp_path: Path) -> None:
    for target in (tmp_path, tmp_path / "no" / "file"):
        code, _, err = run("export", str(target), "--format", "links", "--from", gui_config)
        assert code == 2
        assert str(target) in err


def test_in_a_process(tmp_path: Path) -> None:
    path = tmp_path / "links"
    path.write_text(f"{ONE}#\u9999\U0001f600\n")
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    for command in (["import", str(path)], ["import", str(path), "--json"], ["link", "decode", path.read_text()]):
        done = subprocess.run(
            [sys.executable, "-m", "ssgui", *command], capture_output=True, text=True, timeout=60, env=environment
        )
        assert (done.returncode, done.stderr) == (0, "")
        if command[0] == "link" or "--json" in command:
            assert "\U0001f600" in str(json.loads(done.stdout))

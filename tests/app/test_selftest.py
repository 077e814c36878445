"""`ssgui selftest`: it passes here, and says what is wrong where something is."""

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from ssgui.app.selftest import command as selftest
from ssgui.app.selftest import relays as selftest_relays
from ssgui.app.selftest.command import Check, SelftestError, run_selftest
from ssgui.app.selftest.pac import Sample, serve_pac
from ssgui.app.selftest.relays import relay_everything
from ssgui.engine.leg import Leg
from ssgui.protocol.methods import METHODS
from ssgui.protocol.sip022 import METHODS_2022
from ssgui.protocol.stream_ciphers import STREAM_METHODS
from tests.support.app import OFFSCREEN
from tests.support.processes import ROOT
from tests.test_architecture import BLOCK_QT


def run(*checks: Check, window: bool = True) -> tuple[int, list[str], list[str]]:
    said: list[str] = []
    complained: list[str] = []
    code = run_selftest(said.append, complained.append, (lambda *_: checks) if window else None, "no Qt")
    return code, said, complained


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "relay_everything", lambda: "as good as new")
    monkeypatch.setattr(selftest, "serve_pac", lambda folder: Sample(b"pac", "a type", []))


def test_the_whole_of_it_as_people_run_it() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "ssgui", "selftest"], capture_output=True, text=True, timeout=60,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **OFFSCREEN}, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "ok  relay", "ok  serve the PAC", "ok  evaluate the PAC", "ok  load the icons", "ok  load the translations",
        "ok  open and close the window", "everything works",
    ]  # fmt: skip
    assert f"each of {len(METHODS) + len(METHODS_2022) + len(STREAM_METHODS)} methods" in lines[0]


def test_without_qt_it_says_so_and_is_content() -> None:
    code = BLOCK_QT.replace('" is blocked")', '" is blocked", name=name)')
    code += "\nfrom ssgui.cli import main\nsys.exit(main(['selftest']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "--  the window was not tried, nor the PAC run: PySide6" in done.stdout
    assert done.stdout.endswith("everything works\n")


@pytest.mark.usefixtures("quick")
def test_each_failure_is_one_line_and_the_rest_is_tried() -> None:
    def breaks() -> str:
        raise SelftestError("the page servers\nis empty")

    def surprises() -> str:
        raise KeyError("what nobody expected")

    code, said, complained = run(Check("one", breaks), Check("two", surprises), Check("three", lambda: "well"))
    assert code == 1
    assert complained == ["failed: one: the page servers is empty", "failed: two: KeyError: 'what nobody expected'"]
    assert said[-2].startswith("ok  three: well (")
    assert said[-1] == "2 of 5 failed"


@pytest.mark.usefixtures("quick")
def test_it_passes_without_a_window() -> None:
    code, said, complained = run(window=False)
    assert (code, complained) == (0, [])
    assert said[-2:] == ["--  the window was not tried, nor the PAC run: no Qt", "everything works"]


def test_a_method_that_damages_data_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest_relays, "METHODS", ("aes-256-gcm",))
    monkeypatch.setattr(selftest_relays, "METHODS_2022", ())
    monkeypatch.setattr(selftest_relays, "STREAM_METHODS", ())
    send = Leg.send
    monkeypatch.setattr(Leg, "send", lambda leg, view: send(leg, memoryview(bytes(view[:-1]) + b"!" if view else view)))
    with pytest.raises(OSError, match="aes-256-gcm: "):
        relay_everything()
    monkeypatch.setattr(Leg, "send", send)
    relay_everything()

    async def nothing(*_: object) -> bytes:
        return b""

    monkeypatch.setattr(selftest_relays, "_by_udp", nothing)
    with pytest.raises(OSError, match="aes-256-gcm: what came back by UDP is not what was sent"):
        relay_everything()


def test_a_relay_that_hangs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest_relays, "_SECONDS", 0.05)
    monkeypatch.setattr(selftest_relays, "_relay", lambda *_: asyncio.sleep(60))
    with pytest.raises(OSError, match=r"aes-128-gcm: nothing within 0\.05 s"):
        relay_everything()


def test_the_pac_is_that_of_the_rules(tmp_path: Path) -> None:
    sample = serve_pac(tmp_path / "x")
    assert b"function FindProxyForURL" in sample.pac
    answers = {host: answer for _, host, answer in sample.wanted}
    assert answers["google.com"].startswith("PROXY 127.0.0.1:")
    assert answers["example.org"] == answers["10.1.2.3"] == answers["localhost"] == "DIRECT"
    assert len(answers) > 50


@pytest.mark.parametrize(
    ("content", "kind", "open_door", "why"),
    [
        (b"function FindProxyForURL", "text/html", False, "answers 200 and text/html"),
        (b"<html>", "application/x-ns-proxy-autoconfig", False, "is no PAC"),
        (b"function FindProxyForURL", "application/x-ns-proxy-autoconfig", True, "does not know its secret"),
    ],
)
def test_a_pac_that_is_served_wrongly_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, kind: str, open_door: bool, why: str
) -> None:
    def get(client: httpx.Client, url: str) -> httpx.Response:
        secret = "?" in url or open_door
        return httpx.Response(
            200 if secret else 400, headers={"content-type": kind}, content=content if secret else b""
        )

    monkeypatch.setattr(httpx.Client, "get", get)
    with pytest.raises(OSError, match=why):
        serve_pac(tmp_path / "x")


def test_an_installation_without_its_rules_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("[AutoProxy 0.2.9]\n||example.org\n")
    monkeypatch.setattr("ssgui.services.rules.lists.asset", lambda name: empty)
    answers = {host: answer for _, host, answer in serve_pac(tmp_path / "x").wanted}
    assert answers["example.org"].startswith("PROXY")
    empty.write_text("[AutoProxy 0.2.9]\n@@||example.org\n")
    with pytest.raises(OSError, match="send nothing through the proxy"):
        serve_pac(tmp_path / "y")

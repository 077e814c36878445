"""`ssgui demo` as somebody types it."""

import signal
from collections.abc import Sequence

import pytest

from tests.e2e.curl import curl
from tests.support.processes import Process, running, wait_until

_PROOF = 30


@pytest.mark.parametrize("flags", [["--once"], ["--headless", "--once"]])
def test_once(ssgui_command: Sequence[str], flags: list[str]) -> None:
    with running([*ssgui_command, "demo", *flags]) as process:
        assert process.wait(_PROOF) == 0, process.stdout()
        assert "SHA-256 as sent" in process.stdout()
        assert process.stderr() == ""


def test_once_where_the_terminal_knows_ascii_only(ssgui_command: Sequence[str]) -> None:
    with running([*ssgui_command, "demo", "--once"], env={"PYTHONIOENCODING": "ascii", "COLUMNS": "40"}) as process:
        assert process.wait(_PROOF) == 0, process.stderr()
        assert process.stdout().isascii()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_proxy_stays_until_it_is_stopped(ssgui_command: Sequence[str], number: int) -> None:
    with running([*ssgui_command, "demo"]) as process:
        command = wait_until(lambda: _curl_line(process), "the line to try", _PROOF).split()
        host, port = command[2].split(":")
        answer = curl((host, int(port)), command[-1])
        assert b"It works" in answer.body
        wait_until(lambda: process.stdout().count("finished:") == 4, "both ends of curl's connection")
        process.send_signal(number)
        assert process.wait() == 0
        assert process.stderr() == ""


def _curl_line(process: Process) -> str:
    process.require_running()
    return next((line for line in process.stdout().splitlines() if "curl --socks5-hostname" in line), "")

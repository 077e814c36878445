"""A real DNS question through a tunnel: dig here, dnsmasq at the other end, UDP and TCP."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.support.ports import free_port
from tests.support.processes import HOST, PASSWORD, Process, running, ssgui_program, ssgui_server
from tests.support.programs import require

NAME = "ssgui.test"
ADDRESS = "192.0.2.7"
LARGE = ["x" * 200 + str(number) for number in range(9)]  # no datagram of 512 bytes holds these
_NO_ANSWER = 9  # dig's exit code
METHODS = ("aes-256-gcm", "2022-blake3-aes-128-gcm", "2022-blake3-chacha20-poly1305")
KEYS = {
    "aes-256-gcm": (PASSWORD, "not the password"),
    "2022-blake3-aes-128-gcm": ("AAECAwQFBgcICQoLDA0ODw==", "AQECAwQFBgcICQoLDA0ODw=="),
    "2022-blake3-chacha20-poly1305": (
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ),
}


@dataclass
class Names:
    """A name server: where it listens, and the program."""

    port: int
    process: Process

    def questions(self) -> int:
        """How many it has been asked."""
        return len(re.findall(r"query\[", self.process.stderr()))


@pytest.fixture(scope="module")
def names() -> Iterator[Names]:
    port = free_port()
    command = [
        require("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file=",
        f"--port={port}", f"--listen-address={HOST}", "--bind-interfaces", "--log-facility=-", "--log-queries",
        f"--host-record={NAME},{ADDRESS}", f"--txt-record={NAME},{','.join(LARGE)}",
    ]  # fmt: skip
    with running(command, port=port) as process:
        yield Names(port, process)


@contextmanager
def tunnel(command: Sequence[str], server: tuple[str, int], target: str, method: str, password: str) -> Iterator[int]:
    """The port of a tunnel to `target`, TCP and UDP."""
    port = free_port()
    own = ["-s", HOST, "-p", str(server[1]), "-m", method, "-b", HOST, "-l", str(port), "-L", target, "-u"]
    with ssgui_program(command, "tunnel", port, own, password):
        yield port


def dig(port: int, *question: str) -> subprocess.CompletedProcess[str]:
    """Ask once; an answer within 5 s."""
    command = [require("dig"), f"@{HOST}", "-p", str(port), "+short", "+tries=1", "+time=5", *question]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("method", METHODS)
def test_a_question_over_udp_and_tcp(method: str, names: Names, ssgui_program: Sequence[str]) -> None:
    right, wrong = KEYS[method]
    with (
        ssgui_server(ssgui_program, method=method, password=right, flags=["-u"]) as server,
        tunnel(ssgui_program, server.address, f"{HOST}:{names.port}", method, right) as port,
        tunnel(ssgui_program, server.address, f"{HOST}:{names.port}", method, wrong) as wrong_port,
    ):
        for how in ("+notcp", "+tcp"):
            assert dig(port, how, NAME, "A").stdout.split() == [ADDRESS]
        # A datagram cannot hold it: dig comes again over TCP.
        large = dig(port, "+bufsize=512", NAME, "TXT").stdout
        assert re.findall(r'"(\w+)"', large) == LARGE
        asked = names.questions()
        for how in ("+notcp", "+tcp"):
            assert dig(wrong_port, how, "+time=1", NAME, "A").returncode == _NO_ANSWER
        assert names.questions() == asked


def test_a_target_by_name(names: Names, ssgui_program: Sequence[str]) -> None:
    with (
        ssgui_server(ssgui_program, flags=["-u"]) as server,
        tunnel(ssgui_program, server.address, f"localhost:{names.port}", "aes-256-gcm", PASSWORD) as port,
    ):
        assert dig(port, "+notcp", NAME, "A").stdout.split() == [ADDRESS]

"""Why a connection ended: what each end says, and what the program at the near end sees."""

import json
import signal
import socket
import struct
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Pair
from tests.e2e.curl import PROXY_ERROR, TIMED_OUT, curl
from tests.e2e.name_server import EmptyNameServer
from tests.support.origin import Origin
from tests.support.ports import free_port
from tests.support.processes import (
    HOST,
    METHOD,
    PASSWORD,
    Connection,
    Program,
    ssgui_local,
    ssgui_server,
)
from tests.support.socks_client import receive_all, receive_exactly, socks_connect
from tests.support.wire import first_flight, salt_for, seal

Command = Sequence[str]


def ended(program: Program, count: int = 1) -> Connection:
    """The last connection of `program`, once `count` have ended."""
    return program.events.wait_closed(count)[-1]


def echoing(proxy: tuple[str, int], origin: Origin) -> socket.socket:
    """A connection through `proxy` that is in STREAM at both ends."""
    sock = socks_connect(proxy, origin.address)
    sock.sendall(b"ECHO\nx")
    assert receive_exactly(sock, 1) == b"x"
    return sock


def reset(sock: socket.socket) -> None:
    """Close with a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


# ---- before anything streams


def test_server_down(ssgui_command: Command) -> None:
    with ssgui_local(ssgui_command, (HOST, free_port())) as local:
        answer = curl(local.address, "http://example.com/")
        assert answer.code == PROXY_ERROR
        assert "(5)" in answer.error  # RFC 1928: connection refused
        connection = ended(local)
    assert connection.reason == "connect-refused"
    assert connection.names == ["INIT", "ADDR", "DNS", "CONNECTING", "DESTROYED"]
    assert connection.target == "example.com:80"


def test_server_whose_name_does_not_resolve(ssgui_command: Command) -> None:
    with ssgui_local(ssgui_command, ("no-such-server.invalid", 8388)) as local:
        answer = curl(local.address, "http://example.com/")
        assert answer.code == PROXY_ERROR
        assert "(4)" in answer.error  # RFC 1928: host unreachable
        connection = ended(local)
    assert connection.reason == "dns-failed"
    assert connection.names == ["INIT", "ADDR", "DNS", "DESTROYED"]


def test_target_whose_name_does_not_resolve(ssgui_command: Command, tmp_path: Path) -> None:
    with EmptyNameServer() as names:
        path = tmp_path / "config.json"
        path.write_text(json.dumps({"nameserver": names.address}))
        with (
            ssgui_server(ssgui_command, flags=["-c", str(path)]) as server,
            ssgui_local(ssgui_command, server.address) as local,
        ):
            answer = curl(local.address, "http://no-such-name.example/")
            at_server, at_client = ended(server), ended(local)
    assert answer.code != 0
    assert names.questions > 0
    assert at_server.reason == "dns-failed"
    assert at_server.names == ["INIT", "DNS", "DESTROYED"]
    assert at_server.target == "no-such-name.example:80"
    assert at_client.reason in ("server-reset", "no-answer")


def test_target_that_refuses(pair: Pair) -> None:
    answer = curl(pair.local.address, f"http://{HOST}:{free_port()}/")
    assert answer.code != 0
    assert ended(pair.server).reason == "connect-refused"
    assert ended(pair.server).names == ["INIT", "DNS", "CONNECTING", "DESTROYED"]
    assert "STREAM" in ended(pair.local).names


def test_target_that_is_forbidden(ssgui_command: Command, origin: Origin) -> None:
    with (
        ssgui_server(ssgui_command, flags=["--forbidden-ip", "127.0.0.0/8,::1"]) as server,
        ssgui_local(ssgui_command, server.address) as local,
    ):
        for host in (HOST, "localhost"):
            assert curl(local.address, f"http://{host}:{origin.port}/10").code != 0
        reasons = [one.reason for one in server.events.wait_closed(2)]
    assert reasons == ["denied", "denied"]
    assert origin.accepted == 0


def test_wrong_password(ssgui_command: Command, origin: Origin) -> None:
    with (
        ssgui_server(ssgui_command) as server,
        ssgui_local(ssgui_command, server.address, password="another one") as local,
    ):
        answer = curl(local.address, f"http://{HOST}:{origin.port}/10", "--max-time", "1")
        assert (answer.code, answer.body) == (TIMED_OUT, b"")  # it waits in vain: the server stays silent
        at_server, at_client = ended(server), ended(local)
    assert at_server.reason == "auth-failed"
    assert at_server.names == ["INIT", "DESTROYED"]
    assert at_client.reason == "no-answer"
    assert (at_client.closed or {})["down"] == 0
    assert origin.accepted == 0


def test_replayed_first_flight(ssgui_command: Command, origin: Origin) -> None:
    flight = first_flight(METHOD, PASSWORD, salt_for(METHOD), origin.address, b"EOF\n")
    with ssgui_server(ssgui_command) as server:
        for _ in range(2):
            with socket.create_connection(server.address) as sock:
                sock.sendall(flight)
                sock.shutdown(socket.SHUT_WR)
                receive_all(sock)
        first, second = server.events.wait_closed(2)
    assert (first.reason, second.reason) == ("finished", "replay")
    assert origin.accepted == 1


def test_nonsense_instead_of_socks(pair: Pair) -> None:
    with socket.create_connection(pair.local.address, timeout=10) as sock:
        sock.sendall(b"\x16\x03\x01 this is no SOCKS")
        assert receive_all(sock) == b""
    assert ended(pair.local).reason == "bad-request"


# ---- while it streams


@pytest.mark.parametrize("at", ["client", "server"])
def test_idle(ssgui_command: Command, origin: Origin, at: str) -> None:
    short = ["-t", "1"]
    with (
        ssgui_server(ssgui_command, flags=short if at == "server" else ()) as server,
        ssgui_local(ssgui_command, server.address, flags=short if at == "client" else ()) as local,
    ):
        with closing(echoing(local.address, origin)) as sock, pytest.raises(ConnectionResetError):
            sock.recv(1)
        reasons = ended(local).reason, ended(server).reason
    assert reasons == (("idle-timeout", "client-reset") if at == "client" else ("server-reset", "idle-timeout"))


def test_reset_by_the_program(pair: Pair, origin: Origin) -> None:
    reset(echoing(pair.local.address, origin))
    assert ended(pair.local).reason == "client-reset"
    assert ended(pair.server).reason == "client-reset"


def test_reset_by_the_target(pair: Pair, origin: Origin) -> None:
    with socks_connect(pair.local.address, origin.address) as sock:
        sock.sendall(b"RESET 1000\n")
        receive_exactly(sock, 1000)
        sock.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    assert ended(pair.server).reason == "server-reset"
    assert ended(pair.local).reason == "server-reset"


def test_client_that_cuts_a_chunk_short(ssgui_command: Command, origin: Origin) -> None:
    stream = first_flight(METHOD, PASSWORD, salt_for(METHOD), origin.address, b"ECHO\n" + bytes(20_000))
    with ssgui_server(ssgui_command) as server, socket.create_connection(server.address, timeout=10) as sock:
        sock.sendall(stream[:-1])
        assert sock.recv(1)
        sock.shutdown(socket.SHUT_WR)
        with pytest.raises(ConnectionResetError):
            receive_all(sock)
        assert ended(server).reason == "truncated"


def test_server_that_cuts_a_chunk_short(ssgui_command: Command) -> None:
    stream = seal(METHOD, PASSWORD, salt_for(METHOD), bytes(20_000))
    with (
        socket.create_server((HOST, 0)) as listener,
        ssgui_local(ssgui_command, listener.getsockname()[:2]) as local,
        socks_connect(local.address, ("example.com", 80)) as sock,
    ):
        sock.sendall(b"hello")
        with listener.accept()[0] as accepted:
            assert accepted.recv(1 << 16)
            accepted.sendall(stream[:-1])
        # What came whole is delivered; the end is a reset, so no program takes the rest for complete.
        assert receive_exactly(sock, 0x3FFF) == bytes(0x3FFF)
        with pytest.raises(ConnectionResetError):
            receive_all(sock)
        assert ended(local).reason == "truncated"


def test_half_close_still_gets_the_whole_answer(pair: Pair, origin: Origin) -> None:
    with socks_connect(pair.local.address, origin.address) as sock:
        sock.sendall(b"EOF\n" + bytes(100_000))
        sock.shutdown(socket.SHUT_WR)
        assert len(receive_all(sock)) == 64
    assert ended(pair.local).reason == "finished"
    assert ended(pair.server).reason == "finished"


# ---- because a process ends


@pytest.mark.parametrize("which", ["local", "server"])
def test_shutdown(pair: Pair, origin: Origin, which: str) -> None:
    program: Program = getattr(pair, which)
    with closing(echoing(pair.local.address, origin)) as sock:
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(5) == 0
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    assert ended(program).reason == "shutdown"
    other = pair.local if which == "server" else pair.server
    assert ended(other).reason == ("server-reset" if which == "server" else "client-reset")

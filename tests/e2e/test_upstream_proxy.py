"""A client that reaches its server through another client's port."""

from collections.abc import Sequence

import pytest

from tests.support.origin import Origin, pattern_hash, receive_hash
from tests.support.ports import free_port
from tests.support.processes import METHOD, PASSWORD, ssgui_local, ssgui_program, ssgui_server
from tests.support.socks_client import socks_connect

SIZE = 1_000_000


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_a_client_behind_a_client(kind: str, ssgui_command: Sequence[str]) -> None:
    login = ["--user", "ann", "--pass", "pw"]
    with (
        ssgui_server(ssgui_command) as server,
        ssgui_local(ssgui_command, server.address, flags=login) as first,
        Origin() as origin,
    ):
        port = free_port()
        flags = ["-s", "localhost", "-p", str(server.address[1]), "-m", METHOD, "-l", str(port)]
        proxy = {"SSGUI_UPSTREAM_PROXY": f"{kind}://ann:pw@localhost:{first.address[1]}"}
        with ssgui_program(ssgui_command, "local", port, flags, PASSWORD, proxy) as second:
            with socks_connect(second.address, origin.address) as sock:
                sock.sendall(f"DOWN {SIZE}\n".encode())
                assert receive_hash(sock, SIZE) == pattern_hash(SIZE)
            assert [one.names for one in second.events.wait_closed()] == [
                ["INIT", "ADDR", "DNS", "CONNECTING", "STREAM", "DESTROYED"]
            ]
        assert [one.target for one in first.events.wait_closed()] == [f"localhost:{server.address[1]}"]
        assert {one.target for one in server.events.wait_closed(2)} == {
            f"localhost:{server.address[1]}", f"{origin.address[0]}:{origin.port}",
        }  # fmt: skip

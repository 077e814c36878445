"""Both ends ours, each from a file as other programs write it."""

import json
from collections.abc import Sequence
from pathlib import Path

from tests.support.datagrams import UdpEcho, UdpProgram
from tests.support.origin import Origin
from tests.support.ports import free_port
from tests.support.processes import HOST, Program, ssgui_program
from tests.support.socks_client import receive_exactly, socks_connect

METHOD = "2022-blake3-aes-256-gcm"
SERVER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
USER_KEY = "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def user_of(program: Program) -> str:
    return str((program.events.wait_closed()[0].closed or {}).get("user"))


def test_users_comments_and_a_password_from_the_environment(
    ssgui_command: Sequence[str], origin: Origin, tmp_path: Path
) -> None:
    port, local_port = free_port(), free_port()
    server_file, local_file = tmp_path / "server.json", tmp_path / "local.json"
    users = [{"name": "ann", "password": USER_KEY}, {"name": "bob", "password": USER_KEY.replace("AQ", "Ag")}]
    server = {
        "server": HOST, "server_port": port, "method": METHOD, "password": "${SSGUI_TEST_KEY}", "users": users,
        "mode": "tcp_and_udp", "forbidden_ip": "", "fast_open": False, "no_delay": True,
    }  # fmt: skip
    server_file.write_text("// of the server\n" + json.dumps(server).replace("}]", "},]"))
    entry = {"address": HOST, "port": port, "method": METHOD, "password": f"{SERVER_KEY}:{USER_KEY}"}
    local = {"servers": [entry], "locals": [{"local_port": local_port, "mode": "tcp_and_udp"}]}
    local_file.write_text(json.dumps(local))
    env = {"SSGUI_TEST_KEY": SERVER_KEY}
    with (
        ssgui_program(ssgui_command, "server", port, ["-c", str(server_file)], env=env) as ours,
        ssgui_program(ssgui_command, "local", local_port, ["-c", str(local_file)]) as client,
    ):
        with socks_connect(client.address, origin.address) as sock:
            sock.sendall(b"ECHO\nfrom ann")
            assert receive_exactly(sock, 8) == b"from ann"
        with UdpEcho() as echo, UdpProgram(client.address) as program:
            program.send(b"by UDP", echo.address)
            assert program.receive() == b"by UDP"
        assert user_of(ours) == "ann"
        assert "no effect" not in ours.process.stderr() + client.process.stderr()

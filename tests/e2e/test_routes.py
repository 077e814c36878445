"""Where connections of a running client go: by its access list, and past a server that is dead."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from ssgui.system.addresses import own_address
from tests.support.origin import Origin
from tests.support.ports import free_port
from tests.support.processes import HOST, METHOD, Program, ssgui_local, ssgui_program, ssgui_server
from tests.support.socks_client import SocksRefused, receive_exactly, socks_connect

Command = Sequence[str]


def echo(proxy: tuple[str, int], target: tuple[str, int]) -> None:
    """One connection through `proxy` that carries a few bytes both ways."""
    with socks_connect(proxy, target) as sock:
        sock.sendall(b"ECHO\nhello")
        assert receive_exactly(sock, 5) == b"hello"


def routes(program: Program, count: int) -> list[tuple[str, str]]:
    """Route and rule of each connection, once `count` have ended."""
    return [(one.stages[-1]["route"], one.stages[-1].get("rule", "")) for one in program.events.wait_closed(count)]


def test_an_access_list_and_bypass_lan(ssgui_command: Command, origin: Origin, tmp_path: Path) -> None:
    path = tmp_path / "my.acl"
    path.write_text(f"[bypass_list]\n||localhost\n[outbound_block_list]\n||ads.example\n[proxy_list]\n{HOST}\n(\n")
    with (
        ssgui_server(ssgui_command) as server,
        ssgui_local(ssgui_command, server.address, flags=["--acl", str(path), "--bypass-lan"]) as local,
    ):
        echo(local.address, ("localhost", origin.port))
        echo(local.address, (HOST, origin.port))
        with pytest.raises(SocksRefused, match="2"):
            echo(local.address, ("x.ads.example", 80))
        assert routes(local, 3) == [
            ("direct", "||localhost (line 2)"), ("proxy", f"{HOST} (line 6)"), ("reject", "||ads.example (line 4)"),
        ]  # fmt: skip
        assert len(server.events.wait_closed(1)) == 1
        assert "my.acl: line 7: (: not a regular expression" in local.process.stderr()


def test_a_dead_server_is_passed_over(ssgui_command: Command, origin: Origin, tmp_path: Path) -> None:
    dead, port = free_port(), free_port()
    with ssgui_server(ssgui_command) as server:
        ports = (dead, server.address[1])
        path = tmp_path / "config.json"
        path.write_text(
            json.dumps({"servers": [{"server": HOST, "server_port": one, "method": METHOD} for one in ports]})
        )
        flags = ["-c", str(path), "-l", str(port), "--choose", "fixed"]
        with ssgui_program(ssgui_command, "local", port, flags) as local:
            for _ in range(2):
                echo(local.address, origin.address)
            first, second = local.events.wait_closed(2)
            assert first.names == ["INIT", "ADDR", "DNS", "CONNECTING", "DNS", "CONNECTING", "STREAM", "DESTROYED"]
            assert second.names == ["INIT", "ADDR", "DNS", "CONNECTING", "STREAM", "DESTROYED"]
            assert [one.stages[-1]["server"] for one in (first, second)] == [f"{HOST}:{ports[1]}"] * 2
            assert f"cannot reach the server {HOST}:{dead}" in local.process.stderr()


def test_a_program_on_another_address_does_not_reach_this_machine(ssgui_command: Command, origin: Origin) -> None:
    own = own_address()
    if own is None:
        pytest.skip("this machine has no address besides loopback to come from")
    with (
        ssgui_server(ssgui_command) as server,
        ssgui_local(ssgui_command, server.address, flags=["-b", "::" if ":" in own else "0.0.0.0"]) as local,
    ):
        echo(local.address, origin.address)
        for host in (HOST, own, "localhost", "::1"):
            with pytest.raises(SocksRefused, match="2"):
                echo((own, local.address[1]), (host, origin.port))
        assert routes(local, 5)[1:] == [("reject", "lan-guard")] * 4

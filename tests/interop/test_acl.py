"""One access list, read by us and by shadowsocks-libev: the same targets go through the server.

Left out is where we differ on purpose: shadowsocks-libev resolves a name that no rule fits, to look for a
network that holds it, and sends a bypassed name that does not resolve through the server all the same. So the
only name here that goes direct is one that every machine knows.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ssgui.rules.acl import Route, parse_acl
from tests.support.processes import Program, libev_local, ssgui_server, wait_until
from tests.support.socks_client import socks_connect

LISTS = r"""# the same for both
127.0.0.4
[bypass_list]
127.0.0.0/31
{name}
::1
[proxy_list]
127.0.0.1
127.0.1.0/24
(^|\.)localhost$
^www\.exact\.invalid$
(^|\.)far\.invalid$
"""
TARGETS = [
    "127.0.0.0", "127.0.0.1", "127.0.0.2", "127.0.0.4", "127.0.1.9", "127.0.2.1", "::1", "localhost",
    "www.exact.invalid", "far.invalid", "a.far.invalid",
]  # fmt: skip
PORT, LAST = 9, ("last.far.invalid", 10)


@pytest.mark.parametrize(
    ("default", "name"),
    [
        ("proxy_all", "(^|\\.)localhost$"),
        ("proxy_all", "^local$"),
        ("bypass_all", "calh[nop]+"),
        ("bypass_all", "^ost"),
    ],
)
def test_the_same_targets_go_through_the_server(
    default: str, name: str, ssgui_command: Sequence[str], tmp_path: Path
) -> None:
    text = f"[{default}]\n{LISTS.format(name=name)}"
    acl = parse_acl(text)
    assert not acl.problems
    expected = {host for host in TARGETS if acl.decide(host).route is Route.PROXY}
    assert 0 < len(expected) < len(TARGETS)
    path = tmp_path / "both.acl"
    path.write_text(text)
    with (
        ssgui_server(ssgui_command) as server,
        libev_local(server.address, flags=["--acl", str(path)]) as client,
    ):
        for target in [*((host, PORT) for host in TARGETS), LAST]:
            with socks_connect(client, target) as sock:
                sock.sendall(b"x")
                if target == LAST or target[0] in expected:
                    _wait_through(server, target[0])
        assert _through(server) == expected | {LAST[0]}


def _wait_through(server: Program, host: str) -> None:
    wait_until(lambda: host in _through(server), f"{host} through the server")


def _through(server: Program) -> set[str]:
    """The hosts that the server was asked for."""
    return {one.target.rpartition(":")[0].strip("[]") for one in server.events.connections() if one.target}

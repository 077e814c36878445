"""The link and QR code of a server that made its own password."""

import base64
import io
import socket
from urllib.parse import urlsplit

import pytest

from ssgui.app.server import link as module
from ssgui.app.server.link import server_links, show_link
from ssgui.config.models import ServerSettings, ServerUser
from ssgui.config.secret import Secret
from ssgui.protocol.links import decode_link

SETTINGS = ServerSettings("0.0.0.0", 1, "aes-256-gcm", Secret("a/b+c"))


def test_names_server_port_method_and_password() -> None:
    parts = urlsplit(server_links(SETTINGS, ("example.com", 8388))[0])
    assert (parts.scheme, parts.hostname, parts.port) == ("ss", "example.com", 8388)
    info = parts.username or ""
    assert base64.urlsafe_b64decode(info + "=" * (-len(info) % 4)) == b"aes-256-gcm:a/b+c"


def test_each_user_has_a_link() -> None:
    users = (ServerUser("ann", Secret("dXNlcg==")), ServerUser("bob & co", Secret("b3RoZXI=")))
    settings = ServerSettings("0.0.0.0", 1, "2022-blake3-aes-128-gcm", Secret("c2VydmVy"), users=users)
    links = [decode_link(link) for link in server_links(settings, ("example.com", 8388))]
    assert [link.password for link in links] == ["c2VydmVy:dXNlcg==", "c2VydmVy:b3RoZXI="]
    assert [link.remarks for link in links] == ["ann", "bob & co"]


@pytest.mark.parametrize("anywhere", ["0.0.0.0", "::"])
def test_a_wildcard_becomes_this_machine(anywhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "own_address", lambda: "192.0.2.9")
    assert "@192.0.2.9:1" in server_links(SETTINGS, (anywhere, 1))[0]
    monkeypatch.setattr(module, "own_address", lambda: None)
    monkeypatch.setattr(socket, "gethostname", lambda: "my-server")
    assert "@my-server:1" in server_links(SETTINGS, (anywhere, 1))[0]


def test_shown_with_a_code_where_it_can_be() -> None:
    out = io.StringIO()
    show_link("ss://YQ@h:1", out)
    link, *code = out.getvalue().splitlines()
    assert link == "ss://YQ@h:1"
    assert len(code) > 10
    assert len({len(line) for line in code}) == 1

    narrow = io.TextIOWrapper(io.BytesIO(), "ascii")
    show_link("ss://YQ@h:1", narrow)
    assert narrow.buffer.getvalue().splitlines() == [b"ss://YQ@h:1"]

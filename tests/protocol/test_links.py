"""`ss://` links."""

from typing import Any

import pytest

from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.links import encode_link
from tests.protocol.vectors import load

# The vectors are for reading: these are the ones that are written just as they stand.
CANONICAL = [
    case
    for case in load("uri.json")["ok"]
    if case["name"].startswith(("sip002", "2022 with"))
    and "padding" not in case["name"]
    and "ignored" not in case["uri"]
]


@pytest.mark.parametrize("case", CANONICAL, ids=lambda case: case["name"])
def test_vectors(case: dict[str, Any]) -> None:
    parsed = case["parsed"]
    plugin = ";".join(part for part in (parsed.get("plugin"), parsed.get("plugin_opts")) if part)
    link = encode_link(
        parsed["host"], parsed["port"], parsed["method"], parsed["password"], plugin, parsed.get("tag", "")
    )
    assert link == case["uri"]


def test_there_are_vectors_of_each_kind() -> None:
    assert {case["name"] for case in CANONICAL} == {
        "sip002 base64url userinfo", "sip002 plugin escapes", "sip002 ipv6 + utf8 tag", "2022 with identity PSKs",
    }  # fmt: skip


def test_a_password_of_any_kind_is_safe_in_a_link() -> None:
    link = encode_link("[::1]", 1, "aes-256-gcm", "a@b:/?#\u00ff~~~???")
    assert link.startswith("ss://")
    assert set(link.removeprefix("ss://").partition("@")[0]) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )
    assert link.endswith("@[::1]:1")


@pytest.mark.parametrize(("host", "port"), [("", 1), ("[]", 1), ("h", 0), ("h", 65536)])
def test_what_no_link_can_be_made_of(host: str, port: int) -> None:
    with pytest.raises(LocalProtocolError, match="no link") as caught:
        encode_link(host, port, "aes-256-gcm", "secret")
    assert "secret" not in str(caught.value)

"""A list that would make the PAC larger than browsers take: they keep the last good one, and the list is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from ssgui.rules.pac_compiler import MAX_BYTES
from tests.e2e.test_quiet_port import RIGHT, everything
from tests.support.app import App, app
from tests.support.ports import free_port
from tests.support.processes import HOST, METHOD, PASSWORD, wait_until

BIG = "".join(f"||a-name-of-some-length-{number}.example.com\n" for number in range(30_000))


def configure(home: Path, port: int, *lists: dict[str, Any]) -> None:
    server = {"id": "1", "server": HOST, "server_port": 9, "method": METHOD, "password": PASSWORD}
    settings = {"mode": "pac", "leave_system_proxy": True, "local_port": port, "pac_secret": RIGHT}
    kept = {"version": 1, "servers": [server], "current": "1", "settings": settings, "rule_lists": list(lists)}
    (home / "config.json").write_text(json.dumps(kept))


def pac(one: App, port: int) -> bytes:
    """As a browser gets it."""
    wait_until(lambda: one.status()["pac"], "the PAC")
    head, _, body = everything(port, "GET", f"/proxy.pac?k={RIGHT}", f"{HOST}:{port}").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    return body


@pytest.mark.long
def test_the_last_good_one_stays_and_the_list_is_named(tmp_path: Path) -> None:
    port, big = free_port(), {"id": "big", "name": "big one", "url": f"https://{HOST}:1/big", "updated": 9e9}
    configure(tmp_path, port, {"id": "starter"})
    (tmp_path / "user-rules.txt").write_text("||mine.example\n")
    with app(tmp_path) as one:
        good = pac(one, port)
        one.ask({"do": "quit"})
        assert one.process.wait() == 0
    assert len(BIG) > MAX_BYTES
    (tmp_path / "lists" / "big.list").write_text("[AutoProxy]\n" + BIG)
    configure(tmp_path, port, big, {"id": "starter"})
    with app(tmp_path) as one:
        assert pac(one, port) == good  # the one of the run before
        wait_until(lambda: "the list 'big one' is too big" in one.process.stderr(), "it is said")
        done = one.second("pac", "build")
        assert (done.returncode, done.stdout) == (2, "")
        assert "the list 'big one' is too big" in done.stderr
        found = json.loads(one.second("pac", "explain", "a-name-of-some-length-7.example.com").stdout)
        assert (found["action"], found["list"]) == ("proxy", "big one")  # programs in Rules mode have it
        (tmp_path / "user-rules.txt").write_text("||mine.example\n||more.example\n")
        one.ask({"do": "rules"})
        assert pac(one, port) == good
        one.ask({"do": "quit"})
        assert one.process.wait() == 0
    configure(tmp_path, port, {**big, "enabled": False}, {"id": "starter"})
    with app(tmp_path) as one:
        wait_until(lambda: b"more.example" in pac(one, port), "the new rules, now that they fit")
        one.ask({"do": "quit"})
        assert one.process.wait() == 0

"""`ssgui pac` beside the app that runs: it asks the app, and sees the same rules."""

import json
from pathlib import Path

from tests.support.app import app
from tests.support.ports import free_port
from tests.support.processes import HOST, METHOD, PASSWORD, wait_until


def test_beside_a_running_app(tmp_path: Path) -> None:
    server = {"id": "1", "server": HOST, "server_port": free_port(), "method": METHOD, "password": PASSWORD}
    settings = {"mode": "rules", "leave_system_proxy": True, "local_port": free_port()}
    lists = [
        {"id": "starter"},
        {"id": "one", "name": "one", "url": f"https://{HOST}:{free_port()}/list", "updated": 9e9},
    ]
    kept = {"version": 1, "servers": [server], "current": "1", "settings": settings, "rule_lists": lists}
    (tmp_path / "config.json").write_text(json.dumps(kept))
    (tmp_path / "user-rules.txt").write_text("||mine.example\n")
    with app(tmp_path) as one:
        wait_until(lambda: one.status()["address"], "the port")
        done = one.second("pac", "update")
        assert done.returncode == 1
        starter, failed = done.stdout.splitlines()
        assert starter == "ssgui starter rules: 97 rules, comes with ssgui"
        assert failed.startswith(f"one: {HOST} cannot be reached")
        assert not done.stderr  # nothing was fetched past the app
        wait_until(lambda: "cannot be reached" in (tmp_path / "config.json").read_text(), "the app has noted it")
        done = one.second("pac", "explain", "mine.example")
        found = json.loads(done.stdout)
        assert (found["action"], found["list"], found["line"]) == ("proxy", "user", 1)
        done = one.second("pac", "build", "--list", f"https://{HOST}:{free_port()}/list")
        assert (done.returncode, done.stdout) == (1, "")
        assert f"{HOST} cannot be reached" in done.stderr
        one.ask({"do": "quit"})
        assert one.process.wait() == 0

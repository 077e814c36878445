"""The app on a screen, from its start to its end and once more: a server, a page through it, and all of it kept."""

import base64
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.curl import curl
from tests.support.app import App, app
from tests.support.desktop import screen, type_key
from tests.support.origin import Origin, pattern
from tests.support.ports import free_port
from tests.support.processes import HOST, METHOD, PASSWORD, Events, libev_server, wait_until


@pytest.fixture(scope="module")
def display() -> Iterator[dict[str, str]]:
    with screen() as found:
        yield {**found, "DBUS_SESSION_BUS_ADDRESS": "disabled:"}


def address(one: App) -> tuple[str, int]:
    """Where its proxy listens, once it does."""
    text = wait_until(lambda: str(one.status()["address"]), "the port")
    host, _, port = text.rpartition(":")
    return host, int(port)


def configure(home: Path, server: tuple[str, int], port: int) -> None:
    entry = {"id": "1", "server": server[0], "server_port": server[1], "method": METHOD, "password": PASSWORD,
             "remarks": "Tokyo 1"}  # fmt: skip
    settings = {"mode": "global", "local_port": port}
    (home / "config.json").write_text(
        json.dumps({"version": 1, "servers": [entry], "current": "1", "settings": settings})
    )


def test_browse_quit_and_come_back(display: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    with libev_server() as server, Origin() as origin:
        configure(tmp_path, server, port)
        for start in (1, 2):
            events = Events(tmp_path / f"events-{start}")
            with app(tmp_path, "--events", str(tmp_path / f"events-{start}"), env=display) as one:
                assert address(one) == (HOST, port)
                found = one.status()
                assert (found["state"], found["server"], found["window"]) == ("ready", "Tokyo 1", True)
                assert found["page"] == ("servers" if start == 1 else "connections")
                size = 100_000
                answer = curl((HOST, port), f"http://{origin.address[0]}:{origin.address[1]}/{size}")
                assert answer.body == b"".join(pattern(size)), answer.error
                wait_until(lambda one=one: one.status()["ended"] == 1, "the row")  # type: ignore[misc]
                assert one.status()["state"] == "on"
                (closed,) = events.wait_closed()
                assert closed.reason == "finished"
                assert closed.stages[-1]["server"] == "Tokyo 1"
                one.ask({"do": "page", "page": "connections"})
                one.process.send_signal(signal.SIGTERM)
                one.require_good_end()
    kept = json.loads((tmp_path / "config.json").read_text())
    assert kept["servers"][0]["remarks"] == "Tokyo 1"
    assert kept["settings"]["local_port"] == port
    assert not list(tmp_path.glob("*.sock"))


def test_a_server_of_the_command_line_works_and_is_not_kept(display: dict[str, str], tmp_path: Path) -> None:
    with libev_server() as server, Origin() as origin:
        flags = ["-s", server[0], "-p", str(server[1]), "-k", PASSWORD, "-m", METHOD, "-l", "0"]
        with app(tmp_path, *flags, env=display) as one:
            proxy = address(one)
            assert curl(proxy, f"http://{origin.address[0]}:{origin.address[1]}/10").body == b"".join(pattern(10))
            assert one.status()["server"] == f"{server[0]}:{server[1]}"
            one.process.send_signal(signal.SIGTERM)
            one.require_good_end()
    assert not (tmp_path / "config.json").exists(), "a server of the command line is not kept"


def test_a_link_is_handed_over_confirmed_and_used(display: dict[str, str], tmp_path: Path) -> None:
    with libev_server() as server, Origin() as origin, app(tmp_path, env=display) as one:
        secret = base64.urlsafe_b64encode(f"{METHOD}:{PASSWORD}".encode()).decode().rstrip("=")
        done = one.second(f"ss://{secret}@{server[0]}:{server[1]}#Osaka")
        assert (done.returncode, done.stderr) == (0, "")
        wait_until(lambda: one.status()["dialog"] == "ConfirmDialog", "the question")
        assert one.status()["server"] == "", "nothing is added before a person says so"
        type_key(display["DISPLAY"], "Return")
        wait_until(lambda: one.status()["server"] == "Osaka", "the server")
        proxy = address(one)
        answer = curl(proxy, f"http://{origin.address[0]}:{origin.address[1]}/10")
        assert answer.body == b"".join(pattern(10)), answer.error
        one.ask({"do": "quit"})
        one.require_good_end()
    (kept,) = json.loads((tmp_path / "config.json").read_text())["servers"]
    assert (kept["remarks"], kept["server_port"]) == ("Osaka", server[1])


def test_a_link_that_is_not_confirmed_is_not_added(display: dict[str, str], tmp_path: Path) -> None:
    with app(tmp_path, env=display) as one:
        assert one.second("ss://YWVzLTI1Ni1nY206cHc@192.0.2.1:8388#Osaka").returncode == 0
        wait_until(lambda: one.status()["dialog"] == "ConfirmDialog", "the question")
        type_key(display["DISPLAY"], "Escape")
        wait_until(lambda: one.status()["dialog"] == "", "the answer")
        one.ask({"do": "quit"})
        one.require_good_end()
    assert json.loads((tmp_path / "config.json").read_text())["servers"] == []


def test_a_power_cut_loses_nothing_that_was_saved(display: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    configure(tmp_path, (HOST, free_port()), port)
    with app(tmp_path, env=display) as one:
        assert address(one) == (HOST, port)
        one.process.send_signal(signal.SIGKILL)
        assert one.process.wait() == -signal.SIGKILL
    with app(tmp_path, env=display) as again:
        assert address(again) == (HOST, port)
        assert again.status()["server"] == "Tokyo 1"
        again.process.send_signal(signal.SIGTERM)
        again.require_good_end()

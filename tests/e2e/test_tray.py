"""The tray as a desktop's panel sees it: a real icon and a real menu, read and clicked over D-Bus."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssgui.gui.tray_icons import SIZES
from tests.support.app import App, app
from tests.support.desktop import Panel, screen, session_bus
from tests.support.ports import free_port
from tests.support.processes import wait_until

CONFIG = {
    "version": 1,
    "servers": [
        {"id": str(number), "server": "127.0.0.1", "server_port": 9, "method": "aes-256-gcm", "password": "pw",
         "remarks": name}
        for number, name in enumerate(("Tokyo & 1", "香港 02", "my_own_server"), 1)
    ],
    "current": "1",
}  # fmt: skip


@pytest.fixture(scope="module")
def desktop() -> Iterator[dict[str, str]]:
    with screen() as display, session_bus() as bus:
        yield {**display, "DBUS_SESSION_BUS_ADDRESS": bus, "XDG_CURRENT_DESKTOP": "KDE"}


@pytest.fixture
def panel(desktop: dict[str, str]) -> Iterator[Panel]:
    made = Panel(desktop["DBUS_SESSION_BUS_ADDRESS"])
    yield made
    made.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    settings = {"mode": "off", "local_port": free_port(), "start_minimised": True}
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, "settings": settings}))
    return tmp_path


def test_a_panel_reads_the_icon_and_works_the_menu(desktop: dict[str, str], panel: Panel, home: Path) -> None:
    panel.appear()
    with app(home, env=desktop) as one:
        found = panel.properties()
        assert (found["Id"], found["Title"], found["Status"]) == ("ssgui", "ssgui", "Active")
        off = found["IconPixmap"]
        assert {size for size, _, _ in off} >= {16, 22} & set(SIZES)
        assert panel.tooltip() == "ssgui · Off"
        assert not one.status()["window"]
        _work_the_menu(panel, one)
        assert (panel.properties())["IconPixmap"] != off
        panel.click("Quit")
        one.require_good_end()
    kept = json.loads((home / "config.json").read_text())
    assert (kept["settings"]["mode"], kept["current"]) == ("global", "2")


def _work_the_menu(panel: Panel, one: App) -> None:
    menu = panel.menu()
    assert (menu.items[0].label, menu.items[0].enabled) == ("Off", False)
    panel.click("Global: everything")
    wait_until(lambda: panel.find("Global: everything").checked, "the mode")
    wait_until(lambda: panel.tooltip() == "ssgui · Ready · Tokyo & 1", "the tooltip")
    assert panel.find("Servers", "my__own__server").enabled
    assert panel.find("Servers", "Tokyo _& 1").checked  # dbusmenu has underscores where Qt has ampersands
    panel.click("Servers", "香港 02")
    wait_until(lambda: panel.tooltip() == "ssgui · Ready · 香港 02", "the other server")
    panel.click("Go direct for 15 minutes")
    wait_until(lambda: any(item.label.startswith("Resume") for item in panel.menu().items), "the way back")
    assert one.status()["state"] == "paused"
    panel.click("Resume")
    wait_until(lambda: one.status()["state"] == "ready", "the end of the pause")
    panel.click("Connections…")
    wait_until(lambda: (one.status()["window"], one.status()["page"]) == (True, "connections"), "the page")


def test_clicks_on_the_icon_and_a_panel_that_comes_and_goes(desktop: dict[str, str], panel: Panel, home: Path) -> None:
    with app(home, env=desktop) as one:
        assert one.status()["tray"] == 0
        panel.appear()
        panel.wait_for_icon()
        wait_until(lambda: not one.status()["window"], "started without a window, once there is a tray")
        panel.press()
        wait_until(lambda: one.status()["window"], "the window")
        panel.press("SecondaryActivate")
        wait_until(lambda: one.status()["page"] == "logs", "the page")
        one.ask({"do": "close"})
        wait_until(lambda: not one.status()["window"], "a window that hides")
        panel.vanish()
        wait_until(lambda: one.status()["window"], "a window that nothing else could bring back")
        panel.appear()
        panel.wait_for_icon()
        one.process.send_signal(signal.SIGTERM)
        one.require_good_end()

"""The picture of the screen that Wayland's portal gives, from a portal of the test's own on a bus of its own."""

import sys
from pathlib import Path

import pytest

from ssgui.gui.adding.pictures import draw_code, read_codes
from ssgui.gui.adding.screens import ScreenError
from tests.support.flows import Flow

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the portal is Linux's")
NAME = "org.freedesktop.portal.Desktop"


def answer(path: Path, code: int, flow: Flow) -> list[str]:
    """Ask a portal that says `code` and points to `path`; the codes in its picture."""
    from dbus_fast import Message, MessageType, Variant
    from dbus_fast.aio import MessageBus
    from PySide6.QtDBus import QDBusConnection

    from ssgui.gui.adding.portal import ask_portal
    from tests.support.desktop import session_bus

    found: list[str] = []

    async def steps() -> None:
        with session_bus() as address:
            portal = await MessageBus(bus_address=address).connect()
            await portal.request_name(NAME)

            def asked(message: Message) -> Message | None:
                if message.message_type is not MessageType.METHOD_CALL or message.member != "Screenshot":
                    return None
                parent, options = message.body
                assert (parent, options["interactive"].value) == ("", False)
                sender = str(message.sender).removeprefix(":").replace(".", "_")
                place = f"/org/freedesktop/portal/desktop/request/{sender}/{options['handle_token'].value}"
                portal.send(Message.new_method_return(message, "o", [place]))
                results = {"uri": Variant("s", path.as_uri())} if code == 0 else {}
                interface = "org.freedesktop.portal.Request"
                portal.send(Message.new_signal(place, interface, "Response", "ua{sv}", [code, results]))
                return None

            portal.add_message_handler(asked)
            bus = QDBusConnection.connectToBus(address, "portal of a test")
            try:
                found.extend(read_codes([await ask_portal(bus)]))
            finally:
                QDBusConnection.disconnectFromBus("portal of a test")
                portal.disconnect()
                await portal.wait_for_disconnect()  # type: ignore[no-untyped-call]

    flow(steps)
    return found


def test_a_picture_is_given_and_not_left_behind(flow: Flow, tmp_path: Path) -> None:
    path = tmp_path / "Screenshot 1.png"
    draw_code("ss://a", 4).save(str(path))
    assert answer(path, 0, flow) == ["ss://a"]
    assert not path.exists()


def test_a_person_says_no(flow: Flow, tmp_path: Path) -> None:
    with pytest.raises(ScreenError, match="not allowed"):
        answer(tmp_path / "x.png", 1, flow)


def test_a_picture_that_is_none(flow: Flow, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"no picture")
    with pytest.raises(ScreenError, match="cannot be read"):
        answer(tmp_path / "x.png", 0, flow)


def test_a_desktop_without_a_portal(flow: Flow) -> None:
    from PySide6.QtDBus import QDBusConnection

    from ssgui.gui.adding.portal import ask_portal
    from tests.support.desktop import session_bus

    async def steps() -> None:
        with session_bus() as address:
            bus = QDBusConnection.connectToBus(address, "bus of a test")
            try:
                with pytest.raises(ScreenError, match="no portal"):
                    await ask_portal(bus)
            finally:
                QDBusConnection.disconnectFromBus("bus of a test")

    flow(steps)

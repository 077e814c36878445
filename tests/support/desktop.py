"""A desktop of the tests' own: a screen (Xvfb), a session bus, and a panel that shows tray icons (dbus-fast).

The panel is what KDE's and GNOME's are to an app: it owns `org.kde.StatusNotifierWatcher`, is told of icons, and
then reads their properties and menus and clicks them, all over the bus.
"""

import asyncio
import ctypes
import subprocess
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from tests.support.processes import wait_until
from tests.support.programs import require

WATCHER = "org.kde.StatusNotifierWatcher"
_ITEM, _ITEM_PATH = "org.kde.StatusNotifierItem", "/StatusNotifierItem"
_MENU = "com.canonical.dbusmenu"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_T = TypeVar("_T")


@contextmanager
def screen() -> Iterator[dict[str, str]]:
    """An X server that nobody sees; yields the environment for its programs."""
    command = [require("Xvfb"), "-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp"]
    with _first_line(command) as number:
        yield {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb", "WAYLAND_DISPLAY": ""}


def type_key(display: str, name: str) -> None:
    """Press and release a key (an X keysym's name) as a keyboard would; it goes to whatever has the focus."""
    x11, test = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XStringToKeysym.restype = ctypes.c_ulong
    connection = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    assert connection.value, display
    code = x11.XKeysymToKeycode(connection, ctypes.c_ulong(x11.XStringToKeysym(name.encode())))
    for down in (1, 0):
        test.XTestFakeKeyEvent(connection, code, down, ctypes.c_ulong(0))
    x11.XCloseDisplay(connection)


@contextmanager
def session_bus() -> Iterator[str]:
    """The address of a bus of our own."""
    with _first_line([require("dbus-daemon"), "--session", "--nofork", "--print-address=1"]) as address:
        yield address


@contextmanager
def _first_line(command: list[str]) -> Iterator[str]:
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            assert line, f"{command[0]} did not start"
            yield line
        finally:
            process.terminate()


@dataclass(frozen=True)
class Item:
    """One line of a tray's menu."""

    number: int
    label: str
    enabled: bool
    checked: bool
    items: tuple["Item", ...]


class Panel:
    """The tray of the desktop on the bus at `address`, from `appear` to `vanish`. It lives in a thread of its own."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._bus: MessageBus | None = None
        self.icons: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def _do(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def close(self) -> None:
        """End it."""
        self.vanish()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def appear(self) -> None:
        """Own the name; apps are told by the bus."""
        self._do(self._appear())

    async def _appear(self) -> None:
        self._bus = await MessageBus(bus_address=self._address).connect()
        self._bus.add_message_handler(self._asked)
        await self._bus.request_name(WATCHER)

    def vanish(self) -> None:
        """As a panel that crashed."""
        self._do(self._vanish())

    async def _vanish(self) -> None:
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.disconnect()
            await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
        self.icons.clear()

    def _asked(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL or message.path != "/StatusNotifierWatcher":
            return None
        values = {
            "RegisteredStatusNotifierItems": Variant("as", list(self.icons)),
            "IsStatusNotifierHostRegistered": Variant("b", True),
            "ProtocolVersion": Variant("i", 0),
        }
        match message.member:
            case "RegisterStatusNotifierItem":
                self.icons.append(message.sender or "")
                return Message.new_method_return(message)
            case "RegisterStatusNotifierHost":
                return Message.new_method_return(message)
            case "Get":
                return Message.new_method_return(message, "v", [values[message.body[1]]])
            case "GetAll":
                return Message.new_method_return(message, "a{sv}", [values])
        return None

    def wait_for_icon(self) -> str:
        """The app that has an icon here, once there is one."""
        return wait_until(lambda: self.icons[-1] if self.icons else "", "an icon in the tray")

    def _call(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> list[Any]:
        assert self._bus is not None
        message = Message(
            destination=self.wait_for_icon(), path=path, interface=interface, member=member, signature=signature,
            body=body,
        )  # fmt: skip
        answer = self._do(self._bus.call(message))
        assert answer is not None
        assert answer.message_type is MessageType.METHOD_RETURN, answer.body
        found: list[Any] = answer.body
        return found

    def properties(self) -> dict[str, Any]:
        """Of the icon: Title, Status, ToolTip, IconPixmap and so on."""
        (found,) = self._call(_ITEM_PATH, _PROPERTIES, "GetAll", "s", [_ITEM])
        return {name: variant.value for name, variant in found.items()}

    def tooltip(self) -> str:
        """Its title."""
        return str(self.properties()["ToolTip"][2])

    def menu(self) -> Item:
        """The whole menu."""
        _revision, root = self._call(self.properties()["Menu"], _MENU, "GetLayout", "iias", [0, -1, []])
        return _item(root)

    def find(self, *labels: str) -> Item:
        """The item under these labels, each the beginning of one."""
        one = self.menu()
        for label in labels:
            found = [item for item in one.items if item.label.startswith(label)]
            assert len(found) == 1, (label, [item.label for item in one.items])
            one = found[0]
        return one

    def click(self, *labels: str) -> None:
        """Choose an item of the menu, as soon as it can be chosen."""
        wait_until(lambda: self.find(*labels).enabled, f"{labels} in the menu, enabled")
        item = self.find(*labels)
        click = [item.number, "clicked", Variant("s", ""), 0]
        self._call(self.properties()["Menu"], _MENU, "Event", "isvu", click)

    def press(self, member: str = "Activate") -> None:
        """Click the icon itself: Activate, or SecondaryActivate with the middle button."""
        self._call(_ITEM_PATH, _ITEM, member, "ii", [1, 1])


def _item(node: Any) -> Item:
    number, values, children = node
    plain = {name: variant.value for name, variant in values.items()}
    return Item(
        number, plain.get("label", ""), plain.get("enabled", True), plain.get("toggle-state", 0) == 1,
        tuple(_item(child.value) for child in children),
    )  # fmt: skip

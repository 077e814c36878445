"""What can be done with one connection."""

from collections.abc import Callable

from PySide6.QtWidgets import QMenu, QWidget

from ssgui.gui import icons
from ssgui.gui.frame.menus import rounded
from ssgui.gui.frame.painting import harmless
from ssgui.gui.texts import tr
from ssgui.rules.acl import Route
from ssgui.rules.address_forms import stays_here
from ssgui.services.connections import Connection
from ssgui.services.own_rules import domain_of

_MOST_LETTERS = 48


def host_of(target: str) -> tuple[str, int]:
    """Host and port of a connection's target; ("", 0) while there is none."""
    host, _, port = target.rpartition(":")
    return host.strip("[]"), int(port) if port.isdecimal() else 0


def row_menu(
    parent: QWidget, one: Connection, rule: Callable[[str, Route], None], explain: Callable[[str], None],
    close: Callable[[], None],
) -> QMenu:  # fmt: skip
    """A menu for `one`; rules are for its host, and for the site that this belongs to."""
    menu = rounded(QMenu(parent))
    host, port = host_of(one.target)
    if host:
        names = list(dict.fromkeys((host, domain_of(host))))
        for route, icon, text in (
            (Route.PROXY, "plane", tr("Always proxy")),
            (Route.DIRECT, "chevron-right", tr("Always direct")),
        ):
            for name in names:
                action = menu.addAction(icons.icon(icon), f"{text}: {_short(name)}")
                action.setEnabled(route is Route.DIRECT or not stays_here(name))
                action.triggered.connect(lambda _=False, name=name, route=route: rule(name, route))
        menu.addSeparator()
        shape = f"[{host}]" if ":" in host else host
        url = f"https://{shape}/" if port == 443 else f"http://{shape}/"
        menu.addAction(icons.icon("rules"), tr("Why does it go there?")).triggered.connect(lambda: explain(url))
    if one.live:
        menu.addAction(icons.icon("close"), tr("Close the connection")).triggered.connect(close)
    menu.aboutToHide.connect(menu.deleteLater)
    return menu


def _short(name: str) -> str:
    """Strangers' names, as a menu shows them."""
    name = harmless(name).replace("&", "&&")
    return name if len(name) <= _MOST_LETTERS else f"…{name[-_MOST_LETTERS:]}"

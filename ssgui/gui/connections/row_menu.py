"""What can be done with one connection."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtWidgets import QMenu, QWidget

from ssgui.gui import icons
from ssgui.gui.frame.menus import rounded
from ssgui.gui.frame.painting import harmless
from ssgui.gui.texts import tr
from ssgui.protocol.address import bracketed, split_host_port
from ssgui.rules.acl import Route
from ssgui.rules.address_forms import stays_here
from ssgui.services.connections.records import Connection
from ssgui.services.rules.own_rules import domain_of

_MOST_LETTERS = 48


@dataclass(frozen=True)
class RowDeeds:
    """What happens when an entry is chosen; without `curl` there is no such entry."""

    rule: Callable[[str, Route], None]
    explain: Callable[[str], None]
    close: Callable[[], None]
    reset_host: Callable[[], None]
    copy: Callable[[], None]
    curl: Callable[[], None] | None = None


def same_host(one: Connection, others: Iterable[Connection]) -> list[Connection]:
    """Those of `others` that go to the same host as `one`, at whatever port."""
    host = split_host_port(one.target)[0].casefold()
    return [other for other in others if host and split_host_port(other.target)[0].casefold() == host]


def row_menu(parent: QWidget, one: Connection, deeds: RowDeeds) -> QMenu:
    """A menu for `one`; rules are for its host, and for the site that this belongs to."""
    menu = rounded(QMenu(parent))
    host, port = split_host_port(one.target)
    if host:
        _rules(menu, host, port, deeds)
        menu.addAction(icons.icon("copy"), tr("Copy the target")).triggered.connect(deeds.copy)
        if deeds.curl is not None:
            menu.addAction(icons.icon("terminal"), tr("Copy as curl")).triggered.connect(deeds.curl)
        menu.addSeparator()
    if one.live:
        menu.addAction(icons.icon("close"), tr("Close the connection")).triggered.connect(deeds.close)
    if host:
        text = tr("Reset connections to {host}", host=_short(host))
        menu.addAction(icons.icon("refresh"), text).triggered.connect(deeds.reset_host)
    menu.aboutToHide.connect(menu.deleteLater)
    return menu


def _rules(menu: QMenu, host: str, port: int, deeds: RowDeeds) -> None:
    names = list(dict.fromkeys((host, domain_of(host))))
    for route, icon in ((Route.PROXY, "plane"), (Route.DIRECT, "chevron-right")):
        for name in names:
            short = _short(name)
            direct = route is Route.DIRECT
            text = tr("Always direct: {host}", host=short) if direct else tr("Always proxy: {host}", host=short)
            action = menu.addAction(icons.icon(icon), text)
            action.setEnabled(direct or not stays_here(name))
            action.triggered.connect(lambda _=False, name=name, route=route: deeds.rule(name, route))
    menu.addSeparator()
    shape = bracketed(host)
    url = f"https://{shape}/" if port == 443 else f"http://{shape}/"
    menu.addAction(icons.icon("rules"), tr("Why does it go there?")).triggered.connect(lambda: deeds.explain(url))
    menu.addSeparator()


def _short(name: str) -> str:
    """Strangers' names, as a menu shows them."""
    name = harmless(name).replace("&", "&&")
    return name if len(name) <= _MOST_LETTERS else f"…{name[-_MOST_LETTERS:]}"

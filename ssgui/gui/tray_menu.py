"""The tray's menu: what a person wants without opening the window. Nothing is only here.

Its actions are made once and follow what is known; desktops that draw the menu themselves are told of what
changed, and only of that.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec
from PySide6.QtGui import QAction, QActionGroup, QGuiApplication, QIcon
from PySide6.QtWidgets import QMenu

from ssgui.app.proxy_commands import SHELLS
from ssgui.config.app_config import AppConfig, Choice, Mode, Server
from ssgui.gui import icons, theme, words
from ssgui.gui.frame.header import glyph
from ssgui.gui.frame.menus import rounded
from ssgui.gui.frame.painting import harmless
from ssgui.gui.modes import copy_command
from ssgui.gui.presenter import Presenter
from ssgui.gui.texts import tr
from ssgui.gui.units import span
from ssgui.services.diagnosis.evidence import Verdict
from ssgui.system.integration.setting import Feature

MOST_SERVERS = 20
_MOST_LETTERS = 40
# Only menus that Qt draws have a column for what stands behind a tab.
_GAP = "\t" if sys.platform == "win32" else " · "


@dataclass(frozen=True, slots=True)
class _Known:
    """What the menu shows."""

    config: AppConfig
    verdict: Verdict
    latencies: tuple[float | None, ...]
    pause: str
    listening: bool
    modes: set[Mode]
    by_bus: bool
    theme: str
    login: bool

    def looks_like(self, other: "_Known | None") -> bool:
        """Configurations are replaced, never changed, and an age is not shown."""
        return (
            other is not None
            and self.config is other.config
            and (self.verdict.kind, self.verdict.server) == (other.verdict.kind, other.verdict.server)
            and self.latencies == other.latencies
            and (self.pause, self.listening, self.modes) == (other.pause, other.listening, other.modes)
            and (self.by_bus, self.theme) == (other.by_bus, other.theme)
            and self.login is other.login
        )


class TrayMenu(QMenu):
    """Does everything through the presenter and its context."""

    def __init__(self, presenter: Presenter) -> None:
        super().__init__()
        self._presenter, self._context = presenter, presenter.context
        self._known: _Known | None = None
        self.by_bus = False  # whether the panel draws it, told over D-Bus
        self._shown: tuple[tuple[str, str], ...] | None = None
        self._rows: dict[str, QAction] = {}
        self.state = self._add("", lambda: None)
        self.state.setEnabled(False)
        self._add(tr("Open ssgui"), presenter.show_window)
        self.addSeparator()
        self.modes = self._make_modes()
        self.addSeparator()
        self.servers = self._make_servers()
        self._make_add_menu()
        self.addSeparator()
        self.pac = self._make_pac()
        self.commands = self._make_commands()
        self._add(tr("Connections…"), partial(presenter.show_page, "connections"))
        self.addSeparator()
        self.direct = self._add("", self._turn_pause)
        self.share = self._add(tr("Share with local network"), self._share, checkable=True)
        self.login = self._add(tr("Start at login"), self._turn_login, checkable=True)
        self.login.setVisible(presenter.integrating.has(Feature.LOGIN))
        self._add(tr("Settings…"), partial(presenter.show_page, "settings"))
        self._make_help()
        self.addSeparator()
        self._add(tr("Quit"), presenter.leave)
        self.aboutToShow.connect(self.refresh)
        for menu in (self, *self.findChildren(QMenu)):  # its corners are round
            rounded(menu)
        self.refresh()

    # ---- making

    def _add(
        self, text: str, act: Callable[[], object], menu: QMenu | None = None, *, checkable: bool = False
    ) -> QAction:  # fmt: skip
        action = (menu or self).addAction(text)
        action.setCheckable(checkable)
        action.triggered.connect(lambda _checked=False: act())
        return action

    def _make_modes(self) -> dict[Mode, QAction]:
        group, made = QActionGroup(self), {}
        names = {
            Mode.OFF: tr("Off"),
            Mode.PAC: tr("PAC: listed sites"),
            Mode.RULES: tr("Rules: every program"),
            Mode.GLOBAL: tr("Global: everything"),
        }
        for mode, name in names.items():
            made[mode] = self._add(name, partial(self._presenter.modes.choose, mode), checkable=True)
            group.addAction(made[mode])
        return made

    def _make_servers(self) -> QMenu:
        menu = self.addMenu(tr("Servers"))
        self._choices = QActionGroup(self)
        self.automatic = {}
        names = {
            Choice.FASTEST: tr("Automatic: lowest latency"),
            Choice.FAILOVER: tr("Automatic: switch on failure"),
        }
        for choice, name in names.items():
            choose = partial(self._context.change_settings, choice=choice)
            self.automatic[choice] = self._add(name, choose, menu, checkable=True)
            self._choices.addAction(self.automatic[choice])
        menu.addSeparator()
        self._end_of_rows = menu.addSeparator()
        self._test_all = self._add(tr("Test all"), self._test, menu)
        self._add(tr("Edit servers…"), partial(self._presenter.show_page, "servers"), menu)
        return menu

    def _make_add_menu(self) -> None:
        menu = self.addMenu(tr("Add server"))
        menu.addActions(self._presenter.servers.menu.actions())
        menu.triggered.connect(partial(self._presenter.show_page, "servers"))

    def _make_pac(self) -> QMenu:
        menu, rules = self.addMenu(tr("PAC")), self._presenter.rules
        self._copy_pac = self._add(tr("Copy PAC URL"), self._copy_pac_url, menu)
        self._add(tr("Edit my rules…"), partial(self._on_rules, rules.edit), menu)
        self._add(tr("Update the lists"), lambda: rules.updates.update(), menu)
        self._add(tr("Where does an address go?"), partial(self._on_rules, partial(rules.explain, "")), menu)
        return menu

    def _make_commands(self) -> QMenu:
        menu = self.addMenu(tr("Copy proxy command"))
        for shell, name in SHELLS.items():
            self._add(name, partial(self._copy_command, shell), menu)
        return menu

    def _make_help(self) -> None:
        menu = self.addMenu(tr("Help"))
        self._add(tr("Logs"), partial(self._presenter.show_page, "logs"), menu)
        self._add(tr("Leak check…"), self._presenter.show_leaks, menu)
        self._add(tr("Diagnose…"), self._presenter.show_diagnosis, menu)
        self._add(tr("About ssgui"), self._presenter.show_about, menu)

    # ---- showing

    def refresh(self) -> None:
        """Take in what has changed; nothing is done when nothing has."""
        context = self._context
        shown = context.config.servers[:MOST_SERVERS]
        known = _Known(
            context.config,
            context.verdict(),
            tuple(self._presenter.states.latency(server.id) for server in shown),
            words.direct_for(context.pause.left()) if context.pause.left() else "",
            context.proxy.relay is not None,
            self._presenter.modes.available(),
            self.by_bus,
            theme.current().name,
            self._presenter.integrating.is_on(Feature.LOGIN),
        )
        if not known.looks_like(self._known):
            self._known = known
            self._show(known)

    def _show(self, known: "_Known") -> None:
        config = known.config
        latency = self._presenter.states.latency(config.current)
        self.line = words.one_line(known.verdict, latency)
        self.state.setText(self._plain(self.line))
        self.state.setIcon(_state_icon(known.verdict.kind))
        for mode, action in self.modes.items():
            action.setChecked(config.settings.mode is mode)
            action.setEnabled(mode in known.modes)
        self._show_servers(config.servers[:MOST_SERVERS], known.latencies)
        self.commands.setEnabled(known.listening)
        self._copy_pac.setEnabled(known.listening)
        self.direct.setText(
            tr("Resume · {state}", state=known.pause) if known.pause else tr("Go direct for 15 minutes")
        )
        self.direct.setEnabled(known.listening or bool(known.pause))
        self.share.setChecked(config.settings.share)
        self.login.setChecked(known.login)

    def _plain(self, text: str) -> str:
        """Strangers' words as a menu shows them: in one line, not too long."""
        text = harmless(text)
        if len(text) > _MOST_LETTERS:
            text = text[: _MOST_LETTERS - 1].rstrip() + "…"
        return literal(text, by_bus=self.by_bus)

    def _show_servers(self, servers: tuple[Server, ...], latencies: tuple[float | None, ...]) -> None:
        shown = tuple((server.id, server.name) for server in servers)
        if shown != self._shown:
            self._shown = shown
            self._rebuild(servers)
        settings = self._context.config.settings
        for choice, action in self.automatic.items():
            action.setChecked(settings.choice is choice)
            action.setEnabled(len(servers) > 1 or settings.choice is choice)
        for server, seconds in zip(servers, latencies, strict=True):
            action = self._rows[server.id]
            latency = _GAP + " ".join(span(seconds)) if seconds is not None else ""
            action.setText(self._plain(server.name) + latency)
            chosen = settings.choice is Choice.ONE and server.id == self._context.config.current
            action.setChecked(chosen)
        self._test_all.setEnabled(bool(servers))
        self._end_of_rows.setVisible(bool(servers))

    def _rebuild(self, servers: tuple[Server, ...]) -> None:
        for action in self._rows.values():
            self._choices.removeAction(action)
            self.servers.removeAction(action)
            action.deleteLater()
        self._rows = {}
        for server in servers:
            action = QAction(self)
            action.setCheckable(True)
            action.triggered.connect(partial(self._use, server.id))
            self._choices.addAction(action)
            self.servers.insertAction(self._end_of_rows, action)
            self._rows[server.id] = action

    # ---- doing

    def _use(self, identity: str, _checked: bool = False) -> None:
        config = self._context.config
        settings = msgspec.structs.replace(config.settings, choice=Choice.ONE)
        self._context.change(msgspec.structs.replace(config, current=identity, settings=settings))

    def _test(self) -> None:
        self._presenter.tests.start(server.id for server in self._context.config.servers)

    def _copy_command(self, shell: str) -> None:
        copy_command(self._context, shell)

    def _copy_pac_url(self) -> None:
        QGuiApplication.clipboard().setText(self._context.pac_url())

    def _on_rules(self, act: Callable[[], None]) -> None:
        act()
        self._presenter.show_window()

    def _turn_pause(self) -> None:
        pause = self._context.pause
        if pause.left():
            pause.end()
        else:
            pause.begin()

    def _turn_login(self) -> None:
        wanted = self.login.isChecked()
        self.login.setChecked(not wanted)  # until the system says that it is so
        self._presenter.integrating.turn(Feature.LOGIN, wanted)

    def _share(self) -> None:
        self._context.change_settings(share=not self._context.config.settings.share)


def literal(text: str, *, by_bus: bool) -> str:
    """`text` for a menu in which no letter is to be underlined.

    Qt marks that letter with an ampersand, and turns the first one into the underscore that dbusmenu has for it;
    underscores that were there before it leaves as they are.
    """
    if not by_bus:
        return text.replace("&", "&&")
    return text.replace("_", "__").replace("&", "&&", 1)


def _state_icon(kind: str) -> QIcon:
    """In its colour, although the line cannot be chosen."""
    name, token = glyph(kind)
    made, coloured = QIcon(), icons.icon(name, token).pixmap(16, 16)
    made.addPixmap(coloured, QIcon.Mode.Normal)
    made.addPixmap(coloured, QIcon.Mode.Disabled)
    return made

"""Settings: one scrolling column, applied at once."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QIntValidator, QShowEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ssgui.app.context import AppContext, new_secret
from ssgui.config.addresses import parse_proxy
from ssgui.config.app_config import Choice, HistoryHosts, Mode, Settings
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError
from ssgui.engine.upstream.latency import probe_request
from ssgui.gui.frame.fields import ComboBox
from ssgui.gui.frame.menus import rounded
from ssgui.gui.frame.switch import Switch
from ssgui.gui.modes import fill_with_commands
from ssgui.gui.settings.rows import SettingRow, Tall, heading
from ssgui.gui.texts import LANGUAGES, tr
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.stream_ciphers import STREAM_METHODS
from ssgui.rules.model import PolicyMode
from ssgui.services.history.recorder import DAYS, MEGABYTES
from ssgui.services.updates import releases
from ssgui.system.integration.setting import Feature

COLUMN = 640


class SettingsPage(QWidget):
    """`keyring` asks to turn the protection by the system's keyring on or off, `diagnosing` for the bundle.

    `clearing` asks to forget the history.
    `integrating` asks to turn a `Feature` of the system on or off; `shown` is emitted whenever the page appears.
    """

    keyring = Signal(bool)
    diagnosing = Signal()
    leaks = Signal()
    clearing = Signal()
    integrating = Signal(str, bool)
    shown = Signal()

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self._filling = False
        self.rows: dict[str, SettingRow] = {}
        body = Tall(self)
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(20, 20, 20, 40)
        self._column.setSpacing(4)
        self._general()
        self._network()
        self._ways()
        self._system_proxy()
        self._rules()
        self._updates()
        self._privacy()
        self._column.addStretch(1)
        body.setMaximumWidth(COLUMN + 40)
        scroll = self._scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        outer = QWidget(scroll)
        centred = QVBoxLayout(outer)
        centred.setContentsMargins(0, 0, 0, 0)
        centred.addWidget(body)
        scroll.setWidget(outer)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)
        self.refresh()

    # ---- making

    def _head(self, text: str) -> None:
        if self._column.count():
            self._column.addSpacing(20)
        self._column.addWidget(heading(text, self))

    def _row(self, key: str, label: str, control: QWidget, note: str = "") -> SettingRow:
        row = self.rows[key] = SettingRow(label, control, note, self)
        self._column.addWidget(row)
        return row

    def _switch(self, key: str, label: str, note: str = "") -> None:
        control = Switch(self)
        control.clicked.connect(lambda on: self._set(**{key: on}))
        self._row(key, label, control, note)

    def _feature(self, feature: Feature, label: str, note: str = "") -> None:
        """Of the system, not of the configuration: it is shown once the system is known to have it."""
        control = Switch(self)
        control.clicked.connect(lambda on: self.integrating.emit(str(feature), on))
        self._row(str(feature), label, control, note).hide()

    def _choice(self, key: str, label: str, entries: list[tuple[str, str]], note: str = "") -> None:
        box = ComboBox(self)
        box.setMinimumWidth(220)
        for data, text in entries:
            box.addItem(text, data)
        box.activated.connect(lambda _index: self._set(**{key: box.currentData()}))
        self._row(key, label, box, note)

    def _number(self, key: str, label: str, low: int, high: int, note: str = "") -> None:
        edit = QLineEdit(self)
        edit.setValidator(QIntValidator(low, high, edit))
        edit.setFixedWidth(100)
        edit.setAlignment(Qt.AlignmentFlag.AlignRight)
        edit.editingFinished.connect(lambda: self._set(**{key: int(edit.text())}))
        self._row(key, label, edit, note)

    def _text(self, key: str, label: str, note: str = "", *, secret: bool = False, wide: bool = False) -> None:
        edit = QLineEdit(self)
        edit.setFixedWidth(220 if not wide else 300)
        if secret:
            edit.setEchoMode(QLineEdit.EchoMode.Password)
        edit.editingFinished.connect(lambda: self._typed(key, edit.text(), secret=secret))
        self._row(key, label, edit, note)

    def _general(self) -> None:
        self._head(tr("General"))
        languages = [("", tr("As the system")), *LANGUAGES.items()]
        self._choice("language", tr("Language"), languages, tr("After the next start."))
        themes = [("", tr("As the system")), ("light", tr("Light")), ("dark", tr("Dark"))]
        self._choice("theme", tr("Appearance"), themes)
        modes = [("", tr("As it was left")), (str(Mode.OFF), tr("Off")), (str(Mode.PAC), tr("PAC")),
                 (str(Mode.RULES), tr("Rules")), (str(Mode.GLOBAL), tr("Global"))]  # fmt: skip
        self._choice("start_mode", tr("Mode at start"), modes)
        self._feature(Feature.LOGIN, tr("Start at login"))
        self._switch("start_minimised", tr("Start without a window"), tr("Only where there is a tray to find it in."))
        note = tr("What a link holds is shown before it is added.")
        self._feature(Feature.LINKS, tr("Open ss:// links with ssgui"), note)

    def _network(self) -> None:
        self._head(tr("Network"))
        self._number("local_port", tr("Port"), 1, 65535, tr("Programs find the proxy here: SOCKS and HTTP."))
        choices = [
            (Choice.ONE, tr("The chosen one only")),
            (Choice.FAILOVER, tr("Automatic: switch on failure")),
            (Choice.FASTEST, tr("Automatic: lowest latency")),
        ]
        self._choice("choice", tr("Server"), [(str(value), text) for value, text in choices])
        self._switch("share", tr("Share with your network"))
        self._text("user", tr("User name for others"))
        self._text("user_password", tr("Password for others"), secret=True)
        self._switch("udp", tr("Carry UDP"), tr("For calls, games and QUIC. Plugins carry TCP only."))
        self._switch("prefer_ipv6", tr("Prefer IPv6 on the way to the server"))
        self._switch("fast_open", tr("TCP Fast Open"), tr("Some networks drop such packets; it then turns itself off."))
        self._text(
            "probe_url", tr("Page for tests"), tr("Fetched through a server to see whether it works."), wide=True
        )

    def _system_proxy(self) -> None:
        self._head(tr("System proxy"))
        note = tr("PAC, Rules and Global then only say where ssgui sends what comes to it.")
        if self.context.system_proxy.backend is None:
            note = tr("This desktop has no system proxy.")
        self._switch("leave_system_proxy", tr("Leave the system proxy alone"), note)
        button = QPushButton(tr("Copy"), self)
        menu = rounded(QMenu(button))
        fill_with_commands(menu, self.context)
        button.setMenu(menu)
        self._row("proxy_command", tr("Proxy command"), button, tr("Tells the programs of one terminal of the proxy."))
        note = tr("Windows keeps them from this computer's own ports. Wants an administrator; again after new apps.")
        self._feature(Feature.STORE_APPS, tr("Let apps from the store use the proxy"), note)

    def _rules(self) -> None:
        self._head(tr("Rules and PAC"))
        modes = [(PolicyMode.LIST, tr("goes directly")), (PolicyMode.BYPASS, tr("goes through the proxy"))]
        note = tr("Private addresses and names of this network are always direct.")
        self._choice("rules_mode", tr("What no rule knows"), [(str(value), text) for value, text in modes], note)
        note = tr("A browser then goes past the proxy, unprotected, whenever ssgui does not answer.")
        self._switch("fail_open", tr("Browsers go directly if ssgui does not run"), note)
        note = tr("For lists of address ranges, in Rules mode: this network's DNS then hears the names.")
        self._switch("ask_dns", tr("Look names up to judge them by address"), note)
        button = QPushButton(tr("New address"), self)
        button.clicked.connect(lambda: self._set(pac_secret=new_secret()))
        self._row(
            "pac_address", tr("Address of the PAC"), button, tr("Other devices that use it then need the new one.")
        )

    def _ways(self) -> None:
        control = Switch(self)
        control.clicked.connect(lambda on: self._set(legacy_methods=tuple(STREAM_METHODS) if on else ()))
        self._row("old_methods", tr("Allow old methods"), control, tr("For servers that offer nothing else."))
        self._text("upstream_proxy", tr("Proxy on the way to the servers"), _way_note(), secret=True, wide=True)

    def _updates(self) -> None:
        self._head(tr("Updates"))
        note = tr("Asked through the proxy, once a day. Nothing is installed by itself.")
        self._switch("check_updates", tr("Look for new versions"), note)
        note = tr("Whoever watches this network then sees which provider and lists you use.")
        self._switch("fetch_directly", tr("Fetch subscriptions and lists directly if the proxy fails"), note)

    def _privacy(self) -> None:
        self._head(tr("Privacy and logs"))
        self._row("keyring", tr("Protect passwords with the system's keyring"), self._keyring_switch(),
                  tr("The settings file then holds them sealed."))  # fmt: skip
        button = QPushButton(tr("Leak check…"), self)
        button.clicked.connect(self.leaks)
        self._row(
            "leaks",
            tr("What shows to others"),
            button,
            tr("Who looks names up, what goes past the server, who reaches the port."),
        )
        self._history()
        levels = [("info", tr("What went wrong")), ("debug", tr("Every connection and where it goes"))]
        self._choice("log_level", tr("Log"), levels)
        button = QPushButton(tr("Save a diagnosis…"), self)
        button.clicked.connect(self.diagnosing)
        self._row("diagnose", tr("Diagnosis"), button, tr("Settings and log without passwords, to show to somebody."))

    def _history(self) -> None:
        note = tr("Of connections that have ended: when, which program and server, how much, and how it ended.")
        self._switch("keep_history", tr("Keep a history"), note)
        hosts = [(HistoryHosts.NONE, tr("Leave out")), (HistoryHosts.HASHED, tr("As codes")),
                 (HistoryHosts.CLEAR, tr("By name"))]  # fmt: skip
        self._choice("history_hosts", tr("Sites in the history"), [(str(value), text) for value, text in hosts])
        self._number("history_days", tr("Days to keep it"), *DAYS)
        self._number("history_megabytes", tr("Megabytes at most"), *MEGABYTES, tr("Then the oldest goes first."))
        button = QPushButton(tr("Clear history"), self)
        button.clicked.connect(self.clearing)
        self._row(
            "clear_history", tr("History until now"), button, tr("It is overwritten on the disk, not only hidden.")
        )

    def _keyring_switch(self) -> Switch:
        control = Switch(self)
        control.clicked.connect(self.keyring)
        return control

    # ---- showing and doing

    def refresh(self) -> None:
        """The configuration changed."""
        settings = self.context.config.settings
        self._filling = True
        for key, row in self.rows.items():
            if hasattr(settings, key):
                _fill(row.control, getattr(settings, key))
        _fill(self.rows["old_methods"].control, settings.legacy_methods)
        self._show_old_methods(settings)
        self._filling = False
        self.rows["proxy_command"].control.setEnabled(bool(self.context.address))
        self._show_sharing(settings)
        self._show_hosts(settings)

    def _show_hosts(self, settings: Settings) -> None:
        notes = {
            HistoryHosts.NONE: tr("Where connections went is not written down."),
            HistoryHosts.HASHED: tr(
                "Equal sites have equal codes. Who has this computer's files can still check a guess."
            ),
            HistoryHosts.CLEAR: tr("Whoever reads this computer's files sees where you went."),
        }
        hosts = settings.history_hosts
        self.rows["history_hosts"].set_note(notes[hosts], warning=hosts is HistoryHosts.CLEAR)

    def _show_old_methods(self, settings: Settings) -> None:
        old = tr("Anybody on the way can change what they carry, unnoticed.")
        note = old if settings.legacy_methods else tr("For servers that offer nothing else.")
        self.rows["old_methods"].set_note(note, warning=bool(settings.legacy_methods))

    def _show_sharing(self, settings: Settings) -> None:
        for key in ("user", "user_password"):
            self.rows[key].setVisible(settings.share)
        open_door = settings.share and not (settings.user and settings.user_password)
        note = tr("Everybody who reaches this computer can use the proxy. Set a name and a password below.")
        closed = tr("Other devices can use the proxy with the name and password below.")
        off = tr("Only programs on this computer use the proxy.")
        self.rows["share"].set_note(note if open_door else closed if settings.share else off, warning=open_door)

    def showEvent(self, event: QShowEvent) -> None:
        """A build that has nowhere to look for versions does not offer to; to find out takes a while."""
        self.rows["check_updates"].setVisible(releases() is not None)

        self.shown.emit()

    def show_integration(self, feature: Feature, *, there: bool, on: bool) -> None:
        """How a feature of the system is, where it is there."""
        row = self.rows[str(feature)]
        row.setVisible(there)
        _fill(row.control, on)

    def reveal(self, key: str) -> None:
        """Scroll to a setting, and put the keyboard there."""
        row = self.rows[key]
        self._scroll.ensureWidgetVisible(row)
        row.control.setFocus(Qt.FocusReason.OtherFocusReason)

    def recolour(self) -> None:
        """The theme changed."""
        for row in self.rows.values():
            row.recolour()
        self._show_old_methods(self.context.config.settings)
        self._show_sharing(self.context.config.settings)
        self._show_hosts(self.context.config.settings)

    def _set(self, **values: Any) -> None:
        if self._filling:
            return
        if "rules_mode" in values:
            values["rules_mode"] = PolicyMode(values["rules_mode"])
        if "choice" in values:
            values["choice"] = Choice(values["choice"])
        if "history_hosts" in values:
            values["history_hosts"] = HistoryHosts(values["history_hosts"])
        self.context.change_settings(**values)

    def _typed(self, key: str, text: str, *, secret: bool) -> None:
        if key == "probe_url" and not _is_probe(text):
            self.rows[key].set_note(tr("It must be like http://example.com/path."), warning=True)
            return
        if key == "probe_url":
            self.rows[key].set_note(tr("Fetched through a server to see whether it works."))
        if key == "upstream_proxy":
            text = text.strip()
            wrong = bool(text) and not _is_proxy(text)
            example = tr("It must be like socks5://127.0.0.1:9050 or http://name:password@host:port.")
            self.rows[key].set_note(example if wrong else _way_note(), warning=wrong)
            if wrong:
                return
        sealed = self.context.config.settings.sealed
        if key in sealed and (text or edit_of(self.rows[key]).isModified()):
            self._set(sealed={name: one for name, one in sealed.items() if name != key})
        self._set(**{key: Secret(text) if secret else text.strip()})


def _fill(control: QWidget, value: Any) -> None:
    if isinstance(control, Switch):
        control.setChecked(bool(value))
    elif isinstance(control, ComboBox):
        control.setCurrentIndex(max(0, control.findData(str(value))))
    elif isinstance(control, QLineEdit) and not control.hasFocus():
        control.setText(value.reveal() if isinstance(value, Secret) else str(value))
        control.setCursorPosition(0)


def edit_of(row: SettingRow) -> QLineEdit:
    """The line of a row that has one."""
    assert isinstance(row.control, QLineEdit)
    return row.control


def _way_note() -> str:
    return tr("A SOCKS5 or HTTP proxy that this network wants, or Tor. TCP only, and no plugins.")


def _is_proxy(text: str) -> bool:
    try:
        parse_proxy(text)
    except ConfigError:
        return False
    return True


def _is_probe(text: str) -> bool:
    try:
        probe_request(text.strip())
    except LocalProtocolError:
        return False
    return True

"""One server's details: typed, checked as they are left, kept as a draft until they are saved."""

import shlex

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ssgui.config.app_config import Server
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError, parse_host, parse_port
from ssgui.gui import icons, theme
from ssgui.gui.frame.fields import ChoiceField, Field, SecretField
from ssgui.gui.reasons import reason
from ssgui.gui.servers.methods import fill_methods, is_legacy
from ssgui.gui.texts import tr
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.methods import check_password, find_method

PLUGINS = ("obfs-local", "v2ray-plugin", "xray-plugin", "kcptun")


def check_host(text: str) -> str:
    """What is wrong with an address."""
    if not text.strip():
        return tr("The address is missing.")
    try:
        parse_host(text)
    except ConfigError:
        return tr("This is no host name or address.")
    return ""


def check_port(text: str) -> str:
    """What is wrong with a port."""
    try:
        parse_port(text)
    except ConfigError:
        return tr("Port must be 1–65535.")  # noqa: RUF001  an en dash, as ranges have
    return ""


class ServerEditor(QWidget):
    """`saved` carries the server as it was edited; `changed` whether it differs from what was opened."""

    saved = Signal(object)
    changed = Signal(bool)
    tested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._server: Server | None = None
        self._filling = False
        self.name = Field(tr("Name"), parent=self)
        self.host, self.port = Field(tr("Address"), check_host, self), Field(tr("Port"), check_port, self)
        self.password = SecretField(tr("Password"), self._check_password, self)
        self.method = ChoiceField(tr("Method"), free=False, parent=self)
        fill_methods(self.method.box)
        self._weak = QLabel(tr("This method does not protect against changes on the way."), self)
        self._weak.setWordWrap(True)
        self.plugin = ChoiceField(tr("Plugin"), free=True, parent=self)
        self.options = Field(tr("Plugin options"), parent=self)
        self.arguments = Field(tr("Plugin arguments"), self._check_arguments, self)
        self.group = ChoiceField(tr("Group"), free=True, parent=self)
        self.test = QPushButton(icons.icon("pulse", "text"), " " + tr("Test"), self)
        self.status = QLabel(self)
        self.revert, self.save = QPushButton(tr("Revert"), self), QPushButton(tr("Save"), self)
        self._lay_out()
        self._connect()

    # ---- making

    def _lay_out(self) -> None:
        form = QWidget(self)
        column = QVBoxLayout(form)
        column.setContentsMargins(20, 8, 20, 20)
        column.setSpacing(12)
        address = QHBoxLayout()
        address.setSpacing(8)
        address.addWidget(self.host, 2, Qt.AlignmentFlag.AlignTop)
        address.addWidget(self.port, 1, Qt.AlignmentFlag.AlignTop)
        column.addWidget(self.name)
        column.addLayout(address)
        for widget in (self.password, self.method, self._weak, self.plugin, self.options, self.arguments, self.group):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setWidget(form)
        foot = QHBoxLayout()
        foot.setContentsMargins(20, 12, 20, 16)
        foot.setSpacing(8)
        self.status.setObjectName("status")  # empty while there is nothing to say
        self.status.setFont(theme.font(12))
        self.save.setProperty("kind", "primary")
        self.revert.setProperty("kind", "quiet")
        foot.addWidget(self.test)
        foot.addWidget(self.status, 1)
        foot.addWidget(self.revert)
        foot.addWidget(self.save)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(scroll, 1)
        whole.addLayout(foot)

    def _connect(self) -> None:
        for field in self.fields():
            field.changed.connect(self._edited)
        for choice in (self.method, self.plugin, self.group):
            choice.changed.connect(self._edited)
        self.revert.clicked.connect(lambda: self.open(self._server))
        self.save.clicked.connect(self._save)
        self.test.clicked.connect(self._test)

    def fields(self) -> tuple[Field, ...]:
        """Everything that can be typed."""
        return (self.name, self.host, self.port, self.password, self.options, self.arguments)

    # ---- filling and reading

    def open(self, server: Server | None, draft: Server | None = None, groups: tuple[str, ...] = ()) -> None:
        """Show `server`, or the `draft` of it that was left."""
        self._server = server
        shown = draft or server
        if server is None or shown is None:
            return
        self._filling = True
        self._offer(self.plugin, [("", tr("None")), *((name, name) for name in PLUGINS)])
        self._offer(self.group, [("", tr("My servers")), *((name, name) for name in groups if name)])
        self.name.set_text(shown.remarks)
        self.host.set_text(shown.host)
        self.port.set_text(str(shown.port))
        self.method.set_value(shown.method)
        self.password.set_text(shown.password.reveal())
        self.plugin.set_value(shown.plugin)
        self.options.set_text(shown.plugin_opts)
        self.arguments.set_text(shown.plugin_args)
        self.group.set_value(shown.group)
        self._filling = False
        self._edited()

    @staticmethod
    def _offer(field: ChoiceField, entries: list[tuple[str, str]]) -> None:
        field.box.clear()
        for data, text in entries:
            field.box.addItem(text, data)

    def draft(self) -> Server | None:
        """The server as it stands in the form; None while its port is no number."""
        if self._server is None or not self.port.text().strip().isdigit():
            return None
        return msgspec.structs.replace(
            self._server,
            remarks=self.name.text().strip(),
            host=self.host.text().strip().removeprefix("[").removesuffix("]"),
            port=int(self.port.text()),
            method=self.method.value(),
            password=Secret(self.password.text()),
            sealed="" if self.password.text() else self._server.sealed,
            plugin=self.plugin.value(),
            plugin_opts=self.options.text().strip() if self.plugin.value() else "",
            plugin_args=self.arguments.text().strip() if self.plugin.value() else "",
            group=self.group.value(),
        )

    def dirty(self) -> bool:
        """Whether it differs from what was opened."""
        return self._server is not None and self.draft() != self._server

    def problems(self) -> bool:
        """Show what is wrong in every field; True if something is."""
        shown = [field for field in self.fields() if field.isVisibleTo(self)]
        return [field.validate() for field in shown].count(False) > 0

    # ---- checks

    def _check_password(self, text: str) -> str:
        if not text:
            return tr("The password is missing.")
        try:
            check_password(find_method(self.method.value()), text)
        except LocalProtocolError as error:
            return "" if is_legacy(self.method.value()) else reason(str(error))
        return ""

    def _check_arguments(self, text: str) -> str:
        try:
            shlex.split(text)
        except ValueError:
            return tr("A quotation mark is not closed.")
        return ""

    # ---- what a person does

    def _edited(self) -> None:
        if self._filling:
            return
        with_plugin = bool(self.plugin.value())
        self.options.setVisible(with_plugin)
        self.arguments.setVisible(with_plugin)
        self._weak.setVisible(is_legacy(self.method.value()))
        self._weak.setStyleSheet(f"color: {theme.current().warn}")
        dirty = self.dirty()
        self.status.setText(tr("Unsaved changes") if dirty else "")
        self.save.setEnabled(dirty)
        self.revert.setEnabled(dirty)
        self.changed.emit(dirty)

    def _test(self) -> None:
        if self._server is not None:
            self.tested.emit(self._server.id)

    def _save(self) -> None:
        draft = self.draft()
        if self.problems() or draft is None:
            self.status.setText(tr("Not saved yet"))
            return
        self.saved.emit(draft)

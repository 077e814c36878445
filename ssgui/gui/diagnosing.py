"""A person wants help: a bundle of what is known, with as many names in it as they allow."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ssgui.app.commands.diagnose import FILE
from ssgui.app.context import AppContext
from ssgui.engine.tasks import run_blocking
from ssgui.gui import theme
from ssgui.gui.frame.switch import Switch
from ssgui.gui.saving import Files
from ssgui.gui.settings.rows import SettingRow
from ssgui.gui.texts import tr
from ssgui.gui.window import MainWindow


class DiagnosisDialog(QDialog):
    """What will be in the file, what will not, and one choice. `saving` carries whether names are hidden."""

    saving = Signal(bool)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("diagnosis")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Save a diagnosis"))
        self.setFixedWidth(480)
        heading = QLabel(tr("Save a diagnosis"), self)
        heading.setFont(theme.font(15, theme.SEMIBOLD))
        what = self._words(tr("One file to show to somebody who helps: version, system, settings, the state of each"
                              " server, how connections ended, and the log."))  # fmt: skip
        never = self._words(tr("Never in it: passwords, links, addresses of subscriptions, and where connections"
                               " went."))  # fmt: skip
        self.hide_hosts = Switch(self)
        self.hide_hosts.setChecked(True)
        note = tr("Servers are called “Server 1”, “Server 2”. Without it a log of every connection tells the sites.")
        row = SettingRow(tr("Hide names and addresses"), self.hide_hosts, note, self)
        self.cancel, self.save = QPushButton(tr("Cancel"), self), QPushButton(tr("Save…"), self)
        self.save.setProperty("kind", "primary")
        self.save.setDefault(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(8)
        for widget in (heading, what, never, row):
            column.addWidget(widget)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.save)
        column.addSpacing(4)
        column.addLayout(buttons)
        self.cancel.clicked.connect(self.reject)
        self.save.clicked.connect(self._save)

    def _words(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setWordWrap(True)
        return label

    def _save(self) -> None:
        hide = self.hide_hosts.isChecked()
        self.accept()
        self.saving.emit(hide)


class Diagnosing(QObject):
    """Opens the dialog and writes the file."""

    def __init__(self, context: AppContext, window: MainWindow, files: Files) -> None:
        super().__init__(window)
        self._context, self._window, self._files = context, window, files

    def ask(self) -> None:
        """Open the dialog."""
        dialog = DiagnosisDialog(self._window)
        dialog.saving.connect(self._save)
        dialog.open()

    def _save(self, hide_hosts: bool) -> None:
        from ssgui.app.bundle import from_app

        make = from_app(self._context, about_the_window())
        self._files.save(tr("Save a diagnosis"), FILE, "zip", partial(make, hide_hosts))

    async def write(self, path: Path, hide_hosts: bool) -> None:
        """Write it for the command, which has asked over the control channel. OSError."""
        from ssgui.app.bundle import from_app
        from ssgui.config.atomic_file import write_atomically

        make = from_app(self._context, about_the_window())
        await run_blocking(lambda: write_atomically(path, make(hide_hosts)))


def about_the_window() -> dict[str, object]:
    """What only the window knows."""
    screens = [[one.size().width(), one.size().height(), one.devicePixelRatio()] for one in QGuiApplication.screens()]
    return {"qt": qVersion(), "platform": QGuiApplication.platformName(), "screens": screens}

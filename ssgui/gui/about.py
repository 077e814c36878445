"""What this program is: its version, and those of what it stands on."""

import platform

import cryptography
from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from ssgui import __version__
from ssgui.gui import icons, theme
from ssgui.gui.texts import tr


def show_about(parent: QWidget) -> QDialog:
    """Open the dialog, or bring the one that is open to the front."""
    found = parent.findChild(AboutDialog)
    dialog = found or AboutDialog(parent)
    dialog.open()
    dialog.raise_()
    return dialog


class AboutDialog(QDialog):
    """Mark, name, version, licence; the versions can be selected, to be put into a report."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("about")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("About ssgui"))
        self.setFixedWidth(440)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 20)
        column.setSpacing(8)
        mark = QLabel(self)
        mark.setFixedSize(56, 56)
        mark.setPixmap(icons.logo(56, self.devicePixelRatioF()))
        name = self._line("ssgui", 20, theme.SEMIBOLD)
        what = self._line(tr("A Shadowsocks client and server that show what they do"), 13)
        self.versions = self._line(_versions(), 12)
        self.versions.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.versions.setAccessibleName(tr("Versions"))
        licence = self._line(tr("Free software under the Apache License 2.0"), 12)
        for widget in (mark, name, what, self.versions, licence):
            column.addWidget(widget)
        buttons = QDialogButtonBox(self)
        close = buttons.addButton(tr("Close"), QDialogButtonBox.ButtonRole.RejectRole)
        close.setDefault(True)
        close.clicked.connect(self.close)
        column.addSpacing(8)
        column.addWidget(buttons)

    def _line(self, text: str, size: int, weight: QFont.Weight = theme.REGULAR) -> QLabel:
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setFont(theme.font(size, weight))
        label.setWordWrap(True)
        return label


def _versions() -> str:
    return (
        f"ssgui {__version__} · Python {platform.python_version()} · Qt {qVersion()}"
        f" · cryptography {cryptography.__version__}\n{platform.platform(terse=True)}"
    )

"""Giving a server away: its link, and the same as a QR code."""

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ssgui.config.app_config import Server
from ssgui.config.documents.writers import link_of
from ssgui.gui import icons, theme
from ssgui.gui.adding.pictures import draw_code
from ssgui.gui.frame.fields import Field
from ssgui.gui.frame.painting import harmless
from ssgui.gui.texts import tr
from ssgui.protocol.errors import LocalProtocolError

SIDE = 320
SAVED_MODULE = 12  # pixels of a module in the file that is saved
_COPIED_MS = 2000


class QrCode(QWidget):
    """A code whose modules are whole pixels of the screen, dark on white in every theme."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.modules = QImage()
        self.setFixedSize(SIDE, SIDE)
        self.setAccessibleName(tr("QR code of the link"))
        try:
            self.modules = draw_code(text, 1)
        except ValueError:
            self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        pixels = int(SIDE * ratio)
        module = max(1, pixels // max(1, self.modules.width()))
        side = module * self.modules.width()
        picture = self.modules.scaled(QSize(side, side), mode=Qt.TransformationMode.FastTransformation)
        picture.setDevicePixelRatio(ratio)
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), theme.color(theme.LIGHT.bg))  # paper, in every theme
            painter.drawImage(QPoint(int((pixels - side) / 2 / ratio), int((pixels - side) / 2 / ratio)), picture)


class ShareDialog(QDialog):
    """`saving` carries the picture and the name that it may have."""

    saving = Signal(QImage, str)

    def __init__(self, server: Server, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("share")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Share a server"))
        self.link = link_of_server(server)
        self._name = server.name
        self.code = QrCode(self.link, self)
        title = QLabel(harmless(server.name), self)
        title.setTextFormat(Qt.TextFormat.PlainText)
        title.setFont(theme.font(15, theme.SEMIBOLD))
        title.setMaximumWidth(SIDE)
        title.setText(title.fontMetrics().elidedText(title.text(), Qt.TextElideMode.ElideMiddle, SIDE))
        self.field = Field(tr("Link"), parent=self)
        self.field.edit.setReadOnly(True)
        self.field.set_text(self.link)
        warning = QLabel(tr("The link and the code hold the password. Whoever has them can use this server."), self)
        warning.setWordWrap(True)
        warning.setFont(theme.font(12))
        warning.setStyleSheet(f"color: {theme.current().warn}")
        self.copy = QPushButton(icons.icon("copy", "on_accent"), " " + tr("Copy link"), self)
        self.copy.setProperty("kind", "primary")
        self.save = QPushButton(tr("Save as a picture…"), self)
        self.save.setEnabled(not self.code.modules.isNull())
        self.close_button = QPushButton(tr("Close"), self)
        self._lay_out(title, warning)
        self.copy.clicked.connect(self._copy)
        self.save.clicked.connect(lambda: self.saving.emit(draw_code(self.link, SAVED_MODULE), f"{self._name}.png"))
        self.close_button.clicked.connect(self.close)

    def _lay_out(self, title: QLabel, warning: QLabel) -> None:
        column = QVBoxLayout(self)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        for widget in (title, self.code, self.field, warning):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter if widget is self.code else Qt.AlignmentFlag(0))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.close_button)
        row.addStretch(1)
        row.addWidget(self.save)
        row.addWidget(self.copy)
        column.addLayout(row)
        self.copy.setDefault(True)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.link)
        self.copy.setText(" " + tr("Copied"))
        QTimer.singleShot(_COPIED_MS, self.copy, lambda: self.copy.setText(" " + tr("Copy link")))


def link_of_server(server: Server) -> str:
    """The link, "" where there can be none yet."""
    try:
        return link_of(server.profile())
    except (LocalProtocolError, ValueError):
        return ""

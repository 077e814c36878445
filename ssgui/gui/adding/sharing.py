"""Servers that leave the app: one as link and code, or all of them into a file."""

import uuid
from functools import partial
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject
from PySide6.QtGui import QImage, QImageWriter
from PySide6.QtWidgets import QWidget

from ssgui.app.context import AppContext
from ssgui.config.app_config import Server
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.gui.frame.notices import Notice
from ssgui.gui.saving import Files, ask_where
from ssgui.gui.texts import tr
from ssgui.gui.window import MainWindow

_NOTICE = "sharing"


class Sharing(QObject):
    """Opens the dialogs and writes the files."""

    def __init__(self, context: AppContext, window: MainWindow, files: Files) -> None:
        super().__init__(window)
        self._context, self._window, self._files = context, window, files

    def share(self, identity: str) -> None:
        """Show the link of a server."""
        from ssgui.gui.adding.share import ShareDialog, link_of_server

        server = self._context.config.server(identity)
        if server is None:
            return
        if not link_of_server(server):
            self._say(tr("This server cannot be shared yet."), tr("Its details are not complete."))
            return
        dialog = ShareDialog(server, self._window)
        dialog.saving.connect(partial(self._save_picture, dialog))
        dialog.open()

    def export(self) -> None:
        """Ask where, and write every server."""
        filters = {
            tr("Links, one a line (*.txt)"): ("links", "servers.txt"),
            tr("Online configuration, SIP008 (*.json)"): ("sip008", "servers.json"),
            tr("gui-config.json of shadowsocks-windows (*.json)"): ("gui-config", "gui-config.json"),
        }
        first = next(iter(filters))
        dialog = ask_where(self._window, tr("Export all servers"), filters[first][1])
        dialog.setNameFilters(list(filters))
        dialog.filterSelected.connect(lambda name: dialog.selectFile(filters[name][1]))
        dialog.fileSelected.connect(
            lambda path: spawn(self._export(Path(path), filters[dialog.selectedNameFilter()][0]), name="export servers")
        )
        dialog.open()

    def _save_picture(self, parent: QWidget, picture: QImage, name: str) -> None:
        dialog = ask_where(parent, tr("Save as a picture"), _file_name(name))
        dialog.setDefaultSuffix("png")
        dialog.fileSelected.connect(lambda path: spawn(self._write_picture(Path(path), picture), name="save a picture"))
        dialog.open()

    async def _write_picture(self, path: Path, picture: QImage) -> None:
        data = QByteArray()
        buffer = QBuffer(data)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        QImageWriter(buffer, QByteArray(b"png")).write(picture)
        await self._files.write(path, bytes(data.data()))

    async def _export(self, path: Path, form: str) -> None:
        servers = self._context.lasting().servers
        data = await run_blocking(_document, servers, form)
        if await self._files.write(path, data):
            count = len(servers)
            self._window.toast.say(tr("{count} servers written, with their passwords", count=count))

    def _say(self, fact: str, detail: str) -> None:
        self._window.banners.show_notice(Notice(_NOTICE, "err", fact, detail))


def _document(servers: tuple[Server, ...], form: str) -> bytes:
    from ssgui.config.documents import ImportedServer
    from ssgui.config.documents.writers import WRITERS

    wanted = [ImportedServer(one.profile(), one.id, one.group) for one in servers if one.host]
    return WRITERS[form](wanted, lambda: str(uuid.uuid4())).text.encode()


def _file_name(name: str) -> str:
    """`name` for every file system."""
    return "".join("_" if one in '<>:"/\\|?*' or not one.isprintable() else one for one in name).strip(" .")

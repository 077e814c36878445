"""The ways to add servers: each looks for some, and shows what it found before anything is added."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QGuiApplication, QImage, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog

from ssgui.app.adding import Found, look_through, merged, without
from ssgui.app.context import AppContext
from ssgui.app.other_apps import find_documents
from ssgui.config.app_config import Server
from ssgui.config.values import ConfigError
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.gui.adding.confirm import ConfirmDialog
from ssgui.gui.adding.drops import Drops
from ssgui.gui.adding.pictures import read_codes
from ssgui.gui.adding.screens import ScreenError, grab_screens
from ssgui.gui.frame.notices import Notice
from ssgui.gui.reasons import reason
from ssgui.gui.texts import tr
from ssgui.gui.window import MainWindow

_MOST_BYTES = 64 << 20  # of one file; pictures are larger than documents may be
_MOST_FILES = 100
_PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".svg", ".ico", ".ppm", ".tif", ".tiff"}
_NOTICE = "adding"
Documents = list[tuple[str, bytes]]


class Nothing(Exception):
    """There is nothing to add; says why, for people."""


class Adding(QObject):
    """`online` asks for a subscription to be added, with its address ("" for none yet)."""

    online = Signal(str)
    added = Signal()

    def __init__(self, context: AppContext, window: MainWindow) -> None:
        super().__init__(window)
        self._context, self._window = context, window
        self._drops = Drops(window, self.offer)
        for keys, key in (("Ctrl+Shift+Q", "screen"), ("Ctrl+I", "other")):
            QShortcut(QKeySequence(keys), window).activated.connect(partial(self.start, key))
        QShortcut(QKeySequence(QKeySequence.StandardKey.Paste), window).activated.connect(partial(self.start, "paste"))

    def start(self, key: str) -> None:
        """Begin one of the ways."""
        match key:
            case "paste":
                board: QMimeData | None = QGuiApplication.clipboard().mimeData()  # None where it was cleared
                self.offer(board or QMimeData(), tr("Nothing on the clipboard."))
            case "screen":
                self._look(self._from_screen)
            case "file":
                self._choose_file(tr("Open an image or a file"), "")
            case "other":
                self._look(self._from_other_apps)
            case "subscription":
                self.online.emit("")

    # ---- where it comes from

    def offer(self, data: QMimeData, empty: str = "") -> None:
        """Something that was pasted or dropped: files, a picture, or text."""
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        picture = data.imageData() if data.hasImage() else None
        if paths:
            self.offer_files(paths)
        elif isinstance(picture, QImage) and not picture.isNull():
            self._look(partial(self._from_pictures, [picture], tr("No QR code in this picture.")))
        elif text := data.text().strip():
            self.offer_text(text)
        elif empty:
            self._say(empty, tr("Copy a link, a picture of a QR code, or a file first."))

    def offer_text(self, text: str) -> None:
        """Links, or a document of any kind."""
        if _is_address(text):
            self.online.emit(text)
        else:
            self._look(partial(self._from_text, text))

    def offer_files(self, paths: list[Path]) -> None:
        """Files: pictures or documents."""
        self._look(partial(self._from_files, paths[:_MOST_FILES]))

    async def _from_text(self, text: str) -> Documents:
        return [("", text.encode("utf-8", "replace"))]

    async def _from_pictures(self, pictures: list[QImage], nothing: str) -> Documents:
        codes = await run_blocking(read_codes, pictures)
        if not codes:
            raise Nothing(nothing)
        return [("", "\n".join(codes).encode())]

    async def _from_files(self, paths: list[Path]) -> Documents:
        try:
            documents, pictures = await run_blocking(_read_files, paths)
        except OSError as error:
            raise Nothing(tr("{file} cannot be read.", file=Path(str(error.filename)).name)) from error
        if not pictures:
            return documents
        if codes := await run_blocking(read_codes, pictures):
            documents.append(("", "\n".join(codes).encode()))
        if not documents:
            raise Nothing(tr("No QR code in this picture."))
        return documents

    async def _from_screen(self) -> Documents:
        try:
            pictures = await grab_screens()
        except ScreenError as error:
            raise Nothing(tr("The screen cannot be read: {why}.", why=reason(str(error)))) from error
        return await self._from_pictures(pictures, tr("No QR code on any screen."))

    async def _from_other_apps(self) -> Documents:
        paths = await run_blocking(find_documents)
        if not paths:
            self._choose_file(tr("Import from another app"), str(Path.home()))
            return []
        documents, _ = await run_blocking(_read_files, paths)
        return documents

    def _choose_file(self, title: str, folder: str) -> None:
        dialog = QFileDialog(self._window, title, folder)
        dialog.setObjectName("choose-file")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self.offer_files([Path(name) for name in names]))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # ---- what is done with it

    def _look(self, get: Callable[[], object]) -> None:
        self._window.banners.withdraw(_NOTICE)
        spawn(self._find(get), name="look for servers")

    async def _find(self, get: Callable[..., object]) -> None:
        try:
            documents: Documents = await get()  # type: ignore[misc]
            if not documents:
                return
            found = await run_blocking(look_through, documents, self._context.config.servers)
        except Nothing as error:
            self._say(str(error))
        except ConfigError as error:
            self._say(tr("No server in it."), reason(str(error)))
        else:
            self._show(found)

    def _show(self, found: Found) -> None:
        if not found.candidates:
            self.online.emit(found.online[0])
            return
        groups = tuple(dict.fromkeys(one.group for one in self._context.config.servers))
        dialog = ConfirmDialog(found, groups, self._window)
        dialog.confirmed.connect(self.add)
        dialog.open()

    def add(self, servers: tuple[Server, ...], group: str | None, use: bool) -> None:
        """A person said yes."""
        before = self._context.config
        self._context.change(merged(before, servers, group, use=use))
        self.added.emit()
        ids = {one.id for one in servers}
        count = len(servers)
        said = tr("{name} added", name=servers[0].name) if count == 1 else tr("{count} servers added", count=count)
        undo = lambda: self._context.change(without(self._context.config, ids, before.current))  # noqa: E731
        self._window.toast.say(said, undo)

    def add_and_connect(self, text: str) -> None:
        """The links on the clipboard, of which the first run has named the first: add them, use that."""
        spawn(self._add_and_connect(text), name="add the server on the clipboard")

    async def _add_and_connect(self, text: str) -> None:
        try:
            found = await run_blocking(look_through, [("", text.encode())], self._context.config.servers)
        except ConfigError as error:
            self._say(tr("No server in it."), reason(str(error)))
            return
        if len(found.servers) == 1:
            self.add(found.servers, None, True)
        else:
            self._show(found)

    def _say(self, fact: str, detail: str = "") -> None:
        self._window.banners.show_notice(Notice(_NOTICE, "warn", fact, detail))


def _is_address(text: str) -> bool:
    """One web address, and nothing else."""
    return text.startswith(("https://", "http://", "ssconf://")) and len(text.split()) == 1


def _read_files(paths: list[Path]) -> tuple[Documents, list[QImage]]:
    """Documents, and the pictures among them. OSError."""
    documents, pictures = [], []
    for path in paths:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        picture = QImage.fromData(data) if path.suffix.lower() in _PICTURES else QImage()
        if picture.isNull():
            documents.append((path.name if len(paths) > 1 else "", data))
        else:
            pictures.append(picture)
    return documents, pictures

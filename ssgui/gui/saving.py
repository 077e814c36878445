"""Files that a person wants to have: asked where, written in the background, and told when that fails."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from ssgui.config.atomic_file import write_atomically
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.gui.frame.notices import Notice
from ssgui.gui.reasons import reason
from ssgui.gui.texts import tr
from ssgui.gui.window import MainWindow

_NOTICE = "saving"


def ask_where(parent: QWidget, title: str, name: str) -> QFileDialog:
    """A dialog that asks where a file called `name` is to be; the caller connects `fileSelected` and opens it."""
    dialog = QFileDialog(parent, title)
    dialog.setObjectName("save-file")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.selectFile(name)
    dialog.finished.connect(dialog.deleteLater)
    return dialog


class Files(QObject):
    """Writes for one window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def save(self, title: str, name: str, suffix: str, make: Callable[[], bytes]) -> QFileDialog:
        """Ask where, then make what is to be in the file, in a thread, and write it."""
        dialog = ask_where(self._window, title, name)
        dialog.setDefaultSuffix(suffix)
        dialog.fileSelected.connect(lambda path: spawn(self._save(Path(path), make), name="save a file"))
        dialog.open()
        return dialog

    async def _save(self, path: Path, make: Callable[[], bytes]) -> None:
        if await self.write(path, await run_blocking(make)):
            self._window.toast.say(tr("{file} written", file=path.name))

    async def write(self, path: Path, data: bytes) -> bool:
        """Write; whether that went well. If not, a banner says why."""
        try:
            await run_blocking(partial(write_atomically, path, data))
        except OSError as error:
            fact = tr("{file} cannot be written.", file=path.name)
            self._window.banners.show_notice(Notice(_NOTICE, "err", fact, reason(error.strerror or str(error))))
            return False
        self._window.banners.withdraw(_NOTICE)
        return True

"""Notices when another program writes the file of a person's own rules."""

from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, Signal


class FileWatch(QObject):
    """`changed` when the file at `path` may be another one, also where there was none."""

    changed = Signal()

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self._watcher = QFileSystemWatcher(self)
        self._watcher.fileChanged.connect(self._turned)
        self._watcher.directoryChanged.connect(self._turned)
        self.look()

    def look(self) -> None:
        """Watch what is there now: a file that was replaced is not the one that was watched."""
        watched = {*self._watcher.files(), *self._watcher.directories()}
        wanted = {str(one) for one in (self._path, self._path.parent) if one.exists()}
        if new := wanted - watched:
            self._watcher.addPaths(sorted(new))

    def _turned(self, _path: str) -> None:
        self.look()
        self.changed.emit()

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
        self._seen = self._stamp()
        self.look()

    def look(self) -> None:
        """Watch what is there now: a file that was replaced is not the one that was watched."""
        watched = {*self._watcher.files(), *self._watcher.directories()}
        wanted = {str(one) for one in (self._path, self._path.parent) if one.exists()}
        if new := wanted - watched:
            self._watcher.addPaths(sorted(new))

    def _turned(self, _path: str) -> None:
        self.look()
        before, self._seen = self._seen, self._stamp()
        if self._seen != before:  # in the same directory other files come and go all the time
            self.changed.emit()

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino

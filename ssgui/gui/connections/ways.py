"""The page of connections beside the rest of the window: what it asks for is done, and told where that is not seen."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from ssgui.app.context import AppContext
from ssgui.gui.connections.page import ConnectionsPage
from ssgui.gui.saving import Files
from ssgui.gui.texts import tr
from ssgui.gui.window import MainWindow
from ssgui.services.connections.records import Connection


class Exports(Protocol):
    """Who writes connections down; `wall` is Unix time minus the clock of the records, `now` when they were so."""

    def to_csv(self, rows: Sequence[Connection], wall: float, now: float) -> str: ...
    def to_json(self, rows: Sequence[Connection], wall: float, now: float) -> str: ...
    def to_har(self, rows: Sequence[Connection], wall: float, now: float) -> str: ...
    def curl_line(self, one: Connection, address: str) -> str: ...


class ConnectionWays(QObject):
    """Without `exports` the page offers no files and no commands."""

    def __init__(
        self, context: AppContext, window: MainWindow, files: Files, exports: Exports | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._context, self._window, self._files, self._exports = context, window, files, exports
        self.page = ConnectionsPage(context.connections, clock)
        self.page.closed.connect(self._close)
        if exports is not None:
            self.page.exporting.connect(self._export)
            self.page.curl.connect(self._copy_curl)
            self.page.offer_files()

    def _close(self, numbers: list[int]) -> None:
        self._context.close_connections(numbers)
        if len(numbers) > 1:
            self._window.toast.say(tr("{count} connections closed", count=len(numbers)))

    def _export(self, form: str, rows: list[Connection]) -> None:
        exports, wall, now = self._exports, self.page.model.wall, self.page.model.now
        assert exports is not None
        make = {"csv": exports.to_csv, "json": exports.to_json, "har": exports.to_har}[form]
        name = f"ssgui-connections.{form}"
        self._files.save(tr("Export connections"), name, form, lambda: make(rows, wall, now).encode())

    def _copy_curl(self, one: Connection) -> None:
        assert self._exports is not None
        if line := self._exports.curl_line(one, self._context.address):
            QApplication.clipboard().setText(line)
        self._window.toast.say(tr("Copied as a curl command") if line else tr("curl cannot ask for that"))

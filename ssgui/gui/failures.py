"""What nobody caught: told in the log, and to the person in one banner; the app goes on."""

import logging
import sys
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

_log = logging.getLogger("ssgui")


_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.DEBUG,
    QtMsgType.QtWarningMsg: logging.INFO,  # a desktop that lacks something, mostly
}


class Failures:
    """While this lasts, exceptions of slots go to the log and `told` instead of standard error.

    So do Qt's own messages, to the log alone.
    """

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told = told
        self._before = sys.excepthook

    def __enter__(self) -> None:
        self._before = sys.excepthook
        sys.excepthook = self._caught
        qInstallMessageHandler(_qt_said)

    def __exit__(self, *_: object) -> None:
        sys.excepthook = self._before
        qInstallMessageHandler(None)

    def _caught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not isinstance(error, Exception):
            self._before(kind, error, trace)
            return
        _log.error("an action failed", exc_info=(kind, error, trace))
        self._told(kind.__name__)


def _qt_said(kind: QtMsgType, context: QMessageLogContext, text: str | None) -> None:
    _log.log(_LEVELS.get(kind, logging.ERROR), "Qt: %s", text)

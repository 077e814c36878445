"""One QApplication for all tests of the window, offscreen unless something else is asked for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from ssgui.app.context import AppContext
from ssgui.app.local_proxy import LocalProxy
from ssgui.app.log_buffer import LogBuffer
from ssgui.app.pause import Pause
from ssgui.app.server_states import ServerStates
from ssgui.config.store import Store
from ssgui.gui.frame.notices import Toast
from ssgui.gui.servers.page import ServersPage
from ssgui.services.connections import Connections
from ssgui.services.evidence import ServerEvidence
from ssgui.services.meter import Meter
from tests.support import sample


@pytest.fixture(scope="session")
def application() -> QApplication:
    found = QApplication.instance()
    return found if isinstance(found, QApplication) else QApplication(["ssgui"])


class StillContext(AppContext):
    """A context whose changes are told at once and applied to nothing: for tests of pages without a loop."""

    def __init__(self, folder: Path) -> None:
        self.store, self.logs, self.run = Store(folder), LogBuffer(), None
        self.config = sample.app_config()
        self.problems, self.online, self.save_failed = [], True, ""
        self.connections = Connections(sample.StillEngine())
        self.evidence, self.meter = ServerEvidence(), Meter(lambda: "2026-11-23")
        self.changed = []
        self._unsaved, self._work = None, None
        self.proxy = LocalProxy(sample.StillEngine())  # type: ignore[arg-type]
        self.pause = Pause(lambda paused: self._tell())

    def change(self, config: object) -> None:
        if config != self.config:
            self.config = config  # type: ignore[assignment]
            self._tell()


@pytest.fixture
def context(application: QApplication, tmp_path: Path) -> StillContext:
    return StillContext(tmp_path)


@pytest.fixture
def servers_page(context: StillContext, qtbot: QtBot) -> Iterator[ServersPage]:
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(1080, 700)
    states = ServerStates(context.evidence, context.meter)
    page = ServersPage(context, states, Toast(host), host)
    page.resize(host.size())
    context.changed.append(page.refresh)
    host.show()
    yield page
    context.changed.clear()

"""One QApplication for all tests of the window, offscreen unless something else is asked for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from ssgui.app.server_states import ServerStates
from ssgui.gui.frame.notices import Toast
from ssgui.gui.servers.page import ServersPage
from tests.support.screens import StillContext


@pytest.fixture(scope="session")
def application() -> QApplication:
    found = QApplication.instance()
    return found if isinstance(found, QApplication) else QApplication(["ssgui"])


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

"""One QApplication for all tests of the window, offscreen unless something else is asked for."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from ssgui.app.server_states import ServerStates
from ssgui.gui.event_loop import new_merged_loop
from ssgui.gui.frame.notices import Toast
from ssgui.gui.presenter import Presenter
from ssgui.gui.servers.page import ServersPage
from ssgui.gui.window import MainWindow
from tests.support.flows import Flow
from tests.support.histories import closing_histories
from tests.support.screens import StillContext


@pytest.fixture(scope="session")
def application() -> QApplication:
    found = QApplication.instance()
    made = found if isinstance(found, QApplication) else QApplication(["ssgui"])
    made.setQuitOnLastWindowClosed(False)  # a window that one test closes must not end the loop of the next
    return made


@pytest.fixture(autouse=True)
def _no_open_histories() -> Iterator[None]:
    """Files of histories that a test opens are closed after it."""
    with closing_histories():
        yield


@pytest.fixture(autouse=True)
def _nothing_of_the_tests_before(application: QApplication) -> None:
    """What they gave up is deleted by a loop, which most tests do not run: a switch of theme styles all there are.

    Menus that they left open are closed, and the pointer goes where no table is.
    """
    while (popup := application.activePopupWidget()) is not None and popup.close():
        pass
    QCursor.setPos(0, 0)
    application.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def context(application: QApplication, tmp_path: Path) -> StillContext:
    return StillContext(tmp_path)


@pytest.fixture
def servers_page(context: StillContext, qtbot: QtBot) -> Iterator[ServersPage]:
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(1080, 700)
    states = ServerStates(context.evidence, context.meter, context.quality)
    page = ServersPage(context, states, Toast(host), host)
    page.resize(host.size())
    context.changed.append(page.refresh)
    host.show()
    yield page
    context.changed.clear()


@pytest.fixture
def presenter(context: StillContext, qtbot: QtBot) -> Iterator[Presenter]:
    window = MainWindow()
    qtbot.addWidget(window)
    made = Presenter(context, window, lambda: None)
    window.show()
    yield made
    context.changed.clear()


@pytest.fixture
def flow(application: QApplication) -> Flow:
    """Runs a flow in a merged loop."""

    def runner(steps: Callable[[], Awaitable[None]]) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(20):
                await steps()

        with asyncio.Runner(loop_factory=lambda: new_merged_loop(application)) as one:
            one.run(bounded())

    return runner

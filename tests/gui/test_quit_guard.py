"""Every way out leads through one door. In a process of its own: an application is one of a kind."""

import subprocess
import sys

from tests.support.processes import ROOT

CODE = """
import asyncio, sys
from PySide6.QtCore import QCoreApplication, QTimer
from ssgui.gui.event_loop import new_merged_loop
from ssgui.gui.quit_guard import Application, QuitGuard

told = []

async def main(application):
    guard = QuitGuard(application)
    guard.ending.append(lambda: told.append("session"))
    {ask}
    await guard.leaving.wait()
    await asyncio.sleep(0.05)  # the loop lives on: what must be done in order can be
    for _ in range(3):
        guard.leave()
    told.append("stopped")

application = Application(["x", "-platform", "offscreen"])
with asyncio.Runner(loop_factory=lambda: new_merged_loop(application)) as runner:
    runner.run(main(application))
print(*told)
"""


def run(ask: str) -> str:
    code = CODE.format(ask=ask)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=30)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout.strip()


def test_a_request_to_quit_lets_the_loop_go_on() -> None:
    assert run("QTimer.singleShot(0, QCoreApplication.quit)") == "stopped"


def test_leaving_is_for_once() -> None:
    assert run("guard.leave()") == "stopped"


def test_the_end_of_the_session_saves_first() -> None:
    assert run("QTimer.singleShot(0, lambda: guard._session_ends(None))") == "session stopped"


LINKS = """
from PySide6.QtCore import QCoreApplication, QUrl
from PySide6.QtGui import QFileOpenEvent
from ssgui.gui.quit_guard import Application

application = Application(["x", "-platform", "offscreen"])
def hand_over(url):
    QCoreApplication.sendEvent(application, QFileOpenEvent(QUrl(url)))
hand_over("ss://YWVzLTI1Ni1nY206cGFzcw@example.com:8388#A%20b")
hand_over("file:///etc/passwd")
heard = []
application.hear_links(heard.append)
hand_over("SS://YWVzLTI1Ni1nY206cGFzcw@example.com:1/?plugin=x%3By")
hand_over("http://example.com/")
print(*heard)
"""


def test_links_that_macos_hands_over_are_heard_even_before_anybody_listens() -> None:
    done = subprocess.run([sys.executable, "-c", LINKS], capture_output=True, text=True, cwd=ROOT, timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        "ss://YWVzLTI1Ni1nY206cGFzcw@example.com:8388#A%20b",
        "ss://YWVzLTI1Ni1nY206cGFzcw@example.com:1/?plugin=x%3By",
    ]

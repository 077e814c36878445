"""Every page in both languages, wide and narrow, at several scales: nothing clipped, overlapping or nameless."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QWidget,
)

from ssgui.gui.texts import LANGUAGES
from ssgui.gui.theme import Theme
from tests.support.screens import SIZES, Screens, translated

ROOT = Path(__file__).parents[2]


def visible(window: QWidget, kind: type[QWidget]) -> list[QWidget]:
    """The widgets of a kind that are shown, in a scroll area also those that one must scroll to."""
    return [one for one in window.findChildren(kind) if one.isVisible() and one.width() > 0]


def where(widget: QWidget) -> str:
    path = []
    one: QWidget | None = widget
    while one is not None:
        path.append(type(one).__name__)
        one = one.parentWidget()
    return " < ".join(path[:5])


def clipped(window: QWidget) -> list[str]:
    """Labels and buttons whose words do not fit."""
    found = []
    for label in visible(window, QLabel):
        assert isinstance(label, QLabel)
        if not label.text() or not label.pixmap().isNull():
            continue
        needed = label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height()
        if label.height() < needed - 1 or (not label.wordWrap() and label.width() < label.sizeHint().width() - 1):
            found.append(f"{label.text()!r} in {where(label)}: {label.size()} of {label.sizeHint()}")
    narrow = [one for one in visible(window, QPushButton) if one.width() < one.sizeHint().width() - 1]
    return found + [f"{where(one)}: {one.width()} of {one.sizeHint().width()}" for one in narrow]


def overlapping(window: QWidget) -> list[str]:
    """Words and controls of one parent that lie on each other."""
    found = []
    kinds = (QLabel, QPushButton, QLineEdit, QComboBox)
    for parent in [window, *visible(window, QWidget)]:
        if isinstance(parent, (QLineEdit, QComboBox)):
            continue
        children = [
            one for one in parent.children() if isinstance(one, kinds) and one.isVisible() and not one.size().isEmpty()
        ]
        for at, one in enumerate(children):
            for other in children[at + 1 :]:
                common = QRect(one.geometry()).intersected(other.geometry())
                if common.width() > 1 and common.height() > 1:
                    found.append(f"{where(one)} and {where(other)}: {common}")
    return found


def nameless(window: QWidget) -> list[str]:
    """What takes the focus of the keyboard and says nothing to who listens to the screen."""
    found = []
    for widget in visible(window, QWidget):
        if not widget.focusPolicy() & Qt.FocusPolicy.TabFocus or isinstance(widget, QScrollArea):
            continue
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        inside_combo = isinstance(widget.parentWidget(), QComboBox)
        if not (widget.accessibleName() or text.strip() or inside_combo):
            found.append(where(widget))
    return found


def empty(window: QWidget) -> list[str]:
    """Buttons that show neither words nor a picture, and labels that keep a place for words that are not there."""
    buttons = [one for one in visible(window, QPushButton) if isinstance(one, QPushButton)]
    found = [where(one) for one in buttons if not one.text().strip() and one.icon().isNull()]
    labels = [one for one in visible(window, QLabel) if isinstance(one, QLabel) and one.objectName() != "status"]
    return found + [where(one) for one in labels if not one.text() and one.pixmap().isNull()]


def small_targets(window: QWidget) -> list[str]:
    """Buttons that are hard to hit (WCAG 2.2: 24 by 24)."""
    buttons = visible(window, QAbstractButton)
    inside = [one for one in buttons if not isinstance(one.parentWidget(), (QLineEdit, QAbstractScrollArea))]
    return [f"{where(one)}: {one.size()}" for one in inside if min(one.width(), one.height()) < 24]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_whole(application: QApplication, tmp_path: Path, language: str, size: str) -> None:
    theme = Theme(application)
    translator = translated(application, language)
    screens = Screens(tmp_path, SIZES[size])
    faults: dict[str, list[str]] = {}
    try:
        for page, window in screens.everything() if size == "usual" else screens.pages():
            found = [
                *clipped(window), *overlapping(window), *nameless(window), *small_targets(window), *empty(window)
            ]  # fmt: skip
            if found:
                faults[page] = found
    finally:
        screens.close()
        application.removeTranslator(translator)
        theme.setParent(None)
    assert not faults


@pytest.mark.parametrize("scale", ["1.5", "2"])
def test_every_page_is_whole_at_other_scales(scale: str) -> None:
    """The scale of a process is set before it starts."""
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "is_whole and (usual or narrow)",
        str(Path(__file__)),
    ]  # fmt: skip
    environment = {**os.environ, "QT_SCALE_FACTOR": scale, "QT_QPA_PLATFORM": "offscreen"}
    for name in [name for name in environment if name.startswith("PYTEST_")]:
        del environment[name]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=55)
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_faults_that_are_looked_for_are_found(application: QApplication) -> None:
    window = QWidget()
    window.resize(300, 100)
    label, button = QLabel("far too long for its place", window), QPushButton("press me", window)
    edit = QLineEdit(window)
    label.setGeometry(0, 0, 20, 10)
    button.setGeometry(10, 5, 15, 15)
    edit.setGeometry(100, 0, 50, 30)
    window.show()
    try:
        assert len(clipped(window)) == 2
        assert len(overlapping(window)) == 1
        assert len(nameless(window)) == 1
        assert len(small_targets(window)) == 1
    finally:
        window.hide()

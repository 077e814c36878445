"""Start at login on macOS: a launch agent, which only a Mac would load."""

import plistlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.system.integration.macos import LABEL, LaunchAgent
from ssgui.system.integration.setting import IntegrationError

PROGRAM = "/bin/sh"


def test_login_is_a_launch_agent(tmp_path: Path) -> None:
    agent = LaunchAgent([PROGRAM, "--data-dir", "/a b"], tmp_path)
    assert not agent.is_on()
    agent.turn(True)
    assert agent.is_on()
    assert plistlib.loads(agent.path.read_bytes()) == {
        "Label": LABEL,
        "ProgramArguments": [PROGRAM, "--data-dir", "/a b"],
        "RunAtLoad": True,
        "LimitLoadToSessionType": "Aqua",
        "ProcessType": "Interactive",
    }
    assert agent.path == tmp_path / f"Library/LaunchAgents/{LABEL}.plist"
    agent.turn(False)
    assert not agent.path.exists()
    agent.forget()
    assert not agent.is_on()


def test_one_that_starts_nothing_is_off(tmp_path: Path) -> None:
    agent = LaunchAgent([str(tmp_path / "gone")], tmp_path)
    agent.turn(True)
    assert not agent.is_on()
    for tree in (
        {"Label": LABEL, "ProgramArguments": [PROGRAM], "RunAtLoad": True, "Disabled": True},
        {"Label": LABEL, "ProgramArguments": [PROGRAM], "RunAtLoad": False},
        {"Label": LABEL, "ProgramArguments": []},
        {"Label": LABEL},
        [PROGRAM],
    ):
        agent.path.write_bytes(plistlib.dumps(tree))
        assert not agent.is_on()
    agent.path.write_bytes(plistlib.dumps({"ProgramArguments": [PROGRAM], "RunAtLoad": True}))
    assert agent.is_on()


@given(st.binary())
def test_any_file_is_read(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    agent = LaunchAgent([PROGRAM], tmp_path_factory.mktemp("home"))
    agent.path.parent.mkdir(parents=True)
    agent.path.write_bytes(data)
    assert not agent.is_on()


def test_a_home_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file")
    with pytest.raises(IntegrationError, match="cannot be written"):
        LaunchAgent([PROGRAM], home).turn(True)
    with pytest.raises(IntegrationError, match="cannot be removed"):
        LaunchAgent([PROGRAM], home).turn(False)

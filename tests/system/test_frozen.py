"""What a frozen program puts right first, and how it is started again."""

import sys
from pathlib import Path

import pytest

from ssgui.system.frozen import settle
from ssgui.system.integration.program import own_command


def test_children_get_the_systems_libraries() -> None:
    environment = {"LD_LIBRARY_PATH": "/opt/ssgui/_internal", "PATH": "/bin"}
    settle(environment)
    assert environment == {"PATH": "/bin"}
    environment = {"LD_LIBRARY_PATH": "/opt/ssgui/_internal:/mine", "LD_LIBRARY_PATH_ORIG": "/mine"}
    settle(environment)
    assert environment == {"LD_LIBRARY_PATH": "/mine"}


def test_a_program_without_streams_can_still_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    settle({})
    try:
        print("to nobody")
        print("to nobody", file=sys.stderr)
    finally:
        sys.stdout.close()
        sys.stderr.close()


def test_the_command_that_starts_us_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "ssgui"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(script), "ss://x"])
    assert own_command(["--data-dir", "/d"]) == [str(script), "--data-dir", "/d"]
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "__main__.py")])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert own_command() == [str(script)]
    script.unlink()
    assert own_command(["-v"]) == [str(tmp_path / "python"), "-m", "ssgui", "-v"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/ssgui/ssgui")
    assert own_command(["-v"]) == ["/opt/ssgui/ssgui", "-v"]

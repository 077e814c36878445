"""The limit of open files, in a process of its own."""

import subprocess
import sys

import pytest

from ssgui.system.limits import raise_nofile

PROGRAM = """
import resource
from ssgui.system.limits import raise_nofile
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
print(raise_nofile() == resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 64, raise_nofile() > 64)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_the_soft_limit_goes_up() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.split() == ["True", "True"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_refusal_is_survived(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    import resource

    def refuse(which: int, limits: tuple[int, int]) -> None:
        raise ValueError("not allowed")

    monkeypatch.setattr(resource, "getrlimit", lambda which: (100, 200))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert raise_nofile() == 100
    assert "stays at 100" in caplog.text

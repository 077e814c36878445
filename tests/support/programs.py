"""Programs of other projects that tests run, and the interpreters that run ours."""

import os
import re
import shutil
import sys

import pytest


def required() -> set[str]:
    """The programs that SSGUI_REQUIRE says must be here: without one its tests fail instead of being skipped."""
    return set(re.split(r"[\s,]+", os.environ.get("SSGUI_REQUIRE", "").strip())) - {""}


def require(program: str) -> str:
    """The path of `program`; without it the test is skipped, or fails where SSGUI_REQUIRE names it."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")  # where only root looks
    if found is None and program in required():
        pytest.fail(f"{program}: required by SSGUI_REQUIRE, and not on PATH", pytrace=False)
    if found is None:
        pytest.skip(f"{program}: not on PATH")
    return found


def interpreters() -> list[str]:
    """This interpreter, and those of other versions that `make test` has prepared (SSGUI_PYTHONS)."""
    others = os.environ.get("SSGUI_PYTHONS", "").split(os.pathsep)
    return [sys.executable, *(path for path in others if path)]

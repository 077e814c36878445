"""How this program is started again, by somebody else than us."""

import os
import shutil
import sys
from collections.abc import Sequence


def own_command(arguments: Sequence[str] = ()) -> list[str]:
    """The command that starts ssgui with `arguments`: its frozen program, its script, or this interpreter.

    A command stays good for years and from any directory, so its program is an absolute path.
    """
    if getattr(sys, "frozen", False):
        return [sys.executable, *arguments]
    script = os.path.abspath(sys.argv[0])
    named = os.path.splitext(os.path.basename(script))[0] == "ssgui"
    if named and os.access(script, os.X_OK):
        return [script, *arguments]
    beside = shutil.which("ssgui", path=os.path.dirname(sys.executable))  # python -m ssgui in a virtual environment
    if beside is not None:
        return [beside, *arguments]
    return [sys.executable, "-m", "ssgui", *arguments]

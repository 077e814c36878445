"""What a frozen program (PyInstaller) must put right before anything else of it runs."""

import os
import sys
from collections.abc import MutableMapping
from typing import TextIO

_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LIBPATH")


def settle(environment: MutableMapping[str, str] = os.environ) -> None:
    """Programs that we start get the system's libraries, and words that nobody can read have somewhere to go.

    The program's loader has read its variable already, and remembers what it was before with `_ORIG` behind its name.
    One for a screen has no standard streams on Windows: they are None.
    """
    for name in _VARIABLES:
        before = environment.pop(f"{name}_ORIG", None)
        if before is not None:
            environment[name] = before
        else:
            environment.pop(name, None)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, _nowhere())


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")

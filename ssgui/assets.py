"""Finds what is shipped beside the code: icons, translations, the PAC template.

In a wheel and in a frozen program they lie in `ssgui/_assets`, in a checkout at the repository's root.
"""

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent


@cache
def asset(name: str) -> Path:
    """The path of an asset: `asset("resources/icons/server.svg")`. FileNotFoundError names what is missing."""
    for base in (_PACKAGE / "_assets", _PACKAGE.parent):
        path = base / name
        if path.exists():
            return path
    raise FileNotFoundError(f"the asset {name} is missing: this installation is not whole")

"""Reads the known-answer vectors."""

import json
from pathlib import Path
from typing import Any

_DIRECTORY = Path(__file__).parent.parent / "vectors"


def load(name: str) -> Any:
    return json.loads((_DIRECTORY / name).read_text("utf-8"))

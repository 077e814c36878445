"""The app on a desktop whose proxy is a file in its data directory (`python -m tests.support.stepping_app …`)."""

import json
import os
import sys
from pathlib import Path

from ssgui.system.proxy import choose, guard
from ssgui.system.proxy.backend import ProxyBackend, Snapshot
from tests.support.ports import is_listening
from tests.support.stepping_proxy import SteppingProxy, guard_command

LISTENED = "listened"
FOLDER = Path(os.environ.get("SSGUI_HOME", "."))


class Watching(SteppingProxy):
    """Keeps whether our port listened when the person's own setting was put back."""

    def restore(self, snapshot: Snapshot) -> None:
        port = json.loads((FOLDER / "config.json").read_text())["settings"]["local_port"]
        (FOLDER / LISTENED).write_text(str(is_listening(port)))
        super().restore(snapshot)


def chosen() -> ProxyBackend:
    """The desktop's."""
    return Watching(FOLDER)


if __name__ == "__main__":
    choose.choose_backend = chosen  # type: ignore[assignment]
    guard.command = guard_command
    from ssgui.cli import main

    sys.exit(main())

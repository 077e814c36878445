"""A session bus with its own home, so that gsettings and dconf really store, and nothing of whoever runs the tests
is touched. The directories are in the environment before the bus starts: services that it starts inherit them."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.programs import require


@contextmanager
def private_desktop(folder: Path) -> Iterator[dict[str, str]]:
    """The environment for programs of that session, which lasts as long as the block."""
    places = {"HOME": folder / "home", "XDG_CONFIG_HOME": folder / "home/.config", "XDG_CACHE_HOME": folder / "cache",
              "XDG_DATA_HOME": folder / "data", "XDG_RUNTIME_DIR": folder / "run"}  # fmt: skip
    for place in places.values():
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = {name: str(place) for name, place in places.items()}
    command = [require("dbus-daemon"), "--session", "--nofork", "--print-address=1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
        env={**os.environ, **own},
    ) as bus:  # fmt: skip
        try:
            assert bus.stdout is not None
            address = bus.stdout.readline().strip()
            assert address, "dbus-daemon did not start"
            yield {**own, "DBUS_SESSION_BUS_ADDRESS": address}
        finally:
            bus.terminate()

"""A keyring in a file, for tests; the library finds it by PYTHON_KEYRING_BACKEND or `set_keyring`."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class FileKeyring(KeyringBackend):
    """What it holds is in the file that KEYRING_FILE names; while that holds `locked` it opens to nobody."""

    priority = 5

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.path = path or Path(os.environ.get("KEYRING_FILE", os.devnull))

    def _read(self) -> dict[str, str]:
        text = self.path.read_text() if self.path.exists() else "{}"
        if text == "locked":
            raise KeyringLocked("locked")
        found: dict[str, str] = json.loads(text)
        return found

    def get_password(self, service: str, username: str) -> str | None:
        return self._read().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self.path.write_text(json.dumps({**self._read(), f"{service} {username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        kept = {name: value for name, value in self._read().items() if name != f"{service} {username}"}
        self.path.write_text(json.dumps(kept))

"""Where a password may come from besides flags and files of settings, and how one is made."""

import os
import secrets
import sys
from pathlib import Path

from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError, located, parse_password

ENVIRONMENT = "SSGUI_PASSWORD"
_MOST = 64 << 10


def read_password_file(path: str) -> Secret:
    """The first line of the file `path`, or of standard input for "-"."""
    with located("standard input" if path == "-" else path):
        try:
            if path == "-":
                line = sys.stdin.buffer.readline(_MOST)
            else:
                with Path(path).open("rb") as file:
                    line = file.readline(_MOST)
        except (OSError, ValueError) as error:
            raise ConfigError(getattr(error, "strerror", None) or str(error)) from None
        try:
            text = line.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ConfigError("the password is not valid UTF-8") from None
        return parse_password(text.rstrip("\r\n"))


def environment_password() -> Secret | None:
    """SSGUI_PASSWORD, taken out of the environment so that no program we start inherits it."""
    text = os.environ.pop(ENVIRONMENT, "")
    with located(ENVIRONMENT):
        return parse_password(text) if text else None


def make_password() -> Secret:
    """A new one: 24 letters of which nobody can guess any (144 bits)."""
    return Secret(secrets.token_urlsafe(18))

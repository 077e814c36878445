"""Where a password may come from besides flags and files of settings, and how one is made."""

import base64
import os
import secrets
import sys
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from ssgui.config.addresses import parse_proxy
from ssgui.config.models import UpstreamProxy
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError, located, parse_password
from ssgui.protocol.methods import ALL_LEGACY, find_method
from ssgui.protocol.sip022 import Method2022

ENVIRONMENT = "SSGUI_PASSWORD"
ENVIRONMENT_PROXY = "SSGUI_UPSTREAM_PROXY"
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


class Environment(MutableMapping[str, str]):
    """The environment; what is taken out of it is still known here, for when settings are read again.

    It is taken out so that no program we start inherits it.
    """

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        return self._taken[name] if name in self._taken else os.environ[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._taken[name] = value

    def __delitem__(self, name: str) -> None:
        if name in os.environ:
            self._taken[name] = os.environ.pop(name)

    def __iter__(self) -> Iterator[str]:
        return iter({**os.environ, **self._taken})

    def __len__(self) -> int:
        return len({**os.environ, **self._taken})


def environment_password(environment: MutableMapping[str, str]) -> Secret | None:
    """SSGUI_PASSWORD, taken out of the `environment`."""
    text = environment.pop(ENVIRONMENT, "")
    with located(ENVIRONMENT):
        return parse_password(text) if text else None


def environment_proxy(environment: MutableMapping[str, str]) -> UpstreamProxy | None:
    """SSGUI_UPSTREAM_PROXY, taken out of the `environment` likewise: it may hold a password."""
    text = environment.pop(ENVIRONMENT_PROXY, "")
    with located(ENVIRONMENT_PROXY):
        return parse_proxy(text) if text else None


def make_password(method: str) -> Secret:
    """A new one: for a method of 2022 a key in base64, else 24 letters of which nobody can guess any (144 bits).

    LocalProtocolError if there is no such method.
    """
    found = find_method(method, ALL_LEGACY)
    if isinstance(found, Method2022):
        return Secret(base64.b64encode(secrets.token_bytes(found.key_size)).decode())
    return Secret(secrets.token_urlsafe(18))

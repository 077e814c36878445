"""Values of classic configuration files: taken out of a JSON object, checked, and named when they are wrong.

Numbers may stand as text and text as numbers, as the originals allow. ConfigError names the key, and never shows
what may be a password.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from ssgui.config.models import PluginSettings, ServerUser
from ssgui.config.secret import Secret
from ssgui.config.values import (
    ConfigError,
    located,
    parse_host,
    parse_method,
    parse_password,
    parse_port,
    parse_timeout,
)

Tree = Mapping[str, Any]
_T = TypeVar("_T")
_OFF: tuple[Any, ...] = (None, False, 0, "", "0", "false", [], {})
_MOST_NAME = 64


def is_off(value: Any) -> bool:
    """Whether a value says no, or nothing."""
    return any(value is off or (type(value) is type(off) and value == off) for off in _OFF)


def is_on(tree: Tree, key: str) -> bool:
    """Whether `key` is there and says yes."""
    return not is_off(tree.get(key))


def shown_key(key: str) -> str:
    """A key from the file, safe on one line."""
    return json.dumps(key if len(key) <= 40 else key[:37] + "...")


def items(value: Any) -> list[Any]:
    """A list, or the one value that stands for a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def text_items(value: Any) -> list[str]:
    """A list of texts, or one text."""
    return [plain_text(item) for item in items(value)]


def plain_text(value: Any) -> str:
    """Text and nothing else."""
    if not isinstance(value, str):
        raise ConfigError("must be text")
    return value


def number_text(value: Any) -> int | str:
    """A whole number, or text that may be one."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ConfigError("must be a whole number")
    return value


def split_port(item: str) -> tuple[str, str | None]:
    """ "host:port" or "[v6]:port" in two; anything else has no port."""
    head, colon, tail = item.rpartition(":")
    if colon and tail.isdigit() and (head.endswith("]") or ":" not in head):
        return head, tail
    return item, None


def parsed(tree: Tree, key: str, parse: Callable[[str], _T]) -> _T | None:
    """What `parse` makes of the text under `key`; None if it is not there or says nothing."""
    with located(f'"{key}"'):
        return parse(plain_text(tree[key])) if not is_off(tree.get(key)) else None


def host(tree: Tree, key: str) -> str:
    """The host under `key`, which is there."""
    with located(f'"{key}"'):
        return parse_host(plain_text(tree[key]))


def port(tree: Tree, key: str, *, zero: bool = False) -> int:
    """The port under `key`, which is there."""
    with located(f'"{key}"'):
        return parse_port(number_text(tree[key]), zero=zero)


def method(tree: Tree) -> str | None:
    """The method, if one is there."""
    return parsed(tree, "method", parse_method)


def timeout(tree: Tree, key: str) -> float | None:
    """Seconds."""
    value = tree.get(key)
    if value is None:
        return None
    with located(f'"{key}"'):
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ConfigError("must be a number of seconds")
        try:
            return parse_timeout(float(value))
        except (ValueError, OverflowError):
            raise ConfigError("must be a number of seconds") from None


def udp(tree: Tree) -> bool | None:
    """The `mode`: whether UDP is on; None if it is not there."""
    mode = tree.get("mode")
    if mode is None:
        return None
    if mode == "udp_only":
        raise ConfigError('"mode": udp_only is not supported, TCP is always served too: choose tcp_and_udp')
    if mode not in ("tcp_only", "tcp_and_udp"):
        raise ConfigError('"mode" must be tcp_only or tcp_and_udp')
    return bool(mode == "tcp_and_udp")


def plugin(tree: Tree) -> PluginSettings | None:
    """The plugin, if one is there, with its options and arguments."""
    program = parsed(tree, "plugin", plain_text)
    if program is None:
        return None
    options = parsed(tree, "plugin_opts", plain_text)
    with located('"plugin_args"'):
        arguments = tuple(text_items(tree.get("plugin_args", ())))
    if any("\0" in text for text in (program, options or "", *arguments)):
        raise ConfigError('"plugin", "plugin_opts" or "plugin_args" has a NUL')
    return PluginSettings(program, options or "", arguments)


class Passwords:
    """Reads passwords; one written "${NAME}" is that variable's (as in shadowsocks-rust), which `used` remembers."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.used: set[str] = set()

    def secret(self, value: Any) -> Secret:
        """A password: text, or a whole number that stands where text should."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        text = plain_text(value)
        if text.startswith("${") and text.endswith("}"):
            name = text[2:-1]
            if name not in self._environment:
                raise ConfigError(f"there is no environment variable {name[:40]!a}")
            self.used.add(name)
            text = self._environment[name]
        return parse_password(text)

    def password(self, tree: Tree) -> Secret | None:
        """The password, if one is there."""
        with located('"password"'):
            return self.secret(tree["password"]) if tree.get("password", "") != "" else None

    def users(self, tree: Tree) -> tuple[ServerUser, ...]:
        """The users of a 2022 server: objects of a name and a key."""
        if not is_on(tree, "users"):
            return ()
        with located('"users"'):
            if not isinstance(tree["users"], list):
                raise ConfigError("must be a list of objects")
            return tuple(self._users(tree["users"]))

    def _users(self, listed: list[Any]) -> Iterable[ServerUser]:
        names: set[str] = set()
        for number, item in enumerate(listed, 1):
            with located(f"entry {number}"):
                if not isinstance(item, dict):
                    raise ConfigError("must be an object of name and password")
                name, password = item.get("name"), item.get("password")
                if not isinstance(name, str) or not name or not name.isprintable() or len(name) > _MOST_NAME:
                    raise ConfigError(f'"name" must be 1 to {_MOST_NAME} printable characters')
                if name in names:
                    raise ConfigError('"name": another user has it')
                names.add(name)
                with located('"password"'):
                    yield ServerUser(name, self.secret(password))

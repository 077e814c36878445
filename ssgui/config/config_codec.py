"""The app's configuration as JSON and back, losing nothing.

What is not understood survives: saving lays what we know over what was read, and an entry that cannot be used
goes back into the file as it was.
"""

import json
from typing import Any, TypeVar

import msgspec

from ssgui.config.app_config import STARTER, VERSION, AppConfig, RuleSource, Server, Settings, Subscription
from ssgui.config.protected import opened_config, sealed_config
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError

_T = TypeVar("_T", Server, Subscription, RuleSource)
Tree = dict[str, Any]


class Loaded(msgspec.Struct, frozen=True):
    """A configuration, what it was read from, and what a person should know about it."""

    config: AppConfig
    tree: Tree
    problems: tuple[str, ...] = ()


def decode_config(data: bytes, key: bytes | None = None) -> Loaded:
    """Read a file's bytes; ConfigError when they are no configuration at all."""
    if not data.strip(b"\0 \t\r\n"):
        raise ConfigError("the file is empty" if not data.strip(b" \t\r\n") else "the file is full of zero bytes")
    try:
        tree = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"not UTF-8: byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError):
        raise ConfigError("a number or a nesting without end") from None
    if not isinstance(tree, dict):
        raise ConfigError("it must be one JSON object, { ... }")
    return _read(tree, key)


def _read(tree: Tree, key: bytes | None) -> Loaded:
    problems: list[str] = []
    version = tree.get("version", VERSION)
    if isinstance(version, int) and version > VERSION:
        problems.append("written by a newer version; what this one does not know is kept")

    config = AppConfig(
        servers=tuple(_entries(tree, "servers", Server, problems)),
        subscriptions=tuple(_entries(tree, "subscriptions", Subscription, problems)),
        current=tree["current"] if isinstance(tree.get("current"), str) else "",
        settings=_settings(tree.get("settings", {}), problems),
        agreed_plugins=tuple(one for one in _list(tree, "agreed_plugins") if isinstance(one, str)),
        rule_lists=tuple(_entries(tree, "rule_lists", RuleSource, problems)) if "rule_lists" in tree else (STARTER,),
    )
    if key is not None:
        config, unopened = opened_config(config, key)
        problems += unopened
    return Loaded(config, tree, tuple(problems))


def _list(tree: Tree, key: str) -> list[Any]:
    value = tree.get(key, [])
    return value if isinstance(value, list) else []


def _entries(tree: Tree, key: str, kind: type[_T], problems: list[str]) -> list[_T]:
    found: list[_T] = []
    seen: set[str] = set()
    for number, item in enumerate(_list(tree, key), 1):
        try:
            entry = _convert(item, kind)
            if entry.id in seen:
                raise msgspec.ValidationError("its id is there twice")
        except msgspec.ValidationError as error:
            problems.append(f"{key} entry {number} cannot be used: {error}")
            continue
        seen.add(entry.id)
        found.append(entry)
    return found


def _settings(tree: Any, problems: list[str]) -> Settings:
    """Setting by setting: one that is wrong costs only itself."""
    if not isinstance(tree, dict):
        problems.append("the settings cannot be used")
        return Settings()
    usable: Tree = {}
    for name, value in tree.items():
        try:
            _convert({name: value}, Settings)
        except msgspec.ValidationError as error:
            problems.append(f"settings: {error}")
        else:
            usable[name] = value
    settings: Settings = _convert(usable, Settings)
    return settings


def _convert(value: Any, kind: type[Any]) -> Any:
    return msgspec.convert(value, kind, dec_hook=_from_json, strict=True)


def _from_json(kind: type[Any], value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise msgspec.ValidationError(f"expected {kind.__name__}")


def encode_config(config: AppConfig, before: Tree, key: bytes | None = None) -> tuple[bytes, Tree]:
    """The bytes to write, and the tree that they hold.

    Where the settings protect passwords, they are sealed with `key`, or, while there is none, left out.
    """
    if config.settings.keyring:
        config = sealed_config(config, key)
    known: Tree = msgspec.to_builtins(config, enc_hook=_to_json)
    known["settings"] = _merged_settings(config.settings, before.get("settings"))
    known["servers"] = _merged(before, "servers", known["servers"], Server)
    known["subscriptions"] = _merged(before, "subscriptions", known["subscriptions"], Subscription)
    known["rule_lists"] = _merged(before, "rule_lists", known["rule_lists"], RuleSource)
    known["version"] = max(VERSION, before["version"]) if isinstance(before.get("version"), int) else VERSION
    tree = {**before, **known}
    return json.dumps(tree, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass") + b"\n", tree


def _to_json(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} has no place in the configuration")


def _merged_settings(settings: Settings, before: Any) -> Tree:
    ours = set(Settings.__struct_fields__)
    foreign = {key: value for key, value in before.items() if key not in ours} if isinstance(before, dict) else {}
    return {**foreign, **msgspec.to_builtins(settings, enc_hook=_to_json)}


def _merged(before: Tree, key: str, entries: list[Tree], kind: type[Any]) -> list[Any]:
    """Each entry over what was read of it; entries that could not be used stay, at the end."""
    ours = {field.encode_name for field in msgspec.structs.fields(kind)}
    foreign: dict[str, Tree] = {}
    unusable: list[Any] = []
    known = {entry["id"] for entry in entries}
    for item in _list(before, key):
        identity = item.get("id") if isinstance(item, dict) else None
        if not isinstance(identity, str) or not _usable(item, kind) or identity in foreign:
            unusable.append(item)
        elif identity in known:
            foreign[identity] = {name: value for name, value in item.items() if name not in ours}
    return [*({**foreign.get(entry["id"], {}), **entry} for entry in entries), *unusable]


def _usable(item: Any, kind: type[Any]) -> bool:
    try:
        _convert(item, kind)
    except msgspec.ValidationError:
        return False
    return True

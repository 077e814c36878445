"""A configuration with its secrets sealed, as the file has it, and opened again, as the app uses it."""

from typing import Any

import msgspec

from ssgui.config.app_config import AppConfig, Server, Settings, Subscription
from ssgui.config.sealing import SealError, open_sealed, seal
from ssgui.config.secret import Secret

_OF_SETTINGS = ("user_password", "upstream_proxy")
_NONE = Secret("")


def sealed_config(config: AppConfig, key: bytes | None) -> AppConfig:
    """`config` without a secret in the clear: sealed with `key`, or, while there is none, left out.

    What was sealed before and has not been opened stays as it is.
    """
    settings = config.settings
    sealed = dict(settings.sealed)
    for name in _OF_SETTINGS:
        if value := getattr(settings, name):
            sealed |= {name: seal(value, key)} if key is not None else {}
    values: dict[str, Any] = dict.fromkeys(_OF_SETTINGS, _NONE)
    return msgspec.structs.replace(
        config,
        servers=tuple(_sealed(one, "password", key) for one in config.servers),
        subscriptions=tuple(_sealed(one, "url", key) for one in config.subscriptions),
        settings=msgspec.structs.replace(settings, sealed=sealed, **values),
    )


def _sealed(one: Any, name: str, key: bytes | None) -> Any:
    secret: Secret = getattr(one, name)
    if not secret:
        return one
    return msgspec.structs.replace(one, **{name: _NONE, "sealed": seal(secret, key) if key is not None else one.sealed})


def opened_config(config: AppConfig, key: bytes) -> tuple[AppConfig, list[str]]:
    """`config` with everything that `key` opens, and what is to be said about the rest. What was typed since, stays."""
    problems: list[str] = []
    servers = tuple(_opened(one, "password", key, problems) for one in config.servers)
    subscriptions = tuple(_opened(one, "url", key, problems) for one in config.subscriptions)
    settings, values, left = config.settings, dict[str, Secret](), dict[str, str]()
    for name, text in settings.sealed.items():
        try:
            if name in _OF_SETTINGS and not getattr(settings, name):
                values[name] = open_sealed(text, key)
        except SealError as error:
            problems.append(f"{name!r}: {error}")
            left[name] = text
    settings = msgspec.structs.replace(settings, sealed=left, **values)
    return msgspec.structs.replace(config, servers=servers, subscriptions=subscriptions, settings=settings), problems


def _opened(one: Any, name: str, key: bytes, problems: list[str]) -> Any:
    if not one.sealed or getattr(one, name):
        return one
    try:
        return msgspec.structs.replace(one, **{name: open_sealed(one.sealed, key), "sealed": ""})
    except SealError as error:
        problems.append(f"{one.name!r}: {error}")
        return one


def has_sealed(config: AppConfig) -> bool:
    """Whether something waits for the key."""
    entries: tuple[Server | Subscription, ...] = (*config.servers, *config.subscriptions)
    return bool(config.settings.sealed) or any(one.sealed for one in entries)


def has_clear(config: AppConfig) -> bool:
    """Whether a secret of it is not sealed."""
    found = [getattr(config.settings, name) for name in _OF_SETTINGS]
    found += [one.password for one in config.servers] + [one.url for one in config.subscriptions]
    return any(found)


def is_locked(settings: Settings) -> bool:
    """Whether what guards the port, or the way to the servers, is sealed: without it nothing may run."""
    return any(not getattr(settings, name) for name in settings.sealed if name in _OF_SETTINGS)

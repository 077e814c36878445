"""Whether a method may be used, and a password or users with it. ConfigError says why not."""

from collections.abc import Iterable

from ssgui.config.models import ServerUser
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError, parse_method
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.methods import ALL_LEGACY, METHODS, check_password, find_method
from ssgui.protocol.sip022 import METHODS_2022, Method2022, parse_key

LEGACY_WEAKNESS = "whoever is in between can change what it carries, and learn from that what it says"


def is_legacy(method: str) -> bool:
    """Whether a method is of the time before AEAD. `method` is a name as `parse_method` gives it."""
    return method not in METHODS and method not in METHODS_2022


def parse_legacy(text: str) -> str:
    """The name of an old method, for who allows it."""
    method = parse_method(text)
    if not is_legacy(method):
        raise ConfigError(f"{method} is no old method and needs no permission")
    return method


def check_allowed(method: str, allowed: Iterable[str]) -> None:
    """An old method is used by nobody who has not allowed it by name."""
    if is_legacy(method) and method not in allowed:
        raise ConfigError(f"{method} is an old method ({LEGACY_WEAKNESS}); --allow-legacy {method} allows it")


def check_key(method: str, password: Secret) -> None:
    """A password that is no key of the size that a 2022 method needs is told here, before anything starts."""
    try:
        check_password(find_method(method, ALL_LEGACY), password.reveal())
    except LocalProtocolError as error:
        raise ConfigError(str(error)) from None


def check_users(method: str, users: Iterable[ServerUser]) -> None:
    """Only the AES methods of 2022 have users, each with a key of his own."""
    found = find_method(method, ALL_LEGACY)
    for user in users:
        if not isinstance(found, Method2022) or not found.has_identities:
            raise ConfigError(f"{found.name} cannot have users: only the AES methods of 2022 can")
        try:
            parse_key(found, user.password.reveal(), f"the key of the user {user.name[:40]!a}")
        except LocalProtocolError as error:
            raise ConfigError(str(error)) from None

"""Whether a password, or the users of a server, can be used with a method. ConfigError says why not."""

from collections.abc import Iterable

from ssgui.config.models import ServerUser
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.methods import check_password, find_method
from ssgui.protocol.sip022 import Method2022, parse_key


def check_key(method: str, password: Secret) -> None:
    """A password that is no key of the size that a 2022 method needs is told here, before anything starts."""
    try:
        check_password(find_method(method), password.reveal())
    except LocalProtocolError as error:
        raise ConfigError(str(error)) from None


def check_users(method: str, users: Iterable[ServerUser]) -> None:
    """Only the AES methods of 2022 have users, each with a key of his own."""
    found = find_method(method)
    for user in users:
        if not isinstance(found, Method2022) or not found.has_identities:
            raise ConfigError(f"{found.name} cannot have users: only the AES methods of 2022 can")
        try:
            parse_key(found, user.password.reveal(), f"the key of the user {user.name[:40]!a}")
        except LocalProtocolError as error:
            raise ConfigError(str(error)) from None

"""The check of a name and a password, for every protocol that asks programs for them."""

import hmac
from collections.abc import Mapping


def is_known(users: Mapping[bytes, bytes], name: bytes, password: bytes) -> bool:
    """Whether `users` has `name` with this password.

    An unknown user costs the same comparison; a user without a password never gets in.
    """
    expected = users.get(name, b"")
    return hmac.compare_digest(expected, password) and expected != b""

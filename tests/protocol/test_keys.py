"""Passwords to keys."""

from typing import Any

import pytest

from ssgui.protocol.keys import evp_bytes_to_key
from tests.protocol.vectors import load


@pytest.mark.parametrize("case", load("evp_bytes_to_key.json")["cases"])
def test_vectors(case: dict[str, Any]) -> None:
    key = evp_bytes_to_key(case["password_utf8"].encode(), case["key_len"])
    assert key.hex() == case["key"]


def test_a_shorter_key_is_the_start_of_a_longer_one() -> None:
    longest = evp_bytes_to_key(b"x", 70)
    assert len(longest) == 70
    assert all(evp_bytes_to_key(b"x", size) == longest[:size] for size in range(71))

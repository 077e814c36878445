"""Of all tests of the history."""

from collections.abc import Iterator

import pytest

from tests.support.histories import closing_histories


@pytest.fixture(autouse=True)
def histories() -> Iterator[None]:
    """Whatever a test opens is closed after it."""
    with closing_histories():
        yield

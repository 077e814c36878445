"""The tree of protocol errors."""

import pytest

from ssgui.protocol import errors


def test_the_base_cannot_be_raised() -> None:
    with pytest.raises(TypeError, match="LocalProtocolError"):
        errors.ProtocolError("what happened")


def test_the_two_kinds_keep_their_message() -> None:
    for kind in (errors.LocalProtocolError, errors.RemoteProtocolError):
        error = kind("what happened")
        assert isinstance(error, errors.ProtocolError)
        assert str(error) == "what happened"


@pytest.mark.parametrize("name", ["AuthenticationError", "ReplayError", "TruncatedError", "BadRequestError"])
def test_what_the_other_side_does_is_a_remote_error(name: str) -> None:
    error = getattr(errors, name)("why")
    assert isinstance(error, errors.RemoteProtocolError)
    assert not isinstance(error, errors.LocalProtocolError)

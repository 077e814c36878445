"""A Secret shows itself to nobody but `reveal()`."""

import pickle

import pytest

from ssgui.config.models import ServerProfile
from ssgui.config.secret import Secret

TEXT = "correct horse battery"


def test_only_reveal_gives_the_text() -> None:
    secret = Secret(TEXT)
    assert secret.reveal() == TEXT
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>20}", f"{secret} {secret!r}", repr([secret])]
    assert not [text for text in shown if "horse" in text]


def test_a_record_that_holds_one_does_not_show_it() -> None:
    profile = ServerProfile("example.com", 8388, "aes-256-gcm", Secret(TEXT))
    assert "horse" not in repr(profile)
    assert "example.com" in repr(profile)


def test_empty_is_false_and_looks_empty() -> None:
    assert not Secret("")
    assert Secret("x")
    assert str(Secret("")) == ""
    assert repr(Secret("")) == "Secret('')"


def test_compares_and_hashes_by_its_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("\udcff") == Secret("\udcff")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


def test_cannot_be_changed_or_pickled() -> None:
    secret = Secret(TEXT)
    with pytest.raises(AttributeError):
        secret._text = "other"
    with pytest.raises(AttributeError):
        del secret._text
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.reveal() == TEXT

"""Where passwords come from."""

import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from ssgui.app.passwords import ENVIRONMENT, Environment, environment_password, make_password, read_password_file
from ssgui.config.values import ConfigError
from ssgui.protocol.sip022 import METHODS_2022, Method2022, parse_key


@pytest.mark.parametrize(
    "data", [b"top secret", b"top secret\n", b"top secret\r\nsecond line\n", b"\xef\xbb\xbftop secret"]
)
def test_the_first_line_of_a_file(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes(data)
    assert read_password_file(str(path)).reveal() == "top secret"


def test_the_first_line_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO("schlüssel\nmore\n".encode())))
    assert read_password_file("-").reveal() == "schlüssel"


def test_files_without_one(tmp_path: Path) -> None:
    path = tmp_path / "password"
    with pytest.raises(ConfigError, match=r"password: No such file"):
        read_password_file(str(path))
    path.write_bytes(b"\n")
    with pytest.raises(ConfigError, match="password: the password is empty"):
        read_password_file(str(path))
    path.write_bytes(b"hunter\xff22")
    with pytest.raises(ConfigError, match="not valid UTF-8") as caught:
        read_password_file(str(path))
    assert "hunter" not in str(caught.value)


def test_the_environment_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "from outside")
    environment = Environment()
    for _ in range(2):  # when settings are read again it is still known
        password = environment_password(environment)
        assert password is not None
        assert password.reveal() == "from outside"
        assert ENVIRONMENT not in os.environ
    assert environment_password(Environment()) is None
    monkeypatch.setenv(ENVIRONMENT, "mypassword")
    with pytest.raises(ConfigError, match=r"^SSGUI_PASSWORD: "):
        environment_password(Environment())


def test_the_environment_is_a_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSGUI_TEST_A", "a")
    environment = Environment()
    assert "SSGUI_TEST_A" in environment
    assert environment.pop("SSGUI_TEST_A", None) == "a"
    assert "SSGUI_TEST_A" not in os.environ
    assert "SSGUI_TEST_A" in environment
    assert {**environment} == {**os.environ, "SSGUI_TEST_A": "a"}
    assert len(environment) == len(os.environ) + 1
    assert environment.pop("SSGUI_TEST_B", None) is None


def test_made_passwords_are_long_and_differ() -> None:
    made = {make_password("aes-256-gcm").reveal() for _ in range(20)}
    assert len(made) == 20
    assert {len(text) for text in made} == {24}


@pytest.mark.parametrize("method", METHODS_2022.values(), ids=str)
def test_a_made_password_is_a_key_where_the_method_wants_one(method: Method2022) -> None:
    made = {make_password(method.name).reveal() for _ in range(20)}
    assert len({parse_key(method, text) for text in made}) == 20

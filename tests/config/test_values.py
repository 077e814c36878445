"""Single values: what is taken, what is refused and in which words."""

import math
from collections.abc import Callable
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.config.values import (
    ConfigError,
    located,
    parse_host,
    parse_method,
    parse_nameservers,
    parse_networks,
    parse_password,
    parse_port,
    parse_timeout,
)


@pytest.mark.parametrize("value", [1, 65535, "8388", " 443 "])
def test_ports(value: int | str) -> None:
    assert parse_port(value) == int(value)


@pytest.mark.parametrize("value", [0, -1, 65536, "", "x", "80.0", "٣", "+1", 10**4000])
def test_no_ports(value: int | str) -> None:
    with pytest.raises(ConfigError, match="is no port"):
        parse_port(value)


def test_port_zero_where_any_free_one_will_do() -> None:
    assert parse_port(0, zero=True) == 0


@pytest.mark.parametrize(
    ("text", "host"),
    [("example.com", "example.com"), ("[::1]", "::1"), (" 1.2.3.4 ", "1.2.3.4"), ("fe80::1%eth0", "fe80::1%eth0")],
)
def test_hosts(text: str, host: str) -> None:
    assert parse_host(text) == host


@pytest.mark.parametrize(
    "text", ["", " ", "a b", "a\nb", "http://x", "u@h", "h:1", "::1]:5", "\udcff", "x" * 256, "[]"]
)
def test_no_hosts(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_host(text)


@pytest.mark.parametrize("value", [-1, math.nan, math.inf, 1e12])
def test_no_timeouts(value: float) -> None:
    with pytest.raises(ConfigError, match="seconds"):
        parse_timeout(value)


def test_timeouts() -> None:
    assert parse_timeout(0) == 0
    assert parse_timeout(60) == 60.0


def test_method_has_one_name() -> None:
    assert parse_method("Chacha20-Poly1305") == "chacha20-ietf-poly1305"
    with pytest.raises(ConfigError, match="no-such"):
        parse_method("no-such")


def test_password() -> None:
    assert parse_password("пароль").reveal() == "пароль"


@pytest.mark.parametrize("text", ["", "mypassword", "half\udcff"])
def test_refused_passwords_are_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_password(text)
    assert not text or text not in str(caught.value)


def test_networks_in_any_form_of_list() -> None:
    expected = (ip_network("10.0.0.0/8"), ip_network("::1"), ip_network("127.0.0.0/8"))
    assert parse_networks(["10.1.2.3/8, [::1]", "127.0.0.0/8"]) == expected
    assert parse_networks([""]) == ()
    with pytest.raises(ConfigError, match=r"'example\.com' is no address"):
        parse_networks(["example.com"])


def test_nameservers_are_addresses() -> None:
    assert parse_nameservers(["1.1.1.1,[2606:4700::1111]"]) == ("1.1.1.1", "2606:4700::1111")
    with pytest.raises(ConfigError, match="name server"):
        parse_nameservers(["dns.example"])


def test_located_puts_places_in_front() -> None:
    with pytest.raises(ConfigError, match=r"^file: key: bad$"), located("file"), located("key"):
        raise ConfigError("bad")


@given(st.text())
def test_any_text_is_a_value_or_a_config_error_on_one_line(text: str) -> None:
    for parse in (parse_host, parse_port, parse_method, parse_password):
        assert _complaint(parse, text).isprintable()


def _complaint(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
    except ConfigError as error:
        return str(error)
    return ""

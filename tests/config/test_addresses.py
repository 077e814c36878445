"""Targets, proxies and pages: what is taken, what is not, and that no password is shown."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.config.addresses import parse_probe_url, parse_proxy, parse_target
from ssgui.config.models import UpstreamProxy
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError


@pytest.mark.parametrize(
    ("text", "host", "port"), [("h:1", "h", 1), ("[::1]:53", "::1", 53), (" 1.1.1.1:65535", "1.1.1.1", 65535)]
)
def test_targets(text: str, host: str, port: int) -> None:
    assert parse_target(text) == (host, port)


@pytest.mark.parametrize("text", ["", "h", "h:", ":1", "h:0", "h:65536", "::1:1", "[::1]", "a b:1", "[x]:y", "[]:1"])
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_target(text)


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("socks5://h:1080", UpstreamProxy("socks5", "h", 1080)),
        ("SOCKS5h://h:1080/", UpstreamProxy("socks5", "h", 1080)),
        ("http://[::1]:8080", UpstreamProxy("http", "::1", 8080)),
        ("http://u:p%40%3A@h:1", UpstreamProxy("http", "h", 1, "u", Secret("p@:"))),
        ("http://u@h:1", UpstreamProxy("http", "h", 1, "u")),
    ],
)
def test_proxies(text: str, proxy: UpstreamProxy) -> None:
    assert parse_proxy(text) == proxy


@pytest.mark.parametrize(
    "text",
    [
        "h:1", "https://u:hunter22@h:1", "http://u:hunter22@h", "http://u:hunter22@h:http", "http://u:hunter22@:1",
        "http://u:hunter22@h:1/path", "http://u:hunter22@h:0", "http://:hunter22@h:1", "http://u:hunter22@[x:1",
        f"http://u:hunter22{'x' * 250}@h:1", "http://u:hunter22@h:1?x", "http://u:hunter22@h:1#x", "http://u:hunter22/@h:1",
    ],
)  # fmt: skip
def test_what_is_no_proxy(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_proxy(text)
    assert "hunter22" not in repr(caught.value)


def test_probe_pages() -> None:
    for text in ("http://h", "http://h:80/x?y", "http://[::1]/"):
        assert parse_probe_url(text) == text
    for text in (
        "",
        "h",
        "https://h/",
        "http://",
        "http://u@h/",
        "http://h:0/",
        "http://h:x/",
        "http://h/\n",
        "http://h/ ",
    ):
        with pytest.raises(ConfigError):
            parse_probe_url(text)


_anything = st.text(st.characters())  # lone surrogates too: a command line has them


@given(_anything | _anything.map("http://".__add__) | _anything.map("socks5://{}@h:1".format))
def test_any_text_is_taken_or_refused(text: str) -> None:
    for parse in (parse_target, parse_proxy, parse_probe_url):
        assert "\n" not in _complaint(parse, text)


def _complaint(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
    except ConfigError as error:
        return str(error)
    return ""

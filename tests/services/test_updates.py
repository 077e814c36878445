"""The look for a newer version, against a server of https on this computer."""

import json
from collections.abc import Iterator
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest

from ssgui.services.updates import Latest, Releases, UpdateError, is_newer, look_up, releases
from tests.services.test_fetching import Provider, reply


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    made = Provider(tmp_path)
    yield made
    made.close()


async def latest(provider: Provider, etag: str = "") -> Latest:
    return await look_up(Releases(provider.url + "/latest", ""), etag=etag, trust=provider.trust)


async def test_the_latest_and_that_it_is_still_the_latest(provider: Provider) -> None:
    provider.replies["/latest"] = reply(json.dumps({"tag_name": "v1.2.3", "html_url": "x"}).encode(), ETag='"7"')
    assert await latest(provider) == Latest("1.2.3", '"7"')
    provider.replies["/latest"] = reply(b"", 304)
    assert await latest(provider, '"7"') == Latest("", '"7"', True)
    assert provider.headers[-1]["If-None-Match"] == '"7"'


@pytest.mark.parametrize(
    ("data", "status", "word"),
    [(b"<html>", 200, "no JSON"), (b"[]", 200, "names no version"), (b'{"tag_name": "nightly"}', 200, "no version"),
     (b'{"tag_name": 5}', 200, "no version"), (b"", 404, "404"), (b"[" * 100_000, 200, "no JSON")],
)  # fmt: skip
async def test_nonsense_is_told(provider: Provider, data: bytes, status: int, word: str) -> None:
    provider.replies["/latest"] = reply(data, status)
    with pytest.raises(UpdateError, match=word):
        await latest(provider)


async def test_never_around_a_proxy_that_is_down(provider: Provider) -> None:
    with pytest.raises(UpdateError):
        await look_up(Releases(provider.url + "/latest", ""), proxy="socks5://127.0.0.1:1", trust=provider.trust)
    assert not provider.paths


@pytest.mark.parametrize(
    ("version", "than", "newer"),
    [("0.10.0", "0.9.0", True), ("1.0", "1.0.0", False), ("0.9", "1.0", False), ("2.0rc1", "1.0", False),
     ("1.0.post1", "1.0", True), ("x", "1.0", False), ("", "1.0", False), ("9" * 99, "1.0", False)],
)  # fmt: skip
def test_newer(version: str, than: str, newer: bool) -> None:
    assert is_newer(version, than) is newer


def test_where_to_look_is_in_the_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    assert releases("no-such-project-at-all") is None
    lines = ["Latest release, https://api.example/latest", "Download, https://example/page"]
    message = Message()
    monkeypatch.setattr(metadata, "metadata", lambda name: message)
    releases.cache_clear()
    assert releases() is None
    releases.cache_clear()
    for line in lines:
        message["Project-URL"] = line
    assert releases() == Releases("https://api.example/latest", "https://example/page")
    releases.cache_clear()
    message.replace_header("Project-URL", "Latest release, http://api.example/latest")
    assert releases() is None
    releases.cache_clear()

"""What a subscription's list does to the list of servers."""

import asyncio
import json
import time
from email.utils import formatdate
from typing import Any

import msgspec
import pytest

from ssgui.app.consent import agree, is_agreed, plugin_key, with_typed
from ssgui.app.local_proxy import local_settings
from ssgui.app.subscriptions import Subscriptions, merge, removed, renamed
from ssgui.config.app_config import AppConfig, Settings, Subscription
from ssgui.config.documents import Imported, read_document
from ssgui.config.secret import Secret
from ssgui.services.diagnosis.clock import Clock, ClockEvidence
from ssgui.services.fetching import Answer, FetchError, Quota
from tests.support import sample

NEBULA = Subscription(id="n", url=Secret("https://nebula.example/secret"), name="Nebula")
NOW = 1_000_000.0


def entry(host: str, identity: str = "", **more: Any) -> dict[str, Any]:
    tree = {"server": host, "server_port": 443, "method": "aes-256-gcm", "password": "pw12345", "remarks": host}
    return {**tree, **({"id": identity} if identity else {}), **more}


def document(*entries: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"version": 1, "servers": entries, **more}).encode()


def read(*entries: dict[str, Any], **more: Any) -> Imported:
    return read_document(document(*entries, **more))


def merged(config: AppConfig, *entries: dict[str, Any], **more: Any) -> AppConfig:
    return merge(config, NEBULA, read(*entries, **more), Quota(), NOW)


def test_new_ones_are_added_and_the_first_is_used_where_none_was() -> None:
    config = merged(AppConfig(), entry("a"), entry("b"), bytes_used=5, bytes_remaining=7)
    assert [(one.host, one.group, one.subscription) for one in config.servers] == [
        ("a", "Nebula", "n"), ("b", "Nebula", "n")
    ]  # fmt: skip
    assert config.current == config.servers[0].id
    subscription = config.subscriptions[0]
    assert (subscription.bytes_used, subscription.bytes_remaining, subscription.updated) == (5, 7, NOW)


def test_changed_ones_are_updated_and_gone_ones_marked_and_kept() -> None:
    before = merged(AppConfig(servers=(sample.server(1),), current="1"), entry("a", "1"), entry("b", "2"), entry("c"))
    ids = [one.id for one in before.servers]
    after = merged(before, entry("c", remarks="C"), entry("moved", "1", password="other12345"))
    assert [(one.host, one.gone) for one in after.servers] == [
        ("203.0.113.7", False), ("c", False), ("moved", False), ("b", True)
    ]  # fmt: skip
    assert [one.id for one in after.servers] == [ids[0], ids[3], ids[1], ids[2]]
    assert after.servers[2].password.reveal() == "other12345"
    assert after.current == "1"
    back = merged(after, entry("b", "2"))
    assert [one.gone for one in back.servers] == [False, False, True, True]
    assert back.servers[1].id == ids[2]


def test_entries_that_share_an_id_or_a_place_stay_two() -> None:
    twice = [entry("a", "1"), entry("b", "1"), entry("a", password="x234567")]
    config = merged(merged(AppConfig(), *twice), *twice)
    assert len(config.servers) == 3
    assert len({one.id for one in config.servers}) == 3
    assert not any(one.gone for one in config.servers)


def test_a_group_of_its_own_name_is_not_mixed_with_another() -> None:
    there = AppConfig(servers=(sample.server(1, group="Nebula"),), current="1")
    assert merged(there, entry("a")).servers[1].group == "Nebula (2)"


def test_renamed_and_removed() -> None:
    config = merged(AppConfig(servers=(sample.server(1),), current="1"), entry("a"))
    other = renamed(config, "Nebula", "Stars")
    assert other.subscriptions[0].name == "Stars"
    assert merged(other, entry("a"), entry("b")).servers[-1].group == "Stars"
    used = msgspec.structs.replace(other, current=other.servers[1].id)
    assert removed(used, "n") == AppConfig(servers=(sample.server(1),), current="1")


class Context:
    """As much of the app's context as subscriptions need."""

    class _Pause:
        def left(self) -> float:
            return 0.0

    class _Proxy:
        relay = None

        def own(self, client: tuple[str, int]) -> None:
            """Nothing is routed here."""

    def __init__(self, config: AppConfig) -> None:
        self.config, self.pause, self.proxy = config, self._Pause(), self._Proxy()
        self.clock = ClockEvidence()

    def change(self, config: AppConfig) -> None:
        self.config = config


class Provider:
    """Gives `data`, or raises it."""

    def __init__(self) -> None:
        self.data: bytes | Exception = document(entry("a"))
        self.asked: list[dict[str, Any]] = []
        self.unchanged = False

    async def __call__(self, url: Secret, **more: Any) -> Answer:
        self.asked.append(more)
        more["dated"](formatdate(time.time() + 480, usegmt=True), "", 0.1)
        if isinstance(self.data, Exception):
            raise self.data
        return Answer(b"" if self.unchanged else self.data, "tag", Quota(1, 2, 3.0), self.unchanged)


async def refreshed(subscriptions: Subscriptions, identity: str = "n") -> None:
    subscriptions.refresh(identity)
    subscriptions.refresh(identity)
    assert subscriptions.busy == {identity}
    while subscriptions.busy:  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def test_refreshing_keeps_what_is_there_when_it_fails() -> None:
    context, provider, told = Context(merged(AppConfig(), entry("a"))), Provider(), list[bool]()
    made = Subscriptions(context, lambda: told.append(True), provider, lambda: NOW + 5)  # type: ignore[arg-type]
    before = context.config.servers
    for failure, word in (
        (FetchError("404"), "404"), (b"<html>", "web page"), (b'{"servers": []}', "empty"),
    ):  # fmt: skip
        provider.data = failure
        await refreshed(made)
        assert context.config.servers == before
        assert word in context.config.subscriptions[0].error
        assert context.config.subscriptions[0].updated == NOW
    provider.data = document(entry("b"))
    await refreshed(made)
    assert [one.host for one in context.config.servers] == ["b", "a"]
    assert context.config.subscriptions[0].error == ""
    assert context.config.subscriptions[0].bytes_remaining == 2
    provider.unchanged = True
    await refreshed(made)
    assert provider.asked[-1]["etag"] == "tag" == context.config.subscriptions[0].etag
    assert not provider.asked[-1]["directly"]
    assert context.clock.state().clock is Clock.OFF  # what time it is there was heard, too
    assert len(provider.asked) == 5
    assert len(told) == 10


async def test_only_those_that_are_due() -> None:
    config = merged(AppConfig(), entry("a"))
    other = msgspec.structs.replace(NEBULA, id="o", updated=NOW - 90_000)
    context = Context(msgspec.structs.replace(config, subscriptions=(*config.subscriptions, other)))
    made = Subscriptions(context, lambda: None, Provider(), lambda: NOW)  # type: ignore[arg-type]
    made.refresh_due()
    assert not made.busy  # our own port does not listen, and nobody agreed to be seen
    settings = Settings(fetch_directly=True)
    context.config = msgspec.structs.replace(context.config, settings=settings)
    made.refresh_due()
    assert made.busy == {"o"}
    made.stop()
    while made.busy:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    made.refresh_due()
    assert not made.busy  # it was tried a moment ago


async def test_a_new_one_is_looked_up_and_not_kept_yet() -> None:
    context = Context(AppConfig())
    made = Subscriptions(context, lambda: None, Provider(), lambda: NOW)  # type: ignore[arg-type]
    subscription, config = await made.look_up(" https://new.example/list ")
    assert subscription.name == "new.example"
    assert config.servers[0].subscription == subscription.id
    assert context.config == AppConfig()
    with pytest.raises(FetchError, match="not encrypted"):
        await made.look_up("http://new.example/list")


def test_a_plugin_from_elsewhere_is_started_after_a_yes() -> None:
    server = sample.server(1, plugin="v2ray-plugin", plugin_opts="tls;key=secret")
    config = AppConfig(servers=(server,), current="1")
    assert local_settings(config) is None
    assert not is_agreed(config, server)
    allowed = agree(config, server)
    assert local_settings(allowed) is not None
    assert agree(allowed, server) is allowed
    assert "secret" not in plugin_key(server)
    changed = msgspec.structs.replace(server, plugin_opts="tls;key=secret;evil")
    assert not is_agreed(allowed, changed)
    assert not is_agreed(with_typed(config, server, server), server)
    assert is_agreed(with_typed(config, server, changed), changed)

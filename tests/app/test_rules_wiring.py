"""The rules of a person decide: the port serves their PAC, and follows them in Rules mode."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from ssgui.app.context import AppContext
from ssgui.app.log_buffer import LogBuffer
from ssgui.app.rule_updates import RuleUpdates
from ssgui.config.app_config import STARTER, AppConfig, Mode, RuleSource, Server, Settings
from ssgui.config.secret import Secret
from ssgui.config.store import Store
from ssgui.protocol.address import Address
from ssgui.rules.acl import Route
from ssgui.services.fetching import Answer, FetchError
from tests.support.ports import free_port

LIST = RuleSource(id="one", name="one", url=Secret("https://lists.example/one.txt"))
CLIENT = ("127.0.0.1", 5000)
BODY = b"[AutoProxy 0.2.9]\n||listed.example\n"


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[AppContext]:
    server = Server(id="1", host="127.0.0.1", port=free_port(), method="aes-256-gcm", password=Secret("pw"))
    settings = Settings(local_port=free_port(), leave_system_proxy=True)
    Store(tmp_path).save(AppConfig(servers=(server,), current="1", settings=settings, rule_lists=(STARTER, LIST)))
    made = AppContext(Store(tmp_path), LogBuffer())
    made.load()
    await made.start()
    yield made
    await made.stop()


def routes(context: AppContext, host: str, port: int = 443, url: str = "") -> tuple[Route, str]:
    assert context.proxy.relay is not None
    match = context.proxy.relay.router.route(Address(host, port), CLIENT, url)
    return match.route, match.rule


async def everything(context: AppContext) -> None:
    await context.settled()
    await context.rules.settled()
    await context.settled()


async def get(url: str, host: str = "") -> bytes:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {host or parts.netloc}\r\n\r\n".encode())
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_the_modes(context: AppContext) -> None:
    await everything(context)
    listed, other = "www.youtube.com", "example.com"
    through = "ssgui starter rules: ||youtube.com"
    for mode, wanted in (
        (Mode.OFF, [(Route.PROXY, ""), (Route.PROXY, "")]),
        (Mode.RULES, [(Route.PROXY, through), (Route.DIRECT, "")]),
        (Mode.PAC, [(Route.PROXY, through), (Route.PROXY, "")]),  # who comes has asked the PAC, or knows none
        (Mode.GLOBAL, [(Route.PROXY, ""), (Route.PROXY, "")]),
    ):
        context.choose_mode(mode)
        await everything(context)
        assert [routes(context, listed), routes(context, other)] == wanted


async def test_a_port_that_moves_goes_on_with_the_rules(context: AppContext) -> None:
    context.choose_mode(Mode.RULES)
    await everything(context)
    before, relay = context.pac_url(), context.proxy.relay
    assert (await get(before)).startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ns-proxy-autoconfig\r\n")
    port = free_port()
    context.change_settings(local_port=port)
    await everything(context)
    assert context.proxy.relay is not relay
    assert routes(context, "example.com")[0] is Route.DIRECT
    after = context.pac_url()
    assert urlsplit(after).port == port
    assert f'"PROXY 127.0.0.1:{port}"'.encode() in await get(after)


async def test_a_change_of_the_rules_changes_the_address(context: AppContext) -> None:
    context.choose_mode(Mode.RULES)
    await everything(context)
    before = context.pac_url()
    await context.rules.save_user("||example.com")
    await everything(context)
    assert routes(context, "example.com") == (Route.PROXY, "user: ||example.com")
    assert context.pac_url() != before
    assert b"example.com" in await get(context.pac_url())
    assert [one.version for one in context.rules.pac.fetches] == [context.rules.pac.version]
    assert (await get(context.pac_url().replace("k=", "k=x"))).startswith(b"HTTP/1.1 400")


async def test_the_secret_stays(context: AppContext, tmp_path: Path) -> None:
    await everything(context)
    secret = context.config.settings.pac_secret
    assert len(secret.reveal()) > 20
    assert Store(tmp_path).load().config.settings.pac_secret == secret


class Publisher:
    """Answers fetches with what is next, and remembers what was asked."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers, self.asked = list(answers), list[dict[str, Any]]()

    async def __call__(self, url: Secret, **values: Any) -> Answer:
        self.asked.append({"url": url.reveal()} | values)
        values["limits"].progress(0.5)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_lists_are_fetched_checked_and_followed(context: AppContext) -> None:
    context.choose_mode(Mode.RULES)
    await everything(context)
    much = b"[AutoProxy]\n" + b"".join(b"||site%d.example\n" % n for n in range(60))
    publisher = Publisher(
        Answer(BODY, "tag-1"), Answer(b"", "tag-1", unchanged=True), FetchError("404 Not Found"), Answer(much, "tag-2"),
        Answer(BODY, "tag-3"), Answer(b"<html>log in</html>"),
    )  # fmt: skip
    now = [1e9]
    updates = RuleUpdates(context, publisher, lambda: now[0])

    async def update() -> RuleSource:
        updates.update("one")
        assert context.rules.progress == {"one": 0.0}
        await updates.settled()
        await everything(context)
        assert context.rules.progress == {}
        return context.config.rule_lists[1]

    assert not context.rules.lists[1].there
    first = await update()
    assert (first.etag, first.updated, first.error) == ("tag-1", 1e9, "")
    assert routes(context, "www.listed.example") == (Route.PROXY, "one: ||listed.example")
    assert publisher.asked[0]["proxy"].startswith("socks5://127.0.0.1:")
    assert (publisher.asked[0]["etag"], publisher.asked[0]["directly"]) == ("", False)
    now[0] += 10
    assert (await update()).updated == now[0]
    assert publisher.asked[1]["etag"] == "tag-1"
    assert (await update()).error == "404 Not Found"
    assert context.rules.lists[1].error == "404 Not Found"
    assert routes(context, "listed.example")[0] is Route.PROXY  # the last that was good
    assert (await update()).error == ""
    assert routes(context, "listed.example")[0] is Route.DIRECT
    assert routes(context, "site7.example")[0] is Route.PROXY
    assert (await update()).error == "it has 1 rules, the last one had 60"
    assert (await update()).error == "it is a web page, not a list"
    assert (context.config.rule_lists[1].etag, context.rules.lists[1].rules) == ("tag-2", 60)


async def test_due_lists_are_fetched_through_our_own_port_only(context: AppContext) -> None:
    await everything(context)
    publisher = Publisher(FetchError("no"), Answer(BODY), FetchError("no"))
    now = [1e9]
    updates = RuleUpdates(context, publisher, lambda: now[0])

    async def due() -> int:
        updates.update_due()
        await updates.settled()
        await everything(context)
        return len(publisher.asked)

    context.pause.begin()  # everything goes directly
    assert await due() == 0
    updates.update("one")
    await updates.settled()
    assert "not fetched past it" in context.config.rule_lists[1].error
    context.pause.end()
    now[0] += 1801
    assert await due() == 1
    now[0] += 600
    assert await due() == 1  # it has failed a moment ago
    now[0] += 1800
    assert await due() == 2
    now[0] += 23 * 3600
    assert await due() == 2  # fresh
    now[0] += 3600
    assert await due() == 3
    off = msgspec.structs.replace(context.config.rule_lists[1], enabled=False)
    context.change(msgspec.structs.replace(context.config, rule_lists=(STARTER, off)))
    now[0] += 48 * 3600
    assert await due() == 3


async def test_a_list_that_was_removed_meanwhile_stays_removed(context: AppContext) -> None:
    await everything(context)
    updates = RuleUpdates(context, Publisher(Answer(BODY)))
    updates.update()
    context.change(msgspec.structs.replace(context.config, rule_lists=(STARTER,)))
    await updates.settled()
    await everything(context)
    assert [one.id for one in context.config.rule_lists] == ["starter"]

"""Part of the self-test: the app without its window, its port open, and the PAC fetched from it as a browser does."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import msgspec

from ssgui.app.context import AppContext
from ssgui.app.log_buffer import LogBuffer
from ssgui.app.passwords import make_password
from ssgui.config.app_config import AppConfig, Server
from ssgui.config.store import Store
from ssgui.engine.loop import new_headless_loop
from ssgui.engine.pages import PAC_TYPE
from ssgui.engine.tasks import run_blocking
from ssgui.rules.acl import Route
from ssgui.services.rules.current import RulesService

_METHOD: Final = "aes-256-gcm"
_SECONDS: Final = 10.0
_ALWAYS: Final = ("example.org", "not-in-any-list.test", "10.1.2.3", "printer", "localhost")
_NAME: Final = re.compile(r"^\|\|([\w.-]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """A PAC as it was served, its type, and for URLs and hosts what it must say."""

    pac: bytes
    kind: str
    wanted: Sequence[tuple[str, str, str]]


class PacError(OSError):
    """The PAC is not served as it should be."""


def serve_pac(folder: Path) -> Sample:
    """Serve the PAC of the rules that come with ssgui and fetch it. OSError, httpx.HTTPError."""
    folder.mkdir(mode=0o700)
    with asyncio.Runner(loop_factory=new_headless_loop) as runner:
        return runner.run(_serve(folder))


async def _serve(folder: Path) -> Sample:
    server = Server(id="self", host="127.0.0.1", port=9, method=_METHOD, password=make_password(_METHOD))
    context = AppContext(Store(folder), LogBuffer())
    context.load()
    settings = msgspec.structs.replace(context.config.settings, local_port=0)
    context.config = AppConfig(
        servers=(server,), current=server.id, settings=settings, rule_lists=context.config.rule_lists
    )
    try:
        async with asyncio.timeout(_SECONDS):
            await context.start()
            await context.rules.settled()
            return await run_blocking(_fetch, context.pac_url(), _expected(context.rules, context.address))
    finally:
        await context.stop()


def _expected(rules: RulesService, address: str) -> list[tuple[str, str, str]]:
    """What the engine's own matcher says of every name that the rules speak of, and of some that they do not."""
    names = {*_ALWAYS, *(name for one in rules.lists for name in _names(rules, one.source.id))}
    found = []
    for name in sorted(names):
        url = f"https://{name}/"
        through = rules.explain(url).pac.route is Route.PROXY
        found.append((url, name, f"PROXY {address}" if through else "DIRECT"))
    if all(answer == "DIRECT" for _, _, answer in found):
        raise PacError("the rules that come with ssgui send nothing through the proxy")
    return found


def _names(rules: RulesService, identity: str) -> list[str]:
    source = next(one.source for one in rules.lists if one.source.id == identity)
    return _NAME.findall((rules.folder.body(source) or b"").decode("utf-8", "replace"))


def _fetch(url: str, wanted: Sequence[tuple[str, str, str]]) -> Sample:
    if not url:
        raise PacError("no PAC is served")
    with httpx.Client(trust_env=False, timeout=_SECONDS) as client:
        answer = client.get(url)
        without = client.get(url.partition("?")[0])
    kind = answer.headers.get("content-type", "")
    if answer.status_code != 200 or kind != PAC_TYPE:
        raise PacError(f"the port answers {answer.status_code} and {kind or 'no type'}")
    if b"function FindProxyForURL" not in answer.content:
        raise PacError("what the port serves is no PAC")
    if without.status_code == 200 or b"FindProxyForURL" in without.content:
        raise PacError("it is served to whoever does not know its secret")
    return Sample(answer.content, kind, wanted)

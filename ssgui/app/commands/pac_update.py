"""`ssgui pac update`: the lists of the data directory, refreshed by the app that runs, or here."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from ssgui.app.commands.io import counted, say
from ssgui.app.commands.pac_sources import SECONDS
from ssgui.config.app_config import RuleSource
from ssgui.config.store import Store, read_config
from ssgui.engine.tasks import run_blocking
from ssgui.rules.model import RuleList
from ssgui.rules.reader import ListError
from ssgui.services.control.channel import ControlError, InstanceLock, ask
from ssgui.services.fetching import FetchError, Limits, fetch
from ssgui.services.rules.lists import MOST_BYTES, ListState, RuleFolder, names_of, parse_all

_LOOK_SECONDS = 0.2
Tell = Callable[[str], None]


def update_lists(folder: Path, tell: Tell) -> bool:
    """Refresh those that are in use and `tell` of each what came of it; whether all are good. Blocks.

    ConfigError when there is no configuration to read, StoreError when it cannot be written.
    """
    return asyncio.run(_update(folder, tell))


async def _update(folder: Path, tell: Tell) -> bool:
    try:
        await ask(folder, {"do": "update-lists"})
        states = await _wait_for_the_app(folder)
    except ControlError:
        states = await _update_here(folder)
    for state in states:
        tell(f"{state['name']}: {_result(state)}")
    return not any(state["error"] or state["updating"] for state in states)


def _result(state: dict[str, Any]) -> str:
    """What a line says."""
    if not state["fetched"]:
        return f"{_size(state)}, comes with ssgui"
    if not state["enabled"]:
        return "off, not updated"
    if state["error"] or state["updating"]:
        return f"{state['error'] or 'the app is still fetching it'}{_last_good(state)}"
    problems = f", {counted(state['problems'], 'line')} not understood" if state["problems"] else ""
    return f"{_size(state)}, up to date{problems}"


def _size(state: dict[str, Any]) -> str:
    rules, networks = state["rules"], state["networks"]
    parts = [counted(rules, "rule")] if rules or not networks else []
    parts += [counted(networks, "network")] if networks else []
    return ", ".join(parts)


def _last_good(state: dict[str, Any]) -> str:
    if not state["there"]:
        return ""
    day = time.strftime("%Y-%m-%d", time.localtime(state["updated"]))
    return (
        f"; the copy of {day} stays ({_size(state)})" if state["updated"] else f"; the last copy stays ({_size(state)})"
    )


# ---- by the app


async def _wait_for_the_app(folder: Path) -> list[dict[str, Any]]:
    """The lists, once none is being fetched any more. ControlError when the app goes away."""
    deadline = time.monotonic() + SECONDS * 1.5
    while True:
        answer = await ask(folder, {"do": "lists"})
        states: list[dict[str, Any]] = answer["lists"]
        if not any(state["updating"] for state in states) or time.monotonic() > deadline:
            return states
        await asyncio.sleep(_LOOK_SECONDS)


# ---- without it


async def _update_here(folder: Path) -> list[dict[str, Any]]:
    config, kept = read_config(folder).config, RuleFolder(folder)
    before, _ = await run_blocking(parse_all, kept, config.rule_lists)
    changed: dict[str, RuleSource] = {}
    for source in config.rule_lists:
        if source.enabled and source.url:
            changed[source.id] = await _refresh(kept, source, before.get(source.id))
    if changed:
        say("fetched directly, for no app runs here")
        await run_blocking(_save, folder, changed)
    sources = [changed.get(source.id, source) for source in config.rule_lists]
    after, failed = await run_blocking(parse_all, kept, sources)
    names = names_of(sources)
    return [_state(one, names[one.id], after.get(one.id), failed.get(one.id, "")).told() for one in sources]


async def _refresh(kept: RuleFolder, source: RuleSource, before: RuleList | None) -> RuleSource:
    """`source` as it is after a fetch; its body is kept if it can be the list."""
    etag = source.etag if before is not None else ""
    try:
        answer = await fetch(source.url, etag=etag, directly=True, limits=Limits(MOST_BYTES, SECONDS))
        if not answer.unchanged:
            await run_blocking(kept.replace, source, answer.data, before)
    except (FetchError, ListError) as error:
        return msgspec.structs.replace(source, error=str(error))
    except OSError as error:
        return msgspec.structs.replace(source, error=f"it cannot be kept: {error.strerror or error}")
    return msgspec.structs.replace(source, updated=time.time(), error="", etag=answer.etag or source.etag)


def _state(source: RuleSource, name: str, found: RuleList | None, failed: str) -> ListState:
    one = found or RuleList()
    there, why = found is not None, source.error or failed
    return ListState(source, name, len(one.rules), len(one.networks), one.problems, there=there, error=why)


def _save(folder: Path, changed: dict[str, RuleSource]) -> None:
    """Note what came of each list, unless an app has the configuration now. StoreError."""
    lock = InstanceLock(folder)
    if not lock.take():
        say("the app has started meanwhile: it looks after its lists itself")
        return
    try:
        store = Store(folder)
        config = store.load().config
        lists = tuple(_noted(one, changed.get(one.id)) for one in config.rule_lists)
        store.save(msgspec.structs.replace(config, rule_lists=lists))
    finally:
        lock.release()


def _noted(source: RuleSource, after: RuleSource | None) -> RuleSource:
    if after is None:
        return source
    return msgspec.structs.replace(source, updated=after.updated, error=after.error, etag=after.etag)

"""The rules that a command of `ssgui pac` is about: what the person chose in the data directory, or what was given."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ssgui.app.commands.io import STDIN, CommandError, read_file, say
from ssgui.app.own_proxy import proxy_url
from ssgui.config.addresses import parse_pac_result
from ssgui.config.app_config import RuleSource, Settings
from ssgui.config.store import read_config
from ssgui.config.values import ConfigError, located
from ssgui.rules.model import Policy, PolicyMode, RuleList
from ssgui.rules.reader import ListError, read_user_rules
from ssgui.services.control.channel import ControlError, ask
from ssgui.services.fetching import FetchError, Limits, check_address, fetch
from ssgui.services.rules.lists import (
    MOST_BYTES,
    MOST_USER_BYTES,
    RuleFolder,
    names_of,
    parse,
    parse_all,
    source_of,
    user_text_of,
)

SECONDS = 120.0
_MOST_REMARKS = 10  # lines that were not understood, of one list


@dataclass(frozen=True, slots=True)
class Given:
    """What stands on the command line. Without `lists` and `user` it is about the data directory `folder`."""

    folder: Path
    lists: tuple[str, ...] = ()
    user: str | None = None
    mode: PolicyMode | None = None
    proxy: str | None = None


def policy_of(given: Given) -> Policy:
    """The rules, read and fetched; what is to be said about them is said. ConfigError, CommandError."""
    config = read_config(given.folder).config
    settings = config.settings
    mode = given.mode or (PolicyMode.LIST if given.lists or given.user else settings.rules_mode)
    if given.lists or given.user:
        lists = asyncio.run(_read_lists(given, settings, direct=mode is PolicyMode.BYPASS))
        user = read_user_rules(user_text_of(read_file(given.user, MOST_USER_BYTES))) if given.user else RuleList("user")
        fail_open = False
    else:
        lists, user = _kept(given.folder, config.rule_lists)
        fail_open = settings.fail_open and given.proxy is None
    with located("--proxy"):
        proxy = f"PROXY 127.0.0.1:{settings.local_port}" if given.proxy is None else parse_pac_result(given.proxy)
    for one in (user, *lists):
        say_problems(one)
    return Policy(mode, user, lists, proxy, fail_open)


def say_problems(one: RuleList) -> None:
    """The lines of `one` that were not understood."""
    for problem in one.problems[:_MOST_REMARKS]:
        say(f"{one.name}: {problem}")
    if len(one.problems) > _MOST_REMARKS:
        say(f"{one.name}: {len(one.problems) - _MOST_REMARKS:,} more lines are not understood")


# ---- of the data directory


def _kept(folder: Path, sources: tuple[RuleSource, ...]) -> tuple[tuple[RuleList, ...], RuleList]:
    """What is in use of it."""
    kept = RuleFolder(folder)
    try:
        user = read_user_rules(kept.user_text())
    except OSError as error:
        raise ConfigError(f"{kept.user_path}: {error.strerror or error}") from None
    wanted = [source for source in sources if source.enabled]
    found, failed = parse_all(kept, wanted)
    names = names_of(sources)
    for source in wanted:
        if why := failed.get(source.id):
            say(f"{names[source.id]}: {why}; it is left out")
        elif source.id not in found:
            say(f"{names[source.id]}: it was never fetched (ssgui pac update); it is left out")
    return tuple(found[source.id] for source in wanted if source.id in found), user


# ---- given


async def _read_lists(given: Given, settings: Settings, *, direct: bool) -> tuple[RuleList, ...]:
    """The lists in their order; `direct` ones send what they match past the proxy."""
    sources = [_source(text, direct=direct) for text in given.lists]
    way = await way_of_the_app(given.folder, settings) if any(source.url for source in sources) else ""
    names = names_of(msgspec.structs.replace(one, id=str(number)) for number, one in enumerate(sources))
    found = []
    for number, source in enumerate(sources):
        name = names[str(number)]
        data = await _fetched(source, name, way, settings) if source.url else read_file(source.id, MOST_BYTES)
        try:
            found.append(parse(source, data, name))
        except ListError as error:
            raise ConfigError(f"{name}: {error}{_which_group(source, error)}") from None
    return tuple(found)


def _source(text: str, *, direct: bool) -> RuleSource:
    """FILE or URL, and behind "#" the groups to take out of a dlc.dat."""
    place, _, groups = text.partition("#")
    if "://" not in text and (text == "-" or Path(text).exists()):
        place, groups = text, ""
    wanted = tuple(one.strip().lower() for one in groups.split(",") if one.strip())
    if "://" not in place:
        name = STDIN if place == "-" else Path(place).name
        return RuleSource(id=place, name=name, groups=wanted, direct=direct)
    try:
        check_address(place)
    except FetchError as error:
        raise ConfigError(f"{place[:80]!a}: {error}") from None
    return msgspec.structs.replace(source_of(place, direct=direct), groups=wanted)


def _which_group(source: RuleSource, error: ListError) -> str:
    """How a group is named, where one is missing."""
    return "" if source.groups or "lists in it" not in str(error) else ", as in dlc.dat#cn or dlc.dat#openai,docker"


async def way_of_the_app(folder: Path, settings: Settings) -> str:
    """The port of the app that runs, as our own downloads use it; "" when none runs, or it does not listen."""
    try:
        place = (await ask(folder, {"do": "status"})).get("address")
    except ControlError:
        return ""
    return proxy_url(place, settings) if isinstance(place, str) and place else ""


async def _fetched(source: RuleSource, name: str, way: str, settings: Settings) -> bytes:
    limits = Limits(MOST_BYTES, SECONDS)
    try:
        answer = await fetch(source.url, proxy=way, directly=not way or settings.fetch_directly, limits=limits)
    except FetchError as error:
        raise CommandError(f"{name}: {error}") from None
    say(f"{name}: {len(answer.data):,} bytes, fetched {'through the app' if way else 'directly, for no app runs here'}")
    return answer.data

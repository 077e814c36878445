"""What decides where a site goes, on this computer: the person's rules, the lists that were chosen, and their PAC.

The matcher and the PAC are made together, in a thread, whenever something of it has changed; what was good before
holds until then.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from ssgui.assets import asset
from ssgui.config.app_config import AppConfig, RuleSource
from ssgui.config.atomic_file import write_atomically
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.rules.acl import Problem
from ssgui.rules.address_forms import as_url
from ssgui.rules.covered import covered_lines
from ssgui.rules.matcher import Explanation, Matcher
from ssgui.rules.model import Policy, RuleList
from ssgui.rules.pac_compiler import PacTooBigError, compile_pac
from ssgui.rules.reader import read_user_rules
from ssgui.services.rules.hits import HitListener, RuleHits, names_by_line
from ssgui.services.rules.lists import (
    USER,
    ListState,
    RuleFolder,
    names_of,
    parse,
    parse_all,
)
from ssgui.services.rules.own_file import OwnFile, RulesError
from ssgui.services.rules.pac_pages import PROXY_MARK, PacInUse, PacPages

STATE_NAME: Final = "rules-state.json"
_MOST_STATE_BYTES: Final = 8 << 20
_log = logging.getLogger("ssgui")


@dataclass(frozen=True, slots=True)
class Made:
    """Everything that was made of one state of the rules; `failed` says by id why a list is not in it."""

    config: AppConfig = field(default_factory=AppConfig)
    user_text: str = ""
    user: RuleList = field(default_factory=RuleList)
    lists: Mapping[str, RuleList] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)  # the person's rules by line, as hits name them
    covered: Mapping[int, int] = field(default_factory=dict)  # the person's lines that could go, and what is enough
    matcher: Matcher | None = None
    pac: bytes | None = None  # with PROXY_MARK in it
    pac_error: str = ""


class RulesService:
    """Follows the configuration that `config` gives. `changed` are called when something that is shown has changed,

    `turned` when what decides has: the matcher, or the PAC. Without `keep` nothing is written.
    """

    def __init__(
        self, folder: Path, config: Callable[[], AppConfig], turned: Callable[[], None], *, keep: bool = True,
        wall: Callable[[], float] = time.time, today: Callable[[], str] = lambda: date.today().isoformat(),
    ) -> None:  # fmt: skip
        self.folder = RuleFolder(folder)
        self._state_path = folder / STATE_NAME
        self._config, self._turned, self._keep = config, turned, keep
        self.changed: list[Callable[[], None]] = []
        self.made = Made()
        self.hits = RuleHits(today)
        self.listener = HitListener(self.hits, self._names)
        self.pac_pages = PacPages(wall)
        self.pac_pages.changed = self.tell
        self.progress: dict[str, float] = {}  # by id of a list that is being fetched
        self._parsed: dict[str, tuple[RuleSource, bytes, RuleList]] = {}
        self._fresh: set[str] = set()  # ids of lists whose body is to be read again
        self.own = OwnFile(self.folder, keep=keep)
        self._work: asyncio.Task[None] | None = None
        self._read_yet = False
        self._saved = 0

    # ---- life

    def follow(self) -> None:
        """The configuration, a list or the person's rules may have changed."""
        if self._work is None and self._outdated():
            self._work = spawn(self._make_all(), name="make the rules")

    async def settled(self) -> None:
        """Wait until what holds is what is wanted."""
        while self._work is not None:
            await asyncio.wait([self._work])

    async def stop(self) -> None:
        """Keep what was counted."""
        await self.settled()
        await self.save_counts()

    def _outdated(self) -> bool:
        made, config = self.made, self._config()
        return (
            made.matcher is None
            or bool(self._fresh)
            or self.own.text != made.user_text
            or config.rule_lists != made.config.rule_lists
            or config.settings.rules_mode is not made.config.settings.rules_mode
        )

    async def _make_all(self) -> None:
        try:
            if not self._read_yet:
                await run_blocking(self._read)
                self._read_yet = True
            while self._outdated():
                self._fresh.clear()
                self.made = await run_blocking(self._make, self._config(), self.own.text or "")
                self.hits.keep(self.made.names.values())
                self._turned()
        finally:
            self._work = None
            self.tell()

    def tell(self) -> None:
        """Something that is shown has changed."""
        for listener in list(self.changed):
            listener()

    # ---- in a thread

    def _read(self) -> None:
        self.own.read()
        try:
            if self._keep:
                self.folder.tidy(self._config().rule_lists)
        except OSError as error:
            _log.warning("lists that are not used any more cannot be removed: %s", error.strerror or error)
        state = _read_state(self._state_path)
        self.hits.restore(state.get("hits"))
        version, digest = state.get("version"), state.get("hash")
        if isinstance(version, int) and isinstance(digest, str):
            self.pac_pages.begin(version, digest)

    def _make(self, config: AppConfig, text: str) -> Made:
        user = read_user_rules(text)
        lists, failed = parse_all(self.folder, config.rule_lists, self._parse)  # what is off too: its size is shown
        self._parsed = {one: self._parsed[one] for one in lists}
        in_use = tuple(lists[one.id] for one in config.rule_lists if one.enabled and one.id in lists)
        policy = Policy(config.settings.rules_mode, user, in_use, PROXY_MARK)
        pac, pac_error = self._compile(policy)
        names, covered = names_by_line(user), covered_lines(user)
        return Made(config, text, user, lists, failed, names, covered, Matcher(policy), pac, pac_error)

    def _parse(self, source: RuleSource, body: bytes, name: str) -> RuleList:
        known = self._parsed.get(source.id)
        like = (source.groups, source.direct, name, body)
        if known is not None and (known[0].groups, known[0].direct, known[2].name, known[1]) == like:
            return known[2]
        made = parse(source, body, name)
        self._parsed[source.id] = (source, body, made)
        return made

    def _compile(self, policy: Policy) -> tuple[bytes | None, str]:
        """A PAC that browsers accept: the last one if this one would be too big."""
        try:
            pac = compile_pac(policy, asset("pac/template.js").read_text("ascii"))
        except PacTooBigError as error:
            _log.warning("%s; the last PAC that was good stays", error)
            return self._last_good(), str(error)
        try:
            if self._keep and pac != self._last_good():
                self.folder.keep_pac(pac)
        except OSError as error:
            _log.warning("the PAC is not kept: %s", error.strerror or error)
        return pac, ""

    def _last_good(self) -> bytes | None:
        try:
            return self.folder.last_good()
        except OSError as error:
            _log.warning("the last PAC cannot be read: %s", error.strerror or error)
            return None

    # ---- what is known

    def _names(self) -> tuple[str, ...]:
        return (USER, *(one.name for one in self.made.lists.values()))

    @property
    def matcher(self) -> Matcher | None:
        """Decides; None until the first has been made."""
        return self.made.matcher

    @property
    def lists(self) -> tuple[ListState, ...]:
        """The lists that were chosen, in the order of precedence."""
        self.hits.look()
        sources = self._config().rule_lists
        names = names_of(sources)
        return tuple(self._state_of(source, names[source.id]) for source in sources)

    def _state_of(self, source: RuleSource, name: str) -> ListState:
        rules = self.made.lists.get(source.id, RuleList())
        return ListState(
            source, name, len(rules.rules), len(rules.networks) + len(rules.excepted), rules.problems,
            there=source.id in self.made.lists,
            error=source.error or self.made.failed.get(source.id, ""),
            progress=self.progress.get(source.id),
            hits_today=self.hits.lists[name],
        )  # fmt: skip

    @property
    def count(self) -> int:
        """How many rules there are in use."""
        policy = self.made.matcher.policy if self.made.matcher is not None else Policy()
        return sum(len(one.rules) + len(one.networks) for one in (policy.user, *policy.lists))

    @property
    def pac(self) -> PacInUse:
        """What browsers are given."""
        return self.pac_pages.in_use(self.made.pac_error)

    def explain(self, url: str) -> Explanation:
        """Where `url` goes, and why; a host alone is taken for its https page. ValueError when it is no address."""
        return (self.made.matcher or Matcher(Policy())).explain(as_url(url))

    # ---- the person's own rules

    @property
    def user_text(self) -> str:
        """As the editor shows it."""
        return self.own.text or ""

    def check(self, text: str) -> tuple[Problem, ...]:
        """What of `text` would not be understood."""
        return read_user_rules(text).problems

    async def save_user(self, text: str) -> None:
        """Keep `text` and follow it. RulesError, see `OwnFile.save`."""
        await self._ready()
        try:
            await self.own.save(text)
        finally:
            self.follow()
            self.tell()

    async def read_again(self) -> None:
        """The person's rules may have been changed in their file, by another program. RulesError."""
        await self._ready()
        try:
            if not await self.own.read_again():
                return
        except RulesError:
            self.tell()
            raise
        self.follow()
        self.tell()

    async def _ready(self) -> None:
        """Wait until the file was read once."""
        if not self._read_yet:
            self.follow()
            await self.settled()

    def list_changed(self, identity: str) -> None:
        """The body of this list is another one."""
        self._fresh.add(identity)
        self.follow()

    # ---- counts

    async def save_counts(self) -> None:
        """Keep how often rules were hit, if that has changed."""
        counted = self.hits.version + self.pac_pages.version
        if not self._keep or not self._read_yet or counted == self._saved:
            return
        self._saved = counted
        tree = {"hits": self.hits.saved(), "version": self.pac_pages.version, "hash": self.pac_pages.digest}
        try:
            await run_blocking(self._write_state, json.dumps(tree).encode())
        except OSError as error:
            _log.warning("%s is not kept: %s", STATE_NAME, error.strerror or error)

    def _write_state(self, data: bytes) -> None:
        self._state_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self._state_path, data)


def _read_state(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            tree = json.loads(file.read(_MOST_STATE_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}  # counts only: they begin anew
    return tree if isinstance(tree, dict) else {}

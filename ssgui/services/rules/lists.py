"""The lists of rules on this computer: what can be chosen, what was chosen, and their bodies as fetched last."""

import errno
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ssgui.assets import asset
from ssgui.config.app_config import STARTER, RuleSource
from ssgui.config.atomic_file import write_atomically
from ssgui.config.secret import Secret
from ssgui.rules.acl import Problem, Route
from ssgui.rules.geosite import is_dlc
from ssgui.rules.model import RuleList
from ssgui.rules.reader import ListError, read_list

MOST_BYTES: Final = 16 << 20  # of a list: a dlc.dat has 3 MiB
MOST_USER_BYTES: Final = 4 << 20
USER: Final = "user"  # what the person's own rules are called where lists are named
STARTER_NAME: Final = "ssgui starter rules"
_GEOSITE: Final = "https://github.com/v2fly/domain-list-community/releases/latest/download/dlc.dat"
_PLAIN_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_FEWEST_TO_COMPARE, _LEAST_LEFT = 50, 0.5

# What is offered. Every one is fetched from who publishes it (see pac/README.md).
CATALOGUE: Final = (
    STARTER,
    RuleSource(
        id="gfwlist", name="gfwlist", url=Secret("https://raw.githubusercontent.com/gfwlist/gfwlist/master/gfwlist.txt")
    ),
    RuleSource(
        id="geosite-abroad", name="geosite: geolocation-!cn", groups=("geolocation-!cn",), url=Secret(_GEOSITE)
    ),
    RuleSource(id="geosite-cn", name="geosite: cn", groups=("cn",), direct=True, url=Secret(_GEOSITE)),
    RuleSource(
        id="chnroutes", name="China routes", direct=True,
        url=Secret("https://raw.githubusercontent.com/misakaio/chnroutes2/master/chnroutes.txt"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ListState:
    """A list as a row shows it. `rules` are those of names and URLs, `networks` those of addresses.

    `there` is False while its body was never had. `progress` is how much of 1 has come while it is fetched.
    """

    source: RuleSource
    name: str
    rules: int = 0
    networks: int = 0
    problems: tuple[Problem, ...] = ()
    there: bool = True
    error: str = ""
    progress: float | None = None
    hits_today: int = 0

    @property
    def id(self) -> str:
        """That of the source."""
        return self.source.id

    def told(self) -> dict[str, Any]:
        """As it is told to other processes."""
        return {
            "name": self.name, "enabled": self.source.enabled, "fetched": bool(self.source.url), "rules": self.rules,
            "networks": self.networks, "problems": len(self.problems), "there": self.there, "error": self.error,
            "updated": self.source.updated, "updating": self.progress is not None,
        }  # fmt: skip


def geosite(groups: Sequence[str], *, direct: bool = False) -> RuleSource:
    """A source for these groups of domain-list-community."""
    groups = tuple(dict.fromkeys(one.strip().lower() for one in groups if one.strip()))
    shown = ", ".join(groups)
    identity = hashlib.sha256(shown.encode()).hexdigest()[:12]
    return RuleSource(
        id=f"geosite-{identity}", name=f"geosite: {shown}", groups=groups, url=Secret(_GEOSITE), direct=direct
    )


def source_of(url: str, *, direct: bool = False) -> RuleSource:
    """A source for a list at `url`, named by its place."""
    url = url.strip()
    parts = urlsplit(url)
    name = f"{parts.hostname or ''}{parts.path}".rstrip("/")
    identity = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return RuleSource(id=f"url-{identity}", name=name, url=Secret(url), direct=direct)


def names_of(sources: Iterable[RuleSource]) -> dict[str, str]:
    """Id to a name that no other list has: rules are told apart by it."""
    taken, names = {USER}, {}
    for source in sources:
        wanted = source.name or (STARTER_NAME if not source.url else source.id)
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted} ({number})"
        taken.add(name)
        names[source.id] = name
    return names


def parse(source: RuleSource, data: bytes, name: str) -> RuleList:
    """The list of `source`, whose body is `data`. ListError."""
    action = Route.DIRECT if source.direct else Route.PROXY
    if not source.groups or not is_dlc(data):
        return read_list(data, name, action)
    parts = [read_list(data, name, action, group) for group in source.groups]
    return RuleList(
        name,
        tuple(rule for part in parts for rule in part.rules),
        tuple(network for part in parts for network in part.networks),
        tuple(problem for part in parts for problem in part.problems),
        action,
        parts[0].title,
        parts[0].modified,
    )


def parse_all(
    folder: "RuleFolder", sources: Sequence[RuleSource], parse: Callable[[RuleSource, bytes, str], RuleList] = parse
) -> tuple[dict[str, RuleList], dict[str, str]]:
    """Every list of `sources` that was ever had, and why others cannot be read, by id. Blocks."""
    names, found, failed = names_of(sources), dict[str, RuleList](), dict[str, str]()
    for source in sources:
        try:
            body = folder.body(source)
            if body is not None:
                found[source.id] = parse(source, body, names[source.id])
        except OSError as error:
            failed[source.id] = f"its file cannot be read: {error.strerror or error}"
        except ListError as error:
            failed[source.id] = str(error)
    return found, failed


def size_of(rules: RuleList) -> int:
    """Rules of any kind in it."""
    return len(rules.rules) + len(rules.networks) + len(rules.excepted)


def checked(source: RuleSource, data: bytes, before: int) -> RuleList:
    """What `data`, just fetched, holds. ListError when it cannot be the list that had `before` rules."""
    found = parse(source, data, source.name)
    if before >= _FEWEST_TO_COMPARE and size_of(found) < before * _LEAST_LEFT:
        raise ListError(f"it has {size_of(found):,} rules, the last one had {before:,}")
    return found


def user_text_of(data: bytes) -> str:
    """The person's rules, as their file says them."""
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n")


class RuleFolder:
    """Where bodies and the person's rules are kept. Every call blocks; OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def user_path(self) -> Path:
        """The person's own rules, as text."""
        return self._folder / "user-rules.txt"

    def user_text(self) -> str:
        """What they say; "" if there are none. A part of them would be worse than nothing: EFBIG."""
        try:
            with self.user_path.open("rb") as file:
                data = file.read(MOST_USER_BYTES + 1)
        except FileNotFoundError:
            return ""
        if len(data) > MOST_USER_BYTES:
            raise OSError(errno.EFBIG, f"more than {MOST_USER_BYTES >> 20} MiB")
        return user_text_of(data)

    def save_user(self, text: str) -> None:
        """Keep them."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self.user_path, text.encode("utf-8", "replace"))

    def body(self, source: RuleSource) -> bytes | None:
        """What was fetched last, or what comes with ssgui; None if it was never had."""
        if not source.url:
            return asset("pac/starter.txt").read_bytes()
        try:
            return self._path(source.id).read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, source: RuleSource, data: bytes) -> None:
        """`data` is what it says from now on."""
        path = self._path(source.id)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, data)

    def replace(self, source: RuleSource, data: bytes, before: RuleList | None) -> None:
        """The same, if `data` can be the list that had the rules of `before`; ListError when it cannot."""
        checked(source, data, size_of(before) if before is not None else 0)
        self.keep(source, data)

    def last_good(self) -> bytes | None:
        """The last PAC that browsers accept."""
        try:
            return self._pac.read_bytes()
        except FileNotFoundError:
            return None

    def keep_pac(self, pac: bytes) -> None:
        """`pac` is the last good one."""
        self._pac.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self._pac, pac)

    def tidy(self, sources: Iterable[RuleSource]) -> None:
        """Remove bodies of lists that are not chosen any more."""
        wanted = {self._path(source.id) for source in sources} | {self._pac}
        with suppress(FileNotFoundError):
            for path in (self._folder / "lists").iterdir():
                if path not in wanted and path.suffix == ".list":
                    path.unlink(missing_ok=True)

    @property
    def _pac(self) -> Path:
        return self._folder / "lists" / "last-good.pac"

    def _path(self, identity: str) -> Path:
        name = identity if _PLAIN_ID.fullmatch(identity) else hashlib.sha256(identity.encode()).hexdigest()
        return self._folder / "lists" / f"{name}.list"

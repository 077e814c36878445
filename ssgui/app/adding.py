"""What a person wants to add, looked through before anything is added: servers, and why others cannot be.

Everything in here but `merged` and `without` may take long for a large document: it is work for a thread.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

import msgspec

from ssgui.config.app_config import AppConfig, Server, server_of
from ssgui.config.values import ConfigError
from ssgui.protocol.methods import METHODS
from ssgui.protocol.sip022 import METHODS_2022
from ssgui.protocol.stream_ciphers import STREAM_METHODS

Place = tuple[str, int, str, str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One entry. Without a `server` it cannot be added, for the reason that `problem` says.

    `known` says that the server is in the list already, `insecure` that its method does not protect against changes,
    `unknown_method` that nobody here speaks it.
    """

    server: Server | None = None
    where: str = ""
    problem: str = ""
    known: bool = False
    insecure: bool = False
    unknown_method: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What was found. `title` says what kind of document it was, `online` are addresses of subscriptions."""

    title: str
    candidates: tuple[Candidate, ...]
    online: tuple[str, ...] = ()

    @property
    def servers(self) -> tuple[Server, ...]:
        """What could be added."""
        return tuple(one.server for one in self.candidates if one.server is not None)


def look_through(documents: Iterable[tuple[str, bytes]], there: tuple[Server, ...]) -> Found:
    """Read documents, each with a name to speak of it, "" for none. ConfigError when there is nothing in any."""
    from ssgui.config.documents import Severity, read_document

    taken = {place_of(server) for server in there}
    candidates: list[Candidate] = []
    titles: dict[str, None] = {}
    online: dict[str, None] = {}
    failures = []
    for name, data in documents:
        try:
            document = read_document(data)
        except ConfigError as error:
            failures.append(f"{name}: {error}" if name else str(error))
            continue
        titles[document.title] = None
        online |= dict.fromkeys(document.settings.subscriptions)
        candidates += [_candidate(server_of(one.profile, str(uuid4()), one.group), taken) for one in document.servers]
        for note in document.noted(Severity.SKIPPED):
            where = f"{name}: {note.where}" if name and note.where else name or note.where
            candidates.append(Candidate(where=where, problem=note.what))
    if not candidates and not online:
        raise ConfigError("; ".join(failures) or "it is empty")
    candidates += [Candidate(problem=failure) for failure in failures]
    return Found(", ".join(titles), tuple(candidates), tuple(online))


def assess(servers: Iterable[Server], there: tuple[Server, ...]) -> tuple[Candidate, ...]:
    """What is to be said about each of `servers` beside those that are there."""
    taken = {place_of(server) for server in there}
    return tuple(_candidate(server, taken) for server in servers)


def place_of(server: Server) -> Place:
    """What makes two entries one server for a person."""
    return server.host.lower(), server.port, server.method, server.password.reveal()


def _candidate(server: Server, taken: set[Place]) -> Candidate:
    place = place_of(server)
    known = place in taken
    taken.add(place)
    supported = server.method in METHODS or server.method in METHODS_2022
    insecure = server.method in STREAM_METHODS
    return Candidate(server, known=known, insecure=insecure, unknown_method=not supported and not insecure)


def merged(config: AppConfig, servers: tuple[Server, ...], group: str | None, *, use: bool = False) -> AppConfig:
    """`config` with these servers at its end, all in one `group` unless that is None."""
    if group is not None:
        servers = tuple(one if one.group == group else msgspec.structs.replace(one, group=group) for one in servers)
    current = servers[0].id if servers and (use or config.server(config.current) is None) else config.current
    return msgspec.structs.replace(config, servers=(*config.servers, *servers), current=current)


def without(config: AppConfig, ids: set[str], current: str) -> AppConfig:
    """`config` without these servers; `current` is in use again if the one in use was among them."""
    left = tuple(one for one in config.servers if one.id not in ids)
    now = current if config.current in ids else config.current
    return msgspec.structs.replace(config, servers=left, current=now)

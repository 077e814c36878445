"""Subscriptions: fetched when they are due or asked for, and merged into the list without losing anything."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import msgspec

from ssgui.app.context import AppContext
from ssgui.app.own_proxy import own_proxy
from ssgui.config.app_config import AppConfig, Server, Subscription, server_of
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.services.fetching import Answer, FetchError, Quota, check_address, fetch

if TYPE_CHECKING:
    from ssgui.config.documents import Imported

_log = logging.getLogger("ssgui")
_HOUR = 3600.0
_AGAIN = 1800.0  # seconds until a list that could not be had is tried again by itself
Fetch = Callable[..., Awaitable[Answer]]


class Subscriptions:
    """Refreshes in the background; `told` is called as each begins and ends. `busy` are the ids of those under way."""

    def __init__(
        self, context: AppContext, told: Callable[[], None], get: Fetch = fetch, clock: Callable[[], float] = time.time
    ) -> None:
        self._context, self._told, self._get, self._clock = context, told, get, clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._tried: dict[str, float] = {}

    @property
    def busy(self) -> set[str]:
        """Which are being fetched now."""
        return set(self._tasks)

    def refresh_due(self) -> None:
        """Refresh those that are older than their hours."""
        now = self._clock()
        for one in self._context.config.subscriptions:
            fresh = 0 <= now - one.updated < one.hours * _HOUR
            tried = 0 <= now - self._tried.get(one.id, -_AGAIN) < _AGAIN
            if one.url and not fresh and not tried and (self._directly() or own_proxy(self._context)):
                self.refresh(one.id)

    def refresh(self, identity: str, *, directly: bool = False) -> None:
        """Fetch one anew, unless that is under way: through our own port if it listens, then `directly` if wanted."""
        subscription = find(self._context.config, identity)
        if subscription is None or not subscription.url or identity in self._tasks:
            return
        self._tried[identity] = self._clock()
        task = self._tasks[identity] = spawn(
            self._refresh(subscription, directly or self._directly()), name="refresh a subscription"
        )
        task.add_done_callback(partial(self._ended, identity))
        self._told()

    def stop(self) -> None:
        """Let go of what has not ended."""
        for task in list(self._tasks.values()):
            task.cancel()

    def could_go_directly(self) -> bool:
        """Whether a fetch that failed may do without our own port, where nobody has allowed that yet."""
        return bool(own_proxy(self._context)) and not self._directly()

    async def look_up(self, url: str, *, directly: bool = False) -> tuple[Subscription, AppConfig]:
        """A new subscription, and the configuration as it would be with it. FetchError."""
        host = check_address(url)
        subscription = Subscription(id=str(uuid4()), url=Secret(url.strip()), name=host)
        directly = directly or self._directly()
        answer = await self._fetch(subscription.url, directly=directly)
        document = await run_blocking(_read, answer.data)
        subscription = msgspec.structs.replace(subscription, etag=answer.etag)
        return subscription, merge(self._context.config, subscription, document, answer.quota, self._clock())

    def _ended(self, identity: str, _task: asyncio.Task[None]) -> None:
        self._tasks.pop(identity, None)
        self._told()

    async def _refresh(self, old: Subscription, directly: bool) -> None:
        try:
            etag = old.etag if any(one.subscription == old.id for one in self._context.config.servers) else ""
            answer = await self._fetch(old.url, etag=etag, directly=directly)
            document = None if answer.unchanged else await run_blocking(_read, answer.data)
        except FetchError as error:
            _log.warning("the subscription %s is not refreshed: %s", old.name, error)
            self._put(old.id, error=str(error))
            return
        now = self._clock()
        subscription = find(self._context.config, old.id)  # it may have been renamed or removed meanwhile
        if subscription is None:
            return
        if document is None:
            self._put(old.id, updated=now, error="")
            return
        subscription = msgspec.structs.replace(subscription, etag=answer.etag)
        self._context.change(merge(self._context.config, subscription, document, answer.quota, now))

    async def _fetch(self, url: Secret, **values: Any) -> Answer:
        context = self._context
        dated = context.clock.heard_date
        return await self._get(url, proxy=own_proxy(context), opened=context.proxy.own, dated=dated, **values)

    def _directly(self) -> bool:
        """Whether a person agreed to be seen while a list is fetched."""
        return self._context.config.settings.fetch_directly

    def _put(self, identity: str, **values: object) -> None:
        config = self._context.config
        changed = tuple(
            msgspec.structs.replace(one, **values) if one.id == identity else one for one in config.subscriptions
        )
        self._context.change(msgspec.structs.replace(config, subscriptions=changed))


def _read(data: bytes) -> "Imported":
    """A list with a server in it. FetchError."""
    from ssgui.config.documents import Severity, read_document

    try:
        document = read_document(data)
    except ConfigError as error:
        raise FetchError(f"the list cannot be read: {error}") from None
    if not document.servers:
        reasons = document.noted(Severity.SKIPPED)
        raise FetchError(f"none of its servers can be used: {reasons[0]}" if reasons else "the list is empty")
    return document


def find(config: AppConfig, identity: str) -> Subscription | None:
    """The subscription with this id."""
    return next((one for one in config.subscriptions if one.id == identity), None)


def merge(config: AppConfig, subscription: Subscription, document: "Imported", quota: Quota, now: float) -> AppConfig:
    """`config` with what a subscription has now: its fields win, what is gone from it is marked and kept.

    A server is the same one if the provider's id of it is, or else its address, port and method.
    """
    mine = [one for one in config.servers if one.subscription == subscription.id]
    by_id = {one.id: one for one in mine}
    by_place: dict[tuple[str, int, str], list[Server]] = {}
    for one in mine:
        by_place.setdefault(_place(one), []).append(one)
    group = mine[0].group if mine else _free_group(config, subscription.name)
    taken: set[str] = set()
    fresh: list[Server] = []
    for entry in document.servers:
        identity = str(uuid5(NAMESPACE_URL, f"{subscription.id} {entry.identity}")) if entry.identity else ""
        new = server_of(entry.profile, identity if identity and identity not in taken else str(uuid4()), group)
        same = [one for one in by_place.get(_place(new), ()) if one.id not in taken]
        old = by_id.get(new.id) or (same[0] if same else None)
        if old is not None:
            new = msgspec.structs.replace(new, id=old.id, group=old.group, udp=old.udp)
        taken.add(new.id)
        fresh.append(msgspec.structs.replace(new, subscription=subscription.id))
    gone = [msgspec.structs.replace(one, gone=True) for one in mine if one.id not in taken]
    at = next((at for at, one in enumerate(config.servers) if one.subscription == subscription.id), len(config.servers))
    others = [one for one in config.servers if one.subscription != subscription.id]
    servers = (*others[:at], *fresh, *gone, *others[at:])
    current = config.current if any(one.id == config.current for one in servers) else fresh[0].id
    done = _with_quota(subscription, document, quota, now)
    rest = [done if one.id == done.id else one for one in config.subscriptions]
    subscriptions = tuple(rest if find(config, done.id) is not None else [*rest, done])
    return msgspec.structs.replace(config, servers=servers, current=current, subscriptions=subscriptions)


def removed(config: AppConfig, identity: str) -> AppConfig:
    """`config` without a subscription and its servers."""
    servers = tuple(one for one in config.servers if one.subscription != identity)
    subscriptions = tuple(one for one in config.subscriptions if one.id != identity)
    there = any(one.id == config.current for one in servers)
    current = config.current if there else next((one.id for one in servers), "")
    return msgspec.structs.replace(config, servers=servers, subscriptions=subscriptions, current=current)


def renamed(config: AppConfig, group: str, name: str) -> AppConfig:
    """`config` with a group, and the subscriptions that it shows, under another name."""
    theirs = {one.subscription for one in config.servers if one.group == group and one.subscription}
    servers = tuple(msgspec.structs.replace(one, group=name) if one.group == group else one for one in config.servers)
    subscriptions = tuple(
        msgspec.structs.replace(one, name=name) if one.id in theirs else one for one in config.subscriptions
    )
    return msgspec.structs.replace(config, servers=servers, subscriptions=subscriptions)


def _place(server: Server) -> tuple[str, int, str]:
    return server.host.lower(), server.port, server.method


def _free_group(config: AppConfig, name: str) -> str:
    taken = {one.group for one in config.servers}
    return next(one for one in (name, *(f"{name} ({n})" for n in range(2, len(taken) + 3))) if one not in taken)


def _with_quota(subscription: Subscription, document: "Imported", quota: Quota, now: float) -> Subscription:
    """What the document says of itself, or else the header that came with it."""
    used, remaining = document.extras.get("bytes_used"), document.extras.get("bytes_remaining")
    return msgspec.structs.replace(
        subscription,
        updated=now,
        error="",
        bytes_used=_count(used) or quota.used,
        bytes_remaining=_count(remaining) if remaining is not None else quota.remaining,
        expires=quota.expires,
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62 else 0

"""The PAC as our port serves it: under which address, in which version, and who has fetched which one."""

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from ssgui.config.secret import Secret
from ssgui.engine.pages import Fetched, Pages
from ssgui.protocol.address import Address
from ssgui.rules.pac_compiler import content_hash

PATH: Final = "/proxy.pac"
# Stands in a compiled PAC for what it returns for the proxy: the port may move, and the last good PAC must follow.
PROXY_MARK: Final = "PROXY @"
_MOST_FETCHES: Final = 20


@dataclass(frozen=True, slots=True)
class PacFetch:
    """Somebody fetched the PAC: the address, the program's own words, Unix seconds, and which version (0: unknown)."""

    client: str
    agent: str
    at: float
    version: int


@dataclass(frozen=True, slots=True)
class PacInUse:
    """What browsers are given now; `url` is "" while it is not served. `error` says why the rules say more."""

    version: int
    size: int
    url: Secret
    error: str
    fetches: tuple[PacFetch, ...]


class PacPages:
    """Puts a PAC into `pages`, which a port's relay serves from."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.pages = Pages("", fetched=self._fetched)
        self.version, self._hash = 0, ""
        self._numbers: dict[str, int] = {}
        self._fetches: OrderedDict[tuple[str, str], PacFetch] = OrderedDict()
        self._address: tuple[str, int] | None = None
        self.changed: Callable[[], None] = lambda: None

    def begin(self, version: int, digest: str) -> None:
        """Go on counting where the last run was."""
        self.version, self._hash = version, digest
        if digest:
            self._numbers[digest] = version

    @property
    def digest(self) -> str:
        """Of what is served."""
        return self._hash

    def serve(
        self, compiled: bytes | None, address: tuple[str, int] | None, secret: Secret, *, shared: bool, fail_open: bool
    ) -> None:  # fmt: skip
        """Serve `compiled` at the port of `address`, or nothing (None)."""
        self._address, pages = address, self.pages
        pages.secret, pages.shared = secret.reveal(), shared
        if compiled is None or address is None:
            pages.bodies = {}
            return
        pages.here = str(Address("127.0.0.1" if address[0] in ("0.0.0.0", "::") else address[0], address[1]))  # noqa: S104
        proxy = f"PROXY {pages.here}" + ("; DIRECT" if fail_open else "")
        body = compiled.replace(json.dumps(PROXY_MARK).encode(), json.dumps(proxy).encode())
        digest = content_hash(body)
        if digest != self._hash:
            self.version, self._hash = self.version + 1, digest
            self._numbers[digest] = self.version
        pages.bodies = {PATH: body}

    def url(self) -> str:
        """For browsers on this computer: it changes with what it leads to, so that they fetch it again; "" for none."""
        return self._url(self.pages.here, {"h": self._hash}) if self.pages.bodies else ""

    def stable_url(self, host: str) -> str:
        """For other devices that know this one as `host`: it stays the same. "" while it is not served to them."""
        if not self.pages.bodies or self._address is None or not self.pages.shared:
            return ""
        return self._url(str(Address(host, self._address[1])), {})

    def _url(self, place: str, more: dict[str, str]) -> str:
        return f"http://{place}{PATH}?{urlencode({'k': self.pages.secret} | more)}"

    def in_use(self, error: str) -> PacInUse:
        """What is to be said of it."""
        body = self.pages.bodies.get(PATH, b"")
        return PacInUse(
            self.version if body else 0, len(body), Secret(self.url()), error, tuple(reversed(self._fetches.values()))
        )  # fmt: skip

    def _fetched(self, one: Fetched) -> None:
        key = (one.client, one.agent)
        self._fetches.pop(key, None)
        number = self._numbers.get(one.version, 0) if one.version else self.version  # a stable address has no version
        self._fetches[key] = PacFetch(one.client, one.agent, self._clock(), number)
        while len(self._fetches) > _MOST_FETCHES:
            self._fetches.popitem(last=False)
        self.changed()

"""Files that the mixed port serves to browsers: the PAC. To whoever does not know the secret there is nothing.

A request in origin form that is not exactly right gets the one answer that any such request gets: a page of a web
site that guesses at the port learns nothing, not even that ssgui runs. Right is: GET or HEAD of a path that is
served, with the secret as `k=` in its query, and a Host that is this port's own address (an address, or localhost:
a name that somebody else lets point here is not).
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from ssgui.engine.own_machine import is_loopback
from ssgui.protocol.address import join_host_port

PAC_TYPE: Final = "application/x-ns-proxy-autoconfig"
_LINE: Final = re.compile(rb"(GET|HEAD) (/[^ ?#]*)(?:\?([^ #]*))? HTTP/1\.[01]\r?\n")
_FIELD: Final = re.compile(rb"^([!#$%&'*+.^_`|~0-9a-z-]+)[ \t]*:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_MOST_AGENT: Final = 200


@dataclass(frozen=True, slots=True)
class Fetched:
    """Who has fetched a page: the address, what program it says it is, and which version of the page it asked for."""

    client: str
    agent: str
    path: str
    version: str


@dataclass(slots=True)
class Pages:
    """`bodies` by path. `secret` is what the query must say. In bodies `here` stands for the address of the port:

    other devices are told the one that they came in on. `fetched` hears of every page that was served.
    """

    secret: str
    bodies: dict[str, bytes] = field(default_factory=dict)
    here: str = ""
    shared: bool = False
    fetched: Callable[[Fetched], None] = lambda _: None

    def answer(self, head: bytes, local: tuple[str, int], client: str) -> bytes | None:
        """The whole response to a request's `head` that came to `local`; None when there is nothing for it."""
        found = _LINE.match(head)
        if found is None:
            return None
        method, path, query = found.groups()
        said = dict(parse_qsl((query or b"").decode("latin-1"), keep_blank_values=True))
        body = self.bodies.get(path.decode("latin-1"))
        known = hmac.compare_digest(said.get("k", "").encode(), self.secret.encode())
        if body is None or not known or not self.secret:
            return None
        fields = _fields(head[found.end() :])
        if fields.get(b"host", b"") not in self._hosts(local):
            return None
        if self.here and not is_loopback(local):
            body = body.replace(self.here.encode(), _place(*local).encode())
        agent = "".join(c if c.isprintable() else "?" for c in fields.get(b"user-agent", b"").decode("latin-1"))
        self.fetched(Fetched(client, agent[:_MOST_AGENT], path.decode("latin-1"), said.get("h", "")))
        return _response(body, whole=method == b"GET")

    def _hosts(self, local: tuple[str, int]) -> set[bytes]:
        """What a browser that means this port may call it."""
        names = {_place(*local)}
        if is_loopback(local):
            names |= {f"localhost:{local[1]}", f"127.0.0.1:{local[1]}", f"[::1]:{local[1]}"}
        elif not self.shared:
            return set()
        return {name.encode() for name in names}


def _fields(text: bytes) -> dict[bytes, bytes]:
    """Header fields by name in lower case; of a Host that is said twice none is believed."""
    found: dict[bytes, bytes] = {}
    for name, value in _FIELD.findall(text):
        key, value = name.lower(), value.strip()
        found[key] = b"" if key == b"host" and key in found else value.lower() if key == b"host" else value
    return found


def _place(host: str, port: int) -> str:
    host = host.removeprefix("::ffff:") if "." in host else host
    return join_host_port(host, port)


def _response(body: bytes, *, whole: bool) -> bytes:
    head = (
        "HTTP/1.1 200 OK",
        f"Content-Type: {PAC_TYPE}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + (body if whole else b"")

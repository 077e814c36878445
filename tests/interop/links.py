"""Links through one end that is ours and one that is another implementation's."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.routes import prove
from tests.support.peers import PEERS, Peer, new_key
from tests.support.processes import Program, ssgui_local, ssgui_server

AES = ("2022-blake3-aes-128-gcm", "2022-blake3-aes-256-gcm")
METHODS = (*AES, "2022-blake3-chacha20-poly1305")
USER = "ann"
TO_PEER = "ours-to-peer"
FROM_PEER = "peer-to-ours"


@dataclass(frozen=True)
class Kind:
    """Who is at the other end, which way, how, and whether a user is named (SIP023)."""

    peer: str
    direction: str
    method: str
    named: bool

    def __str__(self) -> str:
        return f"{self.peer}-{self.direction}-{self.method}{'-user' if self.named else ''}"


KINDS = [
    Kind(peer, direction, method, named)
    for peer in PEERS
    for direction in (TO_PEER, FROM_PEER)
    for method, named in (*((method, False) for method in METHODS), *((method, True) for method in AES))
]
# The methods of SIP004 that shadowsocks-rust has too.
CLASSIC = ("aes-128-gcm", "aes-256-gcm", "chacha20-ietf-poly1305", "xchacha20-ietf-poly1305")
CLASSIC_KINDS = [
    Kind(peer, direction, method, named=False)
    for peer in PEERS
    for direction in (TO_PEER, FROM_PEER)
    for method in CLASSIC
]


@dataclass
class Link:
    """Clients of one server: `proxy` has the right key, `strangers` have others. `ours` is our server, or client."""

    proxy: tuple[str, int]
    strangers: list[tuple[str, int]]
    ours: Program


@contextmanager
def open_link(kind: Kind, command: Sequence[str]) -> Iterator[Link]:
    """Server and clients of `kind`, after it was proved that only the right keys get a stream through."""
    peer, method, key = PEERS[kind.peer], kind.method, new_key(kind.method)
    users = {USER: new_key(method), "bob": new_key(method)} if kind.named else {}
    right = f"{key}:{users[USER]}" if kind.named else key
    wrong = [f"{key}:{new_key(method)}", f"{new_key(method)}:{users[USER]}"] if kind.named else [new_key(method)]
    with ExitStack() as stack:
        if kind.direction == TO_PEER:
            server = stack.enter_context(peer.server(method, key, users))
            ours, *others = (stack.enter_context(our_local(command, server, method, one)) for one in (right, *wrong))
            link = Link(ours.address, [other.address for other in others], ours)
        else:
            ours = stack.enter_context(our_server(command, method, key, users))
            proxies = [stack.enter_context(peer.local(ours.address, method, one)) for one in (right, *wrong)]
            link = Link(proxies[0], proxies[1:], ours)
        for stranger in link.strangers:
            prove(link.proxy, stranger)
        yield link
        ours.process.require_running()


@contextmanager
def our_server(command: Sequence[str], method: str, key: str, users: Mapping[str, str]) -> Iterator[Program]:
    """Our server, with UDP."""
    with tempfile.TemporaryDirectory(prefix="ssgui-test-") as folder:
        path = Path(folder) / "users.json"
        path.write_text(json.dumps({"users": [{"name": name, "password": one} for name, one in users.items()]}))
        with ssgui_server(command, method=method, password=key, flags=["-u", "-c", str(path)]) as program:
            yield program


@contextmanager
def our_local(command: Sequence[str], server: tuple[str, int], method: str, password: str) -> Iterator[Program]:
    """Our client, with UDP."""
    with ssgui_local(command, server, method=method, password=password, flags=["-u"]) as program:
        yield program


@contextmanager
def any_server(who: str, command: Sequence[str], method: str, key: str) -> Iterator[tuple[str, int]]:
    """The server of a peer, or ours."""
    if who == "ours":
        with our_server(command, method, key, {}) as program:
            yield program.address
    else:
        peer: Peer = PEERS[who]
        with peer.server(method, key, {}) as address:
            yield address


@contextmanager
def any_local(
    who: str, command: Sequence[str], server: tuple[str, int], method: str, key: str
) -> Iterator[tuple[str, int]]:
    """The client of a peer, or ours."""
    if who == "ours":
        with our_local(command, server, method, key) as program:
            yield program.address
    else:
        with PEERS[who].local(server, method, key) as address:
            yield address

"""A person asks: does anything of what I do show? Each check has its evidence, and says so where there is none.

Only our own port and the server are talked to: a name that does not exist (RFC 6761) is asked for as a program would,
to see who looks it up; and a name server is asked through the server by a datagram, to see whether those pass.
"""

import asyncio
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from ssgui.app.context import AppContext
from ssgui.config.app_config import Mode
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.protocol.address import Address, encode_address
from ssgui.protocol.errors import RemoteProtocolError
from ssgui.protocol.proxy_client import RefusedError
from ssgui.protocol.socks5 import decode_datagram
from ssgui.protocol.socks5_client import Socks5Client
from ssgui.services.connections.leaks import UNKNOWN, total
from ssgui.services.connections.records import Connection
from ssgui.system.interfaces import Addresses

NAME_SERVER = Address("9.9.9.9", 53)
_SECONDS = 4.0
_LOOK = 0.05
_FEW = 3  # programs that are named


class Kind(StrEnum):
    """What is looked at."""

    PORT = "port"  # who reaches our port
    SYSTEM = "system"  # what other programs are told
    NAMES = "names"  # who looks names up
    HABITS = "habits"  # which programs look names up themselves
    UDP = "udp"  # whether datagrams go through the server
    IPV6 = "ipv6"  # whether there is a way past us


class Result(StrEnum):
    """How it stands: nothing leaks; something may; something does; nobody knows."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One of them. `why` says which case it is; the rest is its evidence."""

    kind: Kind
    result: Result
    why: str
    number: float = 0.0
    of: int = 0
    names: tuple[str, ...] = ()


async def check_leaks(context: AppContext, name_server: Address = NAME_SERVER) -> list[Check]:
    """All checks, at most some seconds. It makes connections through our port, which are rows as any."""
    names, udp = await asyncio.gather(_names(context), _udp(context, name_server))
    return [_port(context), _system(context), names, _habits(context), udp, _ipv6(context.awake.state.addresses)]


# ---- what is known already


def _port(context: AppContext) -> Check:
    relay, settings = context.proxy.relay, context.config.settings
    if relay is None:
        return Check(Kind.PORT, Result.UNKNOWN, "closed")
    if ip_address(relay.address[0]).is_loopback:
        return Check(Kind.PORT, Result.GOOD, "here")
    guarded = bool(settings.user and settings.user_password)
    return Check(Kind.PORT, Result.GOOD if guarded else Result.BAD, "guarded" if guarded else "open")


def _system(context: AppContext) -> Check:
    proxy, mode = context.system_proxy, context.config.settings.mode
    if mode is Mode.OFF:
        return Check(Kind.SYSTEM, Result.WARN, "off")
    if proxy.backend is None:
        return Check(Kind.SYSTEM, Result.UNKNOWN, "none")
    if proxy.others is not None:
        return Check(Kind.SYSTEM, Result.BAD, "others")
    if proxy.held is None:
        return Check(Kind.SYSTEM, Result.WARN, "not set")
    if mode is Mode.PAC:
        return Check(Kind.SYSTEM, Result.GOOD, "pac")
    return Check(Kind.SYSTEM, Result.GOOD, "all")


def _habits(context: AppContext) -> Check:
    habits = context.leaks.report(context.connections.live.values(), time.monotonic())
    every = total(habits)
    if not every.requests:
        return Check(Kind.HABITS, Result.UNKNOWN, "nothing yet")
    bad = [one for one in habits if one.by_address]
    names = tuple(one.program for one in sorted(bad, key=lambda one: -one.by_address) if one.program != UNKNOWN)
    result = Result.WARN if bad else Result.GOOD
    return Check(Kind.HABITS, result, "addresses" if bad else "names", every.by_address, every.requests, names[:_FEW])


def _ipv6(addresses: Addresses | None) -> Check:
    if addresses is None:
        return Check(Kind.IPV6, Result.UNKNOWN, "nobody tells")
    ours = [one for one in addresses.carrying if ":" in one and ip_address(one.partition("%")[0]).is_global]
    return Check(Kind.IPV6, Result.WARN if ours else Result.GOOD, "has" if ours else "has not", len(ours))


# ---- what is tried


async def _names(context: AppContext) -> Check:
    """Ask as a program would, for a name that nobody has."""
    if context.proxy.relay is None:
        return Check(Kind.NAMES, Result.UNKNOWN, "closed")
    target = Address(f"{secrets.token_hex(8)}.invalid", 80)
    asking = spawn(run_blocking(_ask, _Door.of(context), target), name="ask for a name that nobody has")
    try:
        one = await _seen(context, lambda one: one.target == str(target) and bool(one.route))
    finally:
        asking.cancel()
    if one is None:
        return Check(Kind.NAMES, Result.UNKNOWN, "not seen")
    if one.route == "proxy":
        return Check(Kind.NAMES, Result.GOOD, "server")
    return Check(Kind.NAMES, Result.WARN, "paused" if context.pause.left() else "rules")


async def _udp(context: AppContext, name_server: Address) -> Check:
    if context.proxy.relay is None:
        return Check(Kind.UDP, Result.UNKNOWN, "closed")
    if not context.config.settings.udp:
        return Check(Kind.UDP, Result.WARN, "off")
    seconds = await run_blocking(_ask_name_server, _Door.of(context), name_server)
    one = await _seen(context, lambda one: one.target == str(name_server) and bool(one.route))
    if one is not None and one.route != "proxy":
        return Check(Kind.UDP, Result.UNKNOWN, "direct")
    if seconds is None:
        return Check(Kind.UDP, Result.WARN, "silent")
    return Check(Kind.UDP, Result.GOOD, "passes", seconds)


async def _seen(context: AppContext, which: Callable[[Connection], bool]) -> Connection | None:
    """The connection that `which` is true of, once it is there."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        context.look()
        rows = context.connections
        if (one := next(filter(which, (*rows.live.values(), *reversed(rows.ended.values()))), None)) is not None:
            return one
        await asyncio.sleep(_LOOK)
    return None


@dataclass(frozen=True, slots=True)
class _Door:
    """How our own port is reached."""

    place: tuple[str, int]
    user: bytes
    password: bytes

    @staticmethod
    def of(context: AppContext) -> "_Door":
        relay, settings = context.proxy.relay, context.config.settings
        assert relay is not None
        host = "127.0.0.1" if relay.address[0] == "0.0.0.0" else relay.address[0]  # noqa: S104
        password = settings.user_password.reveal().encode() if settings.user_password else b""
        return _Door((host, relay.address[1]), settings.user.encode() if password else b"", password)

    def __repr__(self) -> str:
        return f"<our port {self.place[1]}>"

    def enter(self, client: Socks5Client) -> socket.socket:
        """A connection over which `client` has got what it asked for. OSError, or what the client raises."""
        sock = socket.create_connection(self.place, _SECONDS)
        try:
            opened = False
            while not opened:
                if out := client.data_to_send():
                    sock.sendall(out)
                if not (data := sock.recv(4096)):
                    raise ConnectionError("our port hung up")
                opened = client.receive_data(data)
        except BaseException:
            sock.close()
            raise
        return sock


def _ask(door: _Door, target: Address) -> None:
    """Whatever is answered: who looked the name up is seen elsewhere."""
    try:
        door.enter(Socks5Client(target, door.user, door.password)).close()
    except (OSError, RefusedError, RemoteProtocolError):
        return


def _ask_name_server(door: _Door, name_server: Address) -> float | None:
    """Seconds until a name server answered through us; None if it did not."""
    client = Socks5Client(Address("0.0.0.0", 0), door.user, door.password, datagrams=True)  # noqa: S104
    number = secrets.token_bytes(2)
    # RFC 1035, 4.1: one question, recursion desired; the root's name servers, of class IN.
    question = number + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + b"\x00\x00\x02\x00\x01"
    try:
        with door.enter(client):
            assert client.bound is not None
            family = socket.AF_INET6 if ":" in client.bound.host else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.settimeout(_SECONDS)
                sock.connect((client.bound.host, client.bound.port))
                begun = time.monotonic()
                sock.send(b"\0\0\0" + encode_address(*name_server) + question)
                answer = sock.recv(65535)
                found = decode_datagram(answer)
                if found is None or answer[found[1] :][:2] != number:
                    return None
                return time.monotonic() - begun
    except (OSError, RefusedError, RemoteProtocolError):
        return None

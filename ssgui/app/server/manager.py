"""The manager's socket: orders come as datagrams, are carried out one after the other, and answered.

A unix socket that only its owner can open, or a port of the loopback, where every program of this computer may say
what it likes. Whoever has said `ping` is told every 10 s what has changed since, as the original's manager does; but
one that keeps saying it asks for itself, and would read what piled up instead of the answer.
"""

import asyncio
import contextlib
import errno
import logging
import os
import socket
import stat
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from ssgui.app.headless.reload import TAKE_ERRORS
from ssgui.app.server.manager_protocol import Add, Ask, Order, answer_to_list, answer_to_ping, parse_order
from ssgui.app.server.plan import ServerPlan
from ssgui.config.models import ManagerAddress
from ssgui.config.values import ConfigError
from ssgui.engine.errors import BindError
from ssgui.engine.tasks import spawn

TELL_SECONDS = 10.0
_MOST_WAITING = 64  # orders; a manager waits for its answer before it says the next
_MOST_POLLERS = 64
_OWNER_ONLY = 0o177
_log = logging.getLogger("ssgui")
_Address = Any  # what the system calls who has sent a datagram


class Manager(asyncio.DatagramProtocol):
    """Takes orders at `address` and has `plan` carry them out."""

    def __init__(self, address: ManagerAddress, plan: ServerPlan, tell_seconds: float = TELL_SECONDS) -> None:
        self._address, self._plan, self._tell_seconds = address, plan, tell_seconds
        self._orders: asyncio.Queue[tuple[bytes, _Address]] = asyncio.Queue(_MOST_WAITING)
        self._sock: socket.socket | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._made: tuple[int, int] | None = None  # device and inode of the unix socket
        self._tasks: list[asyncio.Task[None]] = []
        self._listener: _Address = None  # who is told
        self._told: dict[int, int] = {}
        self._untold = 0
        self._pollers: OrderedDict[_Address, None] = OrderedDict()

    async def start(self) -> None:
        """Open the socket. BindError."""
        address = self._address
        try:
            self._sock = _unix_socket(address.path) if address.path else _udp_socket(address.host, address.port)
        except OSError as error:
            raise BindError(address.path or address.host, address.port, error, udp=True) from error
        if address.path:
            found = os.stat(address.path)
            self._made = found.st_dev, found.st_ino
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=self._sock)
        self._tasks = [spawn(self._serve(), name="orders of managers"), spawn(self._tell(), name="news for managers")]
        _log.info("managers are heard at %s", address)

    async def stop(self) -> None:
        """Close the socket, and take its name away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()
        if self._made is not None:
            with contextlib.suppress(OSError):  # gone already
                found = os.stat(self._address.path)
                if (found.st_dev, found.st_ino) == self._made:
                    os.unlink(self._address.path)

    # ---- orders

    def datagram_received(self, data: bytes, address: _Address) -> None:
        """An order; when too many wait this one is lost, as datagrams are."""
        if not self._orders.full():
            self._orders.put_nowait((data, address))

    async def _serve(self) -> None:
        while True:
            data, address = await self._orders.get()
            try:
                order = parse_order(data)
                if order is not None:
                    self._send(await self._carry_out(order, address), address)
            except BindError as error:
                _log.warning("a manager's order was not carried out: %s", error)
                self._send([b"port is not available"], address)
            except TAKE_ERRORS as error:
                _log.warning("a manager's order was not carried out: %s", error)
                self._send([b"err"], address)
            except Exception as error:  # noqa: BLE001  one order must not make it deaf to all others
                _log.error("a manager's order failed", exc_info=error)
                self._send([b"err"], address)

    async def _carry_out(self, order: Order, address: _Address) -> Iterable[bytes]:
        match order:
            case Add(entry):
                await self._plan.add(entry)
                _log.info("a manager added port %d", entry.port)
            case Ask("list"):
                return answer_to_list(self._plan.wanted)
            case Ask():
                used = await self._plan.used()
                self._heard_ping(address, used)
                return answer_to_ping(used)
            case _:
                await self._plan.remove(order.port)
                _log.info("a manager removed port %d", order.port)
        return [b"ok"]

    def _send(self, answers: Iterable[bytes], address: _Address) -> bool:
        """Whether there is somebody who can hear it."""
        assert self._sock is not None
        if not address:  # a unix socket without a name
            return False
        try:
            for answer in answers:
                self._sock.sendto(answer, address)
        except BlockingIOError:  # he does not read: datagrams are lost
            return True
        except OSError as error:
            _log.debug("a manager has gone: %s", error)
            return False
        return True

    # ---- news

    def _heard_ping(self, address: _Address, used: dict[int, int]) -> None:
        if address == self._listener and self._untold:
            self._pollers[address] = None
            if len(self._pollers) > _MOST_POLLERS:
                self._pollers.popitem(last=False)
        self._listener = None if address in self._pollers else address
        self._told, self._untold = used, 0

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(self._tell_seconds)
            if not self._listener:
                continue
            used = await self._plan.used()
            if used != self._told:
                self._told = used
                self._untold += 1
                if not self._send(answer_to_ping(used), self._listener):
                    self._listener = None


def _udp_socket(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _unix_socket(path: str) -> socket.socket:
    """Mode 0600 from the first moment. A name that nobody listens at any more is taken over."""
    family = getattr(socket, "AF_UNIX", None)
    if family is None:
        raise ConfigError(f"--manager-address {path}: this system has no unix sockets: give a port of 127.0.0.1")
    sock = socket.socket(family, socket.SOCK_DGRAM)
    before = os.umask(_OWNER_ONLY)
    try:
        sock.setblocking(False)
        _take_over(path, family)
        sock.bind(path)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(before)
    return sock


def _take_over(path: str, family: int) -> None:
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return  # bind says that it is in use
    except FileNotFoundError:
        return
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except OSError as error:
            if error.errno == errno.EPROTOTYPE:  # it is of another kind, and somebody's
                return
            raise

"""One of several processes that serve: an engine that does what its supervisor says, and ends with it.

Signals are the supervisor's to hear; those that reach a whole group (Ctrl-C, a terminal that closes) are ignored
here. SIGTERM ends a worker, and the supervisor starts another.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
from typing import NoReturn

import msgspec

from ssgui.app.collector import spare_the_collector
from ssgui.app.headless.control import HeadlessControl
from ssgui.app.headless.job import Job, JournalReader, loop_factory, new_readers, pump, role_of
from ssgui.app.headless.stopping import until_stopped
from ssgui.app.log_output import name_worker
from ssgui.app.server.channel import LAST, START, Change, Channel, Count, End, Failed, Request, Served, unpack
from ssgui.config.models import ServerSettings
from ssgui.config.values import ConfigError
from ssgui.engine.changes import change_servers
from ssgui.engine.engine import Engine
from ssgui.engine.errors import BindError, EngineError
from ssgui.engine.journal import Journal
from ssgui.engine.server_relay import ServerRelay
from ssgui.engine.shared_salts import SharedSalts
from ssgui.engine.tally import sample
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.protocol.errors import LocalProtocolError

_LONG = 1 << 18
_IGNORED = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
_log = logging.getLogger("ssgui")


def be_worker(
    number: int, job: Job, wanted: tuple[ServerSettings, ...], sock: socket.socket, salts: SharedSalts
) -> NoReturn:
    """The life of worker `number`, from just after the fork, with every signal blocked.

    Of the supervisor's objects only those that are given are used.
    """
    code = 1
    try:
        _leave_the_supervisor({sock.fileno(), salts.fd} | ({job.events.fileno()} if job.events is not None else set()))
        name_worker(number)
        with asyncio.Runner(loop_factory=loop_factory(job.uvloop)) as runner:
            code = runner.run(_Worker(number, job, salts).run(sock, wanted))
    except BaseException:  # noqa: BLE001  whatever it is, it must not run on as a second supervisor
        _log.exception("it failed")
    finally:
        logging.shutdown()
        os._exit(code)


def _leave_the_supervisor(ours: set[int]) -> None:
    """Close its descriptors, or they would stay open when it closes them; and hear no signals in its name."""
    signal.set_wakeup_fd(-1)
    for one in _IGNORED:
        signal.signal(one, signal.SIG_IGN)
    for one in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(one, signal.SIG_DFL)
    gc.collect()
    gc.freeze()  # its objects are never finalised here: they would close descriptors that are ours by then
    low = 3
    for fd in sorted(ours - {0, 1, 2}):
        if low < fd:
            os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


class _Worker:
    """Carries out requests one after the other, while the engine serves."""

    def __init__(self, number: int, job: Job, salts: SharedSalts) -> None:
        self._number, self._job, self._salts = number, job, salts
        self._ends: asyncio.Queue[int] = asyncio.Queue()
        self._ended_by: set[int] = set()
        self._ending = False
        self._turn = asyncio.Lock()
        self._engine: Engine
        self._channel: Channel

    async def run(self, sock: socket.socket, wanted: tuple[ServerSettings, ...]) -> int:
        """Serve what is `wanted`, then what else is asked for, until the end; the exit code."""
        self._channel = Channel(*await asyncio.open_connection(sock=sock))
        engine = self._engine = Engine(journal=Journal(), salts=self._salts)
        spare_the_collector()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._end, signal.SIGTERM)
        readers: list[JournalReader] = []
        tasks: list[asyncio.Task[None]] = []
        control = HeadlessControl(engine, role_of(self._job))
        try:
            await control.start()
            await self._answer(START, Change(wanted))
            readers += new_readers(engine, self._job, self._number)
            tasks.append(spawn(pump(readers), name="journal readers"))
            tasks.append(spawn(self._obey(), name="requests of the supervisor"))
            return await until_stopped(engine, self._ends, self)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await engine.stop(0)
            await control.stop()
            for reader in readers:
                reader.close()
            await self._say(LAST, sample(engine))
            self._channel.close()

    # ---- the end (`stopping.Reloading`)

    def begin(self) -> None:
        """Settings come from the supervisor."""

    async def end(self) -> None:
        """Change nothing more."""
        async with self._turn:
            self._ending = True

    def _end(self, number: int) -> None:
        """As if this signal had come; the same end, said by several, is one."""
        if number not in self._ended_by:
            self._ended_by.add(number)
            self._ends.put_nowait(number)

    # ---- requests

    async def _obey(self) -> None:
        try:
            while True:
                number, data = await self._channel.receive()
                # A long access list takes seconds to read, in which connections must go on.
                request = unpack(data) if len(data) < _LONG else await run_blocking(unpack, data)
                if isinstance(request, End):
                    self._end_as(request)
                else:
                    await self._answer(number, request)
        except (OSError, EOFError):
            _log.warning("the supervisor has gone")
            self._end(signal.SIGTERM)

    def _end_as(self, request: End) -> None:
        if request.grace is None:
            self._end(signal.SIGQUIT)
            return
        self._end(signal.SIGTERM)
        if not request.grace:
            self._end(signal.SIGINT)

    async def _answer(self, number: int, request: Request) -> None:
        match request:
            case Change(wanted):
                await self._say(number, await self._change(wanted))
            case Count():
                await self._say(number, sample(self._engine))

    async def _change(self, wanted: tuple[ServerSettings, ...]) -> Served | Failed:
        async with self._turn:
            if self._ending:
                return Failed("the worker is about to end")
            try:
                difference = await change_servers(self._engine, wanted)
            except BindError as error:
                return Failed(error.why, error.host, error.port, error.errno, error.udp)
            except (ConfigError, EngineError, LocalProtocolError) as error:
                return Failed(str(error))
        relays = [relay for relay in self._engine.relays if isinstance(relay, ServerRelay)]
        return Served(difference, [relay.address for relay in relays])

    async def _say(self, number: int, answer: object) -> None:
        try:
            await self._channel.send(number, msgspec.json.encode(answer))
        except OSError:
            self._end(signal.SIGTERM)

"""`--workers N`: a supervisor, which relays nothing, and N processes that share the ports (Linux, SO_REUSEPORT).

    supervisor   signals, settings, managers, counters        worker 1   every port, and UDP
                 starts workers that ended, after a pause     worker 2   every port

The kernel deals connections out. What is sent to a UDP port all comes to worker 1: an association is one place's.
All workers have one memory of salts. A worker is a fork of the supervisor, which has no threads and whose loop does
not run at that moment; what a worker owns it makes afterwards.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple

import msgspec

from ssgui.app.headless.job import Job, tell_server
from ssgui.app.headless.reload import Settings
from ssgui.app.headless.stopping import signals, until_stopped
from ssgui.app.server.channel import Change, Count
from ssgui.app.server.side import ServerSide
from ssgui.app.server.worker import be_worker
from ssgui.app.server.worker_link import WorkerGone, WorkerLink, served
from ssgui.config.models import ServerSettings
from ssgui.config.settings import check_workers
from ssgui.config.values import ConfigError
from ssgui.engine.changes import Difference
from ssgui.engine.errors import BindError, EngineError
from ssgui.engine.relay import listener
from ssgui.engine.shared_salts import SLOTS_EACH, SharedSalts
from ssgui.engine.tally import Sample, counters_only, total
from ssgui.engine.tasks import spawn
from ssgui.engine.udp.sockets import port_socket

_CHANGE_SECONDS, _COUNT_SECONDS = 60.0, 2.0
_SAMPLE_SECONDS = 5.0  # what a worker has counted since then is lost when it is killed
_LATE_SECONDS = 3.0  # after its grace a worker is killed
_log = logging.getLogger("ssgui")


def run_workers(job: Job) -> int:
    """Run until stopped; the exit code. Errors as those of `run_headless`."""
    salts = SharedSalts(SLOTS_EACH * job.workers)
    with asyncio.Runner() as runner:
        supervisor = Supervisor(job, salts)
        main = runner.run(_begin(supervisor))
        while (fork := runner.run(supervisor.next_fork(main))) is not None:
            if not fork.made.cancelled():
                _fork(fork, supervisor)
        return main.result()


async def _begin(supervisor: "Supervisor") -> asyncio.Task[int]:
    return spawn(supervisor.run(), name="supervisor")


class _Fork(NamedTuple):
    """A worker that is wanted, and who waits for it."""

    worker: WorkerLink
    made: "asyncio.Future[None]"


def _fork(fork: _Fork, supervisor: "Supervisor") -> None:
    worker = fork.worker
    with contextlib.ExitStack() as unused:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        unused.callback(signal.pthread_sigmask, signal.SIG_SETMASK, before)
        try:
            ours, theirs = socket.socketpair()
            unused.enter_context(theirs)
            unused.callback(ours.close)
            pid = os.fork()
        except OSError as error:  # no process, or no descriptor, is to be had now
            fork.made.set_exception(EngineError(f"it cannot be started: {error.strerror}"))
            return
        if not pid:
            be_worker(worker.number, supervisor.job, supervisor.share_of(worker), theirs, supervisor.salts)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        unused.pop_all()
    theirs.close()
    ours.setblocking(False)
    supervisor.born(fork, pid, ours)


class Supervisor:
    """Starts workers, has them all do the same, and starts those again that end (`Serving`, `Stoppable`)."""

    def __init__(self, job: Job, salts: SharedSalts) -> None:
        self.job, self.salts = job, salts
        self._wanted, self._generation = job.servers, 1
        self._workers = [WorkerLink(number) for number in range(1, job.workers + 1)]
        self._past = Sample()  # what workers that have ended had counted
        self._forks: asyncio.Queue[_Fork] = asyncio.Queue()
        self._starting: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending = False
        self._changed = asyncio.Event()  # set when a worker has ended
        self._restarts = 0

    # ---- life

    async def run(self) -> int:
        """Serve until a signal; the exit code. BindError, ConfigError, LocalProtocolError when it cannot begin."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        with signals() as queue:
            side = ServerSide(self, self.job.settings, self._read, self._processes)
            try:
                await self._start()
                await side.start()
                _spawn_in(self._tasks, self._sample_often(), "counters of workers")
                return await until_stopped(self, queue, side)
            finally:
                await side.stop()
                await self.stop(0)
                for task in self._tasks:
                    task.cancel()
                loop.remove_signal_handler(signal.SIGCHLD)

    async def next_fork(self, main: asyncio.Task[int]) -> _Fork | None:
        """The next worker that is wanted; None when all is over."""
        asking = spawn(self._forks.get(), name="the next worker")
        await asyncio.wait((asking, main), return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            return asking.result()
        asking.cancel()
        return None

    def born(self, fork: _Fork, pid: int, sock: socket.socket) -> None:
        """The process was made; the loop does not run yet."""
        fork.worker.born(pid, sock, time.monotonic())
        fork.worker.generation = self._generation
        fork.made.set_result(None)

    def share_of(self, worker: WorkerLink) -> tuple[ServerSettings, ...]:
        """What `worker` serves: the first has UDP for all."""
        return _share(self._wanted, worker)

    async def _start(self) -> None:
        _probe(self._wanted)
        first, *others = self._workers
        addresses = await self._start_worker(first)
        pairs = list(zip(self._wanted, addresses, strict=True))
        self._wanted = tuple(msgspec.structs.replace(one, bind_port=address[1]) for one, address in pairs)
        await asyncio.gather(*(self._start_worker(one) for one in others))
        for one, address in pairs:
            tell_server(one, address, self.job)
        _log.info("%d workers serve", len(self._workers))

    async def _start_worker(self, worker: WorkerLink) -> list[tuple[str, int]]:
        """Its addresses, once it listens. EngineError, ConfigError, TimeoutError when it does not."""
        fork = _Fork(worker, asyncio.get_running_loop().create_future())
        self._forks.put_nowait(fork)
        await fork.made
        addresses = (await worker.first_answer(_CHANGE_SECONDS)).addresses
        worker.ready = True
        if worker.generation != self._generation:
            await self._change_one(worker)
        return addresses

    def _reap(self) -> None:
        for worker in self._workers:
            if not worker.pid or worker.dead:
                continue
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                worker.dead = True
                _spawn_in(self._tasks, self._ended(worker, os.waitstatus_to_exitcode(status)), f"end of {worker!r}")

    async def _ended(self, worker: WorkerLink, code: int) -> None:
        await worker.gone()
        self._past = total((self._past, counters_only(worker.sample)))
        worker.sample = Sample()
        self._changed.set()
        if not self._ending:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
            _spawn_in(self._starting, self._start_again(worker, how), f"{worker!r} again")

    async def _start_again(self, worker: WorkerLink, how: str) -> None:
        """Until there is a process; one that ends is heard of by itself."""
        while not worker.pid:
            pause = worker.next_pause(time.monotonic())
            _log.warning("%r %s; starting another in %g s", worker, how, pause)
            await asyncio.sleep(pause)
            self._restarts += 1
            try:
                await self._start_worker(worker)
                _log.info("%r serves again", worker)
            except WorkerGone:
                return
            except (EngineError, ConfigError, TimeoutError) as error:
                how = f"cannot serve ({str(error) or 'it does not answer'})"
                _kill(worker)

    # ---- serving

    async def change(self, wanted: Sequence[ServerSettings]) -> Difference:
        """Have all serve what is `wanted`: one first, and if that can, the others."""
        check_workers(len(self._workers), wanted)
        wanted = self._with_ports(wanted)
        here = {(one.bind_host, one.bind_port) for one in self._wanted}
        ports = {port for _, port in here}
        _probe([one for one in wanted if one.bind_port not in ports])
        ready = [worker for worker in self._workers if worker.ready]
        if not ready:
            raise ConfigError("no worker serves at the moment; try again")
        first, *others = ready
        difference = served(await first.ask(Change(_share(wanted, first)), _CHANGE_SECONDS)).difference
        self._wanted, self._generation = tuple(wanted), self._generation + 1
        first.generation = self._generation
        await asyncio.gather(*(self._change_one(worker) for worker in others))
        return difference

    async def sample(self) -> Sample:
        """What all have counted, those that have ended too."""
        await asyncio.gather(*(self._count_one(worker) for worker in self._workers if worker.ready))
        return total((self._past, *(worker.sample for worker in self._workers)))

    async def _change_one(self, worker: WorkerLink) -> None:
        """What one could take, another can: one that does not is started anew with it."""
        generation = self._generation
        try:
            served(await worker.ask(Change(self.share_of(worker)), _CHANGE_SECONDS))
            worker.generation = generation
        except (EngineError, ConfigError, TimeoutError) as error:
            _log.error("%r did not take the settings and is ended: %s", worker, str(error) or "it does not answer")
            _kill(worker)

    async def _count_one(self, worker: WorkerLink) -> None:
        pid = worker.pid
        with contextlib.suppress(WorkerGone, TimeoutError):  # what it said before must do
            data = await worker.ask(Count(), _COUNT_SECONDS)
            if worker.pid == pid:
                worker.sample = msgspec.json.decode(data, type=Sample)

    async def _sample_often(self) -> None:
        while True:
            await asyncio.sleep(_SAMPLE_SECONDS)
            await self.sample()

    def _with_ports(self, wanted: Sequence[ServerSettings]) -> tuple[ServerSettings, ...]:
        """Ports that the system chose at the start are known by now, and it cannot choose one for several."""
        chosen = {
            (one.bind_host, at): now.bind_port
            for at, (one, now) in enumerate(zip(self.job.servers, self._wanted, strict=False))
            if not one.bind_port
        }
        found = []
        for at, one in enumerate(wanted):
            port = one.bind_port or chosen.get((one.bind_host, at), 0)
            if not port:
                raise ConfigError("--workers: a port must be given")
            found.append(msgspec.structs.replace(one, bind_port=port))
        return tuple(found)

    async def _read(self) -> Settings:
        # Not in a thread: there must be none when a worker is forked, and nothing is relayed here.
        return self.job.settings if self.job.read is None else self.job.read()

    def _processes(self) -> tuple[int, int]:
        return sum(worker.ready for worker in self._workers), self._restarts

    # ---- the end

    def close_listeners(self) -> None:
        """Tell the workers to end with their last connections."""
        self._end_starting()
        for worker in self._workers:
            _spawn_in(self._tasks, self._end_one(worker, None), f"end of {worker!r}")

    async def drained(self) -> None:
        """Wait until all workers have ended."""
        while any(worker.pid for worker in self._workers):
            self._changed.clear()
            await self._changed.wait()

    async def stop(self, grace: float) -> None:
        """End all workers; those that take longer than they have are killed."""
        self._end_starting()
        await asyncio.gather(*(self._end_one(worker, grace) for worker in self._workers))
        try:
            async with asyncio.timeout(grace + _LATE_SECONDS):
                await self.drained()
        except TimeoutError:
            for worker in self._workers:
                if worker.pid:
                    _log.warning("%r does not end, and is killed", worker)
                    _kill(worker)
            await self.drained()

    def _end_starting(self) -> None:
        self._ending = True
        for task in self._starting:
            task.cancel()

    async def _end_one(self, worker: WorkerLink, grace: float | None) -> None:
        if worker.pid and not await worker.end(grace):
            _kill(worker)


def _share(wanted: Sequence[ServerSettings], worker: WorkerLink) -> tuple[ServerSettings, ...]:
    if worker.number == 1:
        return tuple(wanted)
    return tuple(msgspec.structs.replace(one, udp=False) for one in wanted)


def _kill(worker: WorkerLink) -> None:
    if worker.pid and not worker.dead:
        os.kill(worker.pid, signal.SIGKILL)


def _spawn_in(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None], name: str) -> None:
    task = spawn(work, name=name)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


def _probe(wanted: Sequence[ServerSettings]) -> None:
    """BindError for a port that somebody has: workers could share it with another server of the same user."""
    for one in wanted:
        for kind, udp in ((socket.SOCK_STREAM, False), (socket.SOCK_DGRAM, True)):
            if one.bind_port and (one.udp or not udp):
                try:
                    found = socket.getaddrinfo(one.bind_host, one.bind_port, 0, kind, 0, socket.AI_PASSIVE)[0]
                    (port_socket if udp else listener)(found[0], found[4]).close()
                except OSError as error:
                    raise BindError(one.bind_host, one.bind_port, error, udp=udp) from error

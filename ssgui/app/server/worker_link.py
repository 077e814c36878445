"""A worker as its supervisor sees it: its process, what it is asked, and what it has counted."""

import asyncio
import socket

import msgspec

from ssgui.app.server.channel import LAST, START, Channel, End, Failed, Request, Served, pack
from ssgui.config.values import ConfigError
from ssgui.engine.errors import BindError, EngineError
from ssgui.engine.tally import Sample
from ssgui.engine.tasks import spawn

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_SECONDS = 60.0  # after which an end is a new one


class WorkerGone(EngineError):
    """A worker ended before it had answered."""


def served(data: bytes) -> Served:
    """The answer to a change. BindError, ConfigError when it could not be made."""
    answer = msgspec.json.decode(data, type=Served | Failed)
    if isinstance(answer, Served):
        return answer
    if answer.port:
        raise BindError(answer.host, answer.port, OSError(answer.errno, answer.why), udp=answer.udp)
    raise ConfigError(answer.why)


class WorkerLink:
    """Worker `number`. `pid` is 0 while there is none; `generation` is that of the settings that it has.

    One that is `dead` has a number that may be another process's by now.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.pid, self.ready, self.dead, self.generation = 0, False, False, 0
        self.sample = Sample()
        self._sock: socket.socket | None = None
        self._channel: Channel | None = None
        self._listening: asyncio.Task[None] | None = None
        self._answers: dict[int, asyncio.Future[bytes]] = {}
        self._count = START
        self._pause, self._began = FIRST_PAUSE, 0.0

    def __repr__(self) -> str:
        return f"worker {self.number}"

    # ---- life

    def born(self, pid: int, sock: socket.socket, now: float) -> None:
        """Its process was made; `sock` is our end of the channel."""
        self.pid, self.dead, self._sock, self._began = pid, False, sock, now

    async def first_answer(self, seconds: float) -> Served:
        """What it says when it serves. WorkerGone, TimeoutError; BindError, ConfigError when it cannot."""
        if self._sock is None:
            raise WorkerGone(f"{self!r} has gone")
        self._expect(START)
        self._channel = Channel(*await asyncio.open_connection(sock=self._sock))
        self._listening = spawn(self._listen(), name=f"answers of {self!r}")
        return served(await self._wait(START, seconds))

    async def gone(self) -> None:
        """Its process has ended. What it said last is taken still."""
        if self._listening is not None:
            await self._listening
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(WorkerGone(f"{self!r} has gone"))
                answer.exception()  # perhaps nobody waits for it
        if self._channel is not None:
            self._channel.close()
        elif self._sock is not None:
            self._sock.close()
        self._sock = self._channel = self._listening = None
        self.pid, self.ready = 0, False

    def next_pause(self, now: float) -> float:
        """How long to wait before there is another: longer each time, if it does not live long."""
        if now - self._began > STEADY_SECONDS:
            self._pause = FIRST_PAUSE
        pause, self._pause = self._pause, min(LONGEST_PAUSE, self._pause * 2)
        return pause

    # ---- requests

    async def ask(self, request: Request, seconds: float) -> bytes:
        """Its answer. WorkerGone, TimeoutError."""
        self._count += 1
        number = self._count
        self._expect(number)
        try:
            await self._send(number, request)
        except WorkerGone:
            del self._answers[number]
            raise
        return await self._wait(number, seconds)

    async def end(self, grace: float | None) -> bool:
        """Tell it to end; whether it can hear that."""
        try:
            await self._send(START, End(grace))
        except WorkerGone:
            return False
        return True

    def _expect(self, number: int) -> None:
        self._answers[number] = asyncio.get_running_loop().create_future()

    async def _wait(self, number: int, seconds: float) -> bytes:
        try:
            async with asyncio.timeout(seconds):
                return await self._answers[number]
        finally:
            self._answers.pop(number, None)

    async def _send(self, number: int, request: Request) -> None:
        if self._channel is None:
            raise WorkerGone(f"{self!r} does not run")
        try:
            await self._channel.send(number, pack(request))
        except OSError:
            raise WorkerGone(f"{self!r} has gone") from None

    async def _listen(self) -> None:
        """Take its answers, until it hangs up."""
        assert self._channel is not None
        try:
            while True:
                number, data = await self._channel.receive()
                if number == LAST:
                    self.sample = msgspec.json.decode(data, type=Sample)
                elif (answer := self._answers.get(number)) is not None and not answer.done():
                    answer.set_result(data)
        except (OSError, EOFError):
            return  # that its process has ended, the system says

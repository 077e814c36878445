"""The table in a terminal, until somebody leaves or the process that is watched ends."""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager

from rich.console import Console

from ssgui.app.monitor.controls import Close, Quit
from ssgui.app.monitor.glyphs import Glyphs
from ssgui.app.monitor.keys import KeyParser
from ssgui.app.monitor.painter import Painter
from ssgui.app.monitor.screen import Screen
from ssgui.app.monitor.view import View
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.services.control.client import ControlError, answer_of, ask_place, follow
from ssgui.services.control.mirror import Mirror
from ssgui.system.terminal import Terminal

_FRAME_SECONDS = 0.1  # between two pictures, at least
_LOOK_SECONDS = 1.0  # ages grow although nothing is told
_ESC_SECONDS = 0.05
_MESSAGE_SECONDS = 4.0
_LEAVING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class Live:
    """One run of the monitor on `terminal`. `run` returns what is to be said when the terminal is as it was."""

    def __init__(self, place: str, terminal: Terminal, console: Console, glyphs: Glyphs) -> None:
        self._place, self._terminal, self._glyphs = place, terminal, glyphs
        self._painter, self._keys = Painter(console), KeyParser()
        self._screen: Screen | None = None
        self._woken, self._left = asyncio.Event(), asyncio.Event()
        self._why = ""
        self._failure: Exception | None = None
        self._escape: asyncio.TimerHandle | None = None
        self._silence: asyncio.TimerHandle | None = None

    async def run(self) -> str:
        """Until it ends; "" when somebody left. ControlError when there is nothing to watch."""
        async with aclosing(follow(self._place, {"do": "watch"})) as lines:
            try:
                mirror = Mirror(answer_of(await anext(lines)))
            except StopAsyncIteration:
                raise ControlError("it went away") from None
            self._screen = Screen(View(mirror), self._glyphs)
            with self._signals(), self._terminal_taken():
                reading = spawn(self._read(lines, mirror), name="what is told")
                painting = spawn(self._paint(self._screen), name="the screen")
                try:
                    await self._left.wait()
                finally:
                    for task in (reading, painting):
                        task.cancel()
                    await asyncio.wait((reading, painting))
        if self._failure is not None:
            raise self._failure
        return self._why

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """A fault of ours is told when the terminal is as it was."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  raised again by `run`
            self._failure = error
            self._leave()

    @contextmanager
    def _terminal_taken(self) -> Iterator[None]:
        """Whatever happens, it is given back."""
        self._terminal.enter()
        try:
            self._terminal.listen(self._typed)
            try:
                yield
            finally:
                self._terminal.deaf()
        finally:
            self._terminal.leave()

    def _leave(self, why: str = "") -> None:
        self._why = self._why or why
        self._left.set()

    # ---- what is told, and what is seen

    async def _read(self, lines: AsyncGenerator[bytes, None], mirror: Mirror) -> None:
        who = f"{mirror.role} {mirror.pid}"
        with self._guarded():
            try:
                async for line in lines:
                    mirror.take(line)
                    self._woken.set()
                    if mirror.left:
                        break
            except ControlError as error:
                self._leave(f"{who}: {error}")
            self._leave(f"{who} has ended" if mirror.left else f"{who} is gone: it was killed, or crashed")

    async def _paint(self, screen: Screen) -> None:
        """One picture after the other; what comes while one is written is in the next."""
        with self._guarded():
            while True:
                self._woken.clear()
                size = self._terminal.size()
                screen.resize(*size)
                text = self._painter.paint(screen.lines(), size)
                try:
                    await run_blocking(self._terminal.write, text)
                except OSError:
                    self._leave()  # nobody sees it any more
                    return
                await asyncio.sleep(_FRAME_SECONDS)
                try:
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await self._woken.wait()
                except TimeoutError:
                    pass  # nothing happened, but time went by

    def _say(self, text: str) -> None:
        assert self._screen is not None
        self._screen.message = text
        self._woken.set()
        if self._silence is not None:
            self._silence.cancel()
        self._silence = asyncio.get_running_loop().call_later(_MESSAGE_SECONDS, self._say, "") if text else None

    # ---- what a person does

    def _typed(self, data: bytes) -> None:
        if not data:
            self._leave()  # the terminal is gone
            return
        if self._escape is not None:
            self._escape.cancel()
            self._escape = None
        with self._guarded():
            self._press(self._keys.feed(data))
        if self._keys.waiting:
            self._escape = asyncio.get_running_loop().call_later(_ESC_SECONDS, self._flush)

    def _flush(self) -> None:
        with self._guarded():
            self._press(self._keys.flush())

    def _press(self, keys: list[str]) -> None:
        assert self._screen is not None
        for key in keys:
            match self._screen.controls.press(key):
                case Quit():
                    self._leave()
                case Close(ids):
                    spawn(self._close(ids), name="close connections")
        self._woken.set()

    async def _close(self, ids: list[int]) -> None:
        try:
            answer = await ask_place(self._place, {"do": "close", "ids": ids})
        except ControlError as error:
            self._say(f"not closed: {error}")
        else:
            count = answer.get("closed")
            self._say(f"{count} closed" if count else "it had ended already")

    # ---- signals

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        handlers: dict[str, Callable[[], None]] = dict.fromkeys(_LEAVING, self._leave)
        handlers |= {"SIGWINCH": self._woken.set, "SIGTSTP": self._suspend}
        numbers = {getattr(signal, name): then for name, then in handlers.items() if hasattr(signal, name)}
        before = {number: signal.getsignal(number) for number in numbers}
        for number, then in numbers.items():
            if sys.platform == "win32":
                signal.signal(number, lambda *_, then=then: loop.call_soon_threadsafe(then))
            else:
                loop.add_signal_handler(number, then)
        try:
            yield
        finally:
            for number in numbers:
                if sys.platform != "win32":
                    loop.remove_signal_handler(number)
                signal.signal(number, before[number] or signal.SIG_DFL)

    def _suspend(self) -> None:
        """Ctrl-Z: the terminal is given back while we are stopped."""
        self._terminal.deaf()
        self._terminal.leave()
        signal.raise_signal(signal.SIGSTOP)
        self._terminal.enter()
        self._terminal.listen(self._typed)
        self._painter.forget()
        self._woken.set()

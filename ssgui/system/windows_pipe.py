"""Windows: a named pipe that only this user can open, for the control channel.

Against the documented interface of kernel32 and advapi32; `libraries` are their stand-ins in tests. It was never
run on Windows. Each client has an instance of the pipe and a thread: asyncio's own pipes cannot be given a security
descriptor, and theirs lets everybody on the computer read.
"""

import ctypes
import threading
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from typing import Any, ClassVar

MOST_LINE = 1 << 20
_BUFFER = 64 * 1024
_ACCESS_DUPLEX, _FIRST_INSTANCE = 0x3, 0x80000
_REJECT_REMOTE, _MOST_INSTANCES = 0x8, 16
_TOKEN_QUERY, _TOKEN_USER = 0x8, 1
_ERROR_PIPE_CONNECTED = 535
_INVALID = ctypes.c_void_p(-1).value
Answer = Callable[[bytes], Generator[bytes, None, None]]


class SecurityAttributes(ctypes.Structure):
    """SECURITY_ATTRIBUTES."""

    _fields_: ClassVar[Any] = (
        ("nLength", ctypes.c_uint32),
        ("lpSecurityDescriptor", ctypes.c_void_p),
        ("bInheritHandle", ctypes.c_int32),
    )


def descriptor(sid: str) -> str:
    """Whoever has this SID may do everything, nobody else anything (SDDL)."""
    return f"D:P(A;;GA;;;{sid})"


class PipeCalls:
    """The few calls that a pipe needs. OSError with the name of the one that failed."""

    def __init__(self, kernel: Any = None, advapi: Any = None) -> None:
        self._kernel = kernel or ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
        self._advapi = advapi or ctypes.WinDLL("advapi32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
        self._kernel.CreateNamedPipeW.restype = ctypes.c_void_p
        self._kernel.GetCurrentProcess.restype = ctypes.c_void_p

    def user_sid(self) -> str:
        """The SID of whoever runs this process, as text."""
        token = ctypes.c_void_p()
        process = ctypes.c_void_p(self._kernel.GetCurrentProcess())
        self._check(self._advapi.OpenProcessToken(process, _TOKEN_QUERY, ctypes.byref(token)), "OpenProcessToken")
        try:
            size = ctypes.c_uint32()
            self._advapi.GetTokenInformation(token, _TOKEN_USER, None, 0, ctypes.byref(size))
            user = ctypes.create_string_buffer(max(size.value, ctypes.sizeof(ctypes.c_void_p)))
            done = self._advapi.GetTokenInformation(token, _TOKEN_USER, user, size, ctypes.byref(size))
            self._check(done, "GetTokenInformation")
            text = ctypes.c_wchar_p()
            sid = ctypes.c_void_p.from_buffer(user)  # TOKEN_USER begins with the pointer to it
            self._check(self._advapi.ConvertSidToStringSidW(sid, ctypes.byref(text)), "ConvertSidToStringSidW")
            found = text.value or ""
            self._kernel.LocalFree(text)
            return found
        finally:
            self._kernel.CloseHandle(token)

    def create(self, name: str, sid: str, *, first: bool) -> int:
        """A new instance of a pipe that clients of this computer and of `sid` may open.

        The `first` is the only one of its name, or it is not made.
        """
        access = _ACCESS_DUPLEX | (_FIRST_INSTANCE if first else 0)
        security = SecurityAttributes(ctypes.sizeof(SecurityAttributes), None, 0)
        text, out = ctypes.c_wchar_p(descriptor(sid)), ctypes.c_void_p()
        convert = self._advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW
        self._check(convert(text, 1, ctypes.byref(out), None), "ConvertStringSecurityDescriptorToSecurityDescriptorW")
        security.lpSecurityDescriptor = out
        try:
            handle = self._kernel.CreateNamedPipeW(
                ctypes.c_wchar_p(name), access, _REJECT_REMOTE, _MOST_INSTANCES,
                _BUFFER, _BUFFER, 0, ctypes.byref(security),
            )  # fmt: skip
        finally:
            self._kernel.LocalFree(out)
        self._check(handle not in (None, 0, _INVALID), "CreateNamedPipeW")
        return int(handle)

    def connect(self, pipe: int) -> None:
        """Wait for a client."""
        done = self._kernel.ConnectNamedPipe(ctypes.c_void_p(pipe), None)
        self._check(done or self._kernel.GetLastError() == _ERROR_PIPE_CONNECTED, "ConnectNamedPipe")

    def read(self, pipe: int) -> bytes:
        """What the client sent; b"" when it has gone."""
        data, got = ctypes.create_string_buffer(_BUFFER), ctypes.c_uint32()
        done = self._kernel.ReadFile(ctypes.c_void_p(pipe), data, _BUFFER, ctypes.byref(got), None)
        return data.raw[: got.value] if done else b""

    def write(self, pipe: int, data: bytes) -> None:
        """Send all of `data`."""
        put = ctypes.c_uint32()
        done = self._kernel.WriteFile(ctypes.c_void_p(pipe), data, len(data), ctypes.byref(put), None)
        self._check(done and put.value == len(data), "WriteFile")

    def part(self, pipe: int) -> None:
        """Let the client read what was sent, and be rid of it."""
        self._kernel.FlushFileBuffers(ctypes.c_void_p(pipe))
        self._kernel.DisconnectNamedPipe(ctypes.c_void_p(pipe))

    def close(self, pipe: int) -> None:
        """Give the pipe back; who waits for a client waits no more."""
        self._kernel.CancelIoEx(ctypes.c_void_p(pipe), None)
        self._kernel.CloseHandle(ctypes.c_void_p(pipe))

    def _check(self, done: Any, what: str) -> None:
        if not done:
            raise OSError(f"{what} failed (error {self._kernel.GetLastError()})")


class PipeServer:
    """Answers lines on the pipe `name`. `answer` is called in the client's thread, and gives one line or many."""

    def __init__(self, name: str, answer: Answer, calls: PipeCalls) -> None:
        self._name, self._answer, self._calls = name, answer, calls
        self._sid = ""
        self._lock = threading.Lock()
        self._pipes: dict[int, threading.Thread] = {}
        self._waiting = False  # whether an instance waits for a client
        self._closing = False

    def start(self) -> None:
        """Open the pipe. OSError when somebody else has one of this name."""
        self._sid = self._calls.user_sid()
        with self._lock:
            self._open(first=True)

    def stop(self) -> None:
        """Close it."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            open_pipes = dict(self._pipes)
        for pipe in open_pipes:
            self._calls.close(pipe)
        for thread in open_pipes.values():
            thread.join(timeout=5)

    def _open(self, *, first: bool) -> None:
        pipe = self._calls.create(self._name, self._sid, first=first)
        thread = threading.Thread(target=self._serve, args=(pipe,), name="control pipe", daemon=True)
        self._pipes[pipe], self._waiting = thread, True
        thread.start()

    def _serve(self, pipe: int) -> None:
        """Wait for a client; when one has come, see that the next can come too."""
        try:
            while not self._closing:
                if self._has_client(pipe):
                    self._let_in()
                    self._talk(pipe)
                    if self._closing or not self._go_on():
                        return
        finally:
            self._forget(pipe)

    def _has_client(self, pipe: int) -> bool:
        try:
            self._calls.connect(pipe)
        except OSError:  # one that has gone already, or we are closing
            if not self._closing:
                self._calls.part(pipe)
            return False
        return True

    def _let_in(self) -> None:
        with self._lock, suppress(OSError):  # without another instance this one goes on
            self._waiting = False
            if len(self._pipes) < _MOST_INSTANCES and not self._closing:
                self._open(first=False)

    def _go_on(self) -> bool:
        """Whether this instance is to wait for another client: one waits, no more."""
        with self._lock:
            if self._waiting or self._closing:
                return False
            self._waiting = True
            return True

    def _forget(self, pipe: int) -> None:
        with self._lock:
            del self._pipes[pipe]
            closed = self._closing  # then `stop` has closed it
        if not closed:
            self._calls.close(pipe)

    def _talk(self, pipe: int) -> None:
        try:
            self._answer_lines(pipe)
        except OSError:
            pass  # this client has gone, or we are closing
        finally:
            if not self._closing:
                self._calls.part(pipe)

    def _answer_lines(self, pipe: int) -> None:
        held = b""
        while data := self._calls.read(pipe):
            held += data
            while b"\n" in held:
                line, _, held = held.partition(b"\n")
                with closing(self._answer(line)) as answers:
                    for answer in answers:
                        self._calls.write(pipe, answer)
            if len(held) > MOST_LINE:
                return

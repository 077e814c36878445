"""Windows: a named pipe that only this user can open, for the control channel.

Against the documented interface of kernel32 and advapi32; `libraries` are their stand-ins in tests. It was never
run on Windows. A thread waits for one client after the other: asyncio's own pipes cannot be given a security
descriptor, and theirs lets everybody on the computer read.
"""

import ctypes
import threading
from collections.abc import Callable
from typing import Any, ClassVar

MOST_LINE = 1 << 20
_BUFFER = 64 * 1024
_ACCESS_DUPLEX, _FIRST_INSTANCE = 0x3, 0x80000
_REJECT_REMOTE, _ONE_INSTANCE = 0x8, 1
_TOKEN_QUERY, _TOKEN_USER = 0x8, 1
_ERROR_PIPE_CONNECTED = 535
_INVALID = ctypes.c_void_p(-1).value
Answer = Callable[[bytes], bytes]


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

    def create(self, name: str, sid: str) -> int:
        """A new pipe, the only one of its name, that clients of this computer and of `sid` may open."""
        security = SecurityAttributes(ctypes.sizeof(SecurityAttributes), None, 0)
        text, out = ctypes.c_wchar_p(descriptor(sid)), ctypes.c_void_p()
        convert = self._advapi.ConvertStringSecurityDescriptorToSecurityDescriptorW
        self._check(convert(text, 1, ctypes.byref(out), None), "ConvertStringSecurityDescriptorToSecurityDescriptorW")
        security.lpSecurityDescriptor = out
        try:
            handle = self._kernel.CreateNamedPipeW(
                ctypes.c_wchar_p(name), _ACCESS_DUPLEX | _FIRST_INSTANCE, _REJECT_REMOTE, _ONE_INSTANCE,
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
    """Answers lines on the pipe `name`, in a thread of its own. `answer` is called in that thread."""

    def __init__(self, name: str, answer: Answer, calls: PipeCalls) -> None:
        self._name, self._answer, self._calls = name, answer, calls
        self._pipe = 0
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="control pipe", daemon=True)

    def start(self) -> None:
        """Open the pipe. OSError when somebody else has one of this name."""
        self._pipe = self._calls.create(self._name, self._calls.user_sid())
        self._thread.start()

    def stop(self) -> None:
        """Close it."""
        if self._pipe and not self._closing:
            self._closing = True
            self._calls.close(self._pipe)
            self._thread.join(timeout=5)

    def _serve(self) -> None:
        while not self._closing:
            try:
                self._calls.connect(self._pipe)
                self._talk()
            except OSError:
                pass  # this client has gone, or we are closing
            finally:
                if not self._closing:
                    self._calls.part(self._pipe)

    def _talk(self) -> None:
        held = b""
        while data := self._calls.read(self._pipe):
            held += data
            while b"\n" in held:
                line, _, held = held.partition(b"\n")
                self._calls.write(self._pipe, self._answer(line))
            if len(held) > MOST_LINE:
                return

"""Running a program with an administrator's rights: Windows asks the person. ShellExecuteEx of shellapi.h."""

import ctypes
from collections.abc import Sequence
from typing import Any, ClassVar, Final, Protocol

from ssgui.system.integration.setting import IntegrationError
from ssgui.system.integration.windows import quoted

_NO_CLOSE, _NO_ASYNC, _HIDE = 0x40, 0x100, 0  # SEE_MASK_NOCLOSEPROCESS, SEE_MASK_NOASYNC, SW_HIDE
_REFUSED: Final = 1223  # ERROR_CANCELLED
_MILLISECONDS = 60_000
_SYSTEM_FOLDER_ONLY = 0x800  # LOAD_LIBRARY_SEARCH_SYSTEM32


class ExecuteInfo(ctypes.Structure):
    """SHELLEXECUTEINFOW."""

    _fields_: ClassVar[Any] = (
        ("size", ctypes.c_uint32),
        ("mask", ctypes.c_uint32),
        ("window", ctypes.c_void_p),
        ("verb", ctypes.c_void_p),
        ("file", ctypes.c_void_p),
        ("parameters", ctypes.c_void_p),
        ("folder", ctypes.c_void_p),
        ("show", ctypes.c_int32),
        ("instance", ctypes.c_void_p),
        ("list", ctypes.c_void_p),
        ("class_name", ctypes.c_void_p),
        ("class_key", ctypes.c_void_p),
        ("hot_key", ctypes.c_uint32),
        ("icon", ctypes.c_void_p),
        ("process", ctypes.c_void_p),
    )


class Api(Protocol):
    """The functions themselves."""

    def ShellExecuteExW(self, info: int, /) -> int: ...
    def WaitForSingleObject(self, handle: int, milliseconds: int, /) -> int: ...
    def GetExitCodeProcess(self, handle: int, code: int, /) -> int: ...
    def CloseHandle(self, handle: int, /) -> int: ...
    def GetLastError(self) -> int: ...


class Windows:
    """The real ones."""

    def __init__(self) -> None:
        load: Any = getattr(ctypes, "WinDLL", None)
        if load is None:
            raise IntegrationError("this is not Windows")
        pointer, number = ctypes.c_void_p, ctypes.c_uint32
        shell = load("shell32", use_last_error=True, winmode=_SYSTEM_FOLDER_ONLY)
        kernel = load("kernel32", use_last_error=True, winmode=_SYSTEM_FOLDER_ONLY)
        self.ShellExecuteExW = shell.ShellExecuteExW
        self.ShellExecuteExW.argtypes = [pointer]
        self.WaitForSingleObject = kernel.WaitForSingleObject
        self.WaitForSingleObject.argtypes, self.WaitForSingleObject.restype = [pointer, number], number
        self.GetExitCodeProcess = kernel.GetExitCodeProcess
        self.GetExitCodeProcess.argtypes = [pointer, pointer]
        self.CloseHandle = kernel.CloseHandle
        self.CloseHandle.argtypes = [pointer]
        self.GetLastError: Any = getattr(ctypes, "get_last_error", None)


def run_elevated(command: Sequence[str], api: Api | None = None) -> int:
    """Run `command` once the person has agreed, and wait for it; its exit code. IntegrationError otherwise."""
    functions: Api = api or Windows()
    line = quoted(command).removeprefix(f'"{command[0]}"').lstrip()
    texts = [_utf16(text) for text in ("runas", command[0], line)]
    verb, file, parameters = (ctypes.addressof(text) for text in texts)
    info = ExecuteInfo(mask=_NO_CLOSE | _NO_ASYNC, verb=verb, file=file, parameters=parameters, show=_HIDE)
    info.size = ctypes.sizeof(info)
    if not functions.ShellExecuteExW(ctypes.addressof(info)):
        error = functions.GetLastError()
        if error == _REFUSED:
            raise IntegrationError("it takes an administrator's rights, and they were not given")
        raise IntegrationError(f"it takes an administrator's rights, and Windows did not ask for them: error {error}")
    try:
        if functions.WaitForSingleObject(info.process, _MILLISECONDS):
            raise IntegrationError("the program with an administrator's rights does not come to an end")
        code = ctypes.c_uint32()
        functions.GetExitCodeProcess(info.process, ctypes.addressof(code))
        return code.value
    finally:
        functions.CloseHandle(info.process)


def _utf16(text: str) -> Any:
    data = text.encode("utf-16-le", "surrogatepass") + b"\0\0"
    return (ctypes.c_uint16 * (len(data) // 2)).from_buffer_copy(data)

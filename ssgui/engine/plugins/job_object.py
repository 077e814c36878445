"""Windows: a job object that ends every process in it when its last handle is closed, as ours is when we die.

Against the documented interface of kernel32 (CreateJobObjectW, SetInformationJobObject with
JOBOBJECT_EXTENDED_LIMIT_INFORMATION, AssignProcessToJobObject). It was never run on Windows.
"""

import ctypes
import subprocess
from typing import Any, ClassVar

KILL_ON_JOB_CLOSE = 0x2000
EXTENDED_LIMIT_INFORMATION = 9


class BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

    _fields_: ClassVar[Any] = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    )


class ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION; the six counters are IO_COUNTERS."""

    _fields_: ClassVar[Any] = (
        ("BasicLimitInformation", BasicLimits),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


class JobObject:
    """Holds one process and all that it starts. OSError when Windows refuses."""

    def __init__(self, process: subprocess.Popen[bytes], kernel: Any = None) -> None:
        self._kernel = kernel or ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
        self._job = self._checked(self._kernel.CreateJobObjectW(None, None), "CreateJobObjectW")
        limits = ExtendedLimits()
        limits.BasicLimitInformation.LimitFlags = KILL_ON_JOB_CLOSE
        size = ctypes.sizeof(limits)
        done = self._kernel.SetInformationJobObject(self._job, EXTENDED_LIMIT_INFORMATION, ctypes.byref(limits), size)
        self._checked(done, "SetInformationJobObject")
        handle = int(process._handle)  # type: ignore[attr-defined]
        self._checked(self._kernel.AssignProcessToJobObject(self._job, handle), "AssignProcessToJobObject")

    def close(self) -> None:
        """End every process in it."""
        if self._job:
            self._kernel.CloseHandle(self._job)
            self._job = 0

    def _checked(self, result: Any, what: str) -> Any:
        if not result:
            raise OSError(f"{what} failed")
        return result

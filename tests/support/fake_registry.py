"""A stand-in for winreg and HKEY_CURRENT_USER, written after Python's and Microsoft's documentation.

Names of keys and values are compared without case, as Windows does; a key with keys under it cannot be removed.
"""

from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

_REAL: dict[int, type[Any]] = {1: str, 3: bytes, 7: list}


@dataclass
class Handle:
    """An open key; it must be closed, and is good for what it was opened for."""

    registry: "FakeRegistry"
    path: str
    access: int
    closed: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.closed = True


@dataclass
class FakeRegistry:
    """`keys` are the keys with their values (kind, value), by their whole lower-case path. `calls` is what changed."""

    keys: dict[str, dict[str, tuple[int, Any]]] = field(default_factory=lambda: {"software": {}})
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    stubborn: set[str] = field(default_factory=set)  # keys in which nothing that is written stays
    handles: list[Handle] = field(default_factory=list)

    HKEY_CURRENT_USER = 0x80000001
    REG_SZ, REG_BINARY, REG_MULTI_SZ = 1, 3, 7
    KEY_READ, KEY_SET_VALUE, KEY_WRITE = 0x20019, 0x0002, 0x20006

    def _path(self, root: int, key: str) -> str:
        assert root == self.HKEY_CURRENT_USER
        path = key.lower().strip("\\")
        if path in self.denied:
            raise PermissionError(13, "Access is denied")
        return path

    def OpenKey(self, root: int, key: str, reserved: int = 0, access: int = KEY_READ) -> Handle:
        path = self._path(root, key)
        if path not in self.keys:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        self.handles.append(Handle(self, path, access))
        return self.handles[-1]

    def CreateKeyEx(self, root: int, key: str, reserved: int, access: int) -> Handle:
        path = self._path(root, key)
        parts = path.split("\\")
        for at in range(len(parts)):
            self.keys.setdefault("\\".join(parts[: at + 1]), {})
        self.handles.append(Handle(self, path, access))
        return self.handles[-1]

    def QueryValueEx(self, handle: Handle, name: str) -> tuple[Any, int]:
        assert not handle.closed
        assert handle.access == self.KEY_READ
        if name.lower() not in self.keys[handle.path]:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        kind, value = self.keys[handle.path][name.lower()]
        return value, kind

    def SetValueEx(self, handle: Handle, name: str, reserved: int, kind: int, value: Any) -> None:
        assert not handle.closed
        assert handle.access & self.KEY_SET_VALUE
        assert isinstance(value, _REAL[kind]), (kind, value)
        self.calls.append(("set", handle.path, name, value))
        if handle.path not in self.stubborn:
            self.keys[handle.path][name.lower()] = (kind, value)

    def DeleteValue(self, handle: Handle, name: str) -> None:
        assert not handle.closed
        assert handle.access & self.KEY_SET_VALUE
        if name.lower() not in self.keys[handle.path]:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        self.calls.append(("remove", handle.path, name))
        del self.keys[handle.path][name.lower()]

    def DeleteKey(self, root: int, key: str) -> None:
        path = self._path(root, key)
        if path not in self.keys:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        if any(other.startswith(path + "\\") for other in self.keys):
            raise PermissionError(13, "Access is denied")
        self.calls.append(("remove key", path))
        del self.keys[path]

    # ---- for tests

    def put(self, key: str, name: str, value: Any) -> None:
        """A value that somebody else has written."""
        kind = next(number for number, type_ in _REAL.items() if isinstance(value, type_))
        self.keys.setdefault(key.lower(), {})[name.lower()] = (kind, value)

    def get(self, key: str, name: str) -> Any:
        """A value, None if there is none."""
        return self.keys.get(key.lower(), {}).get(name.lower(), (0, None))[1]

    def require_closed(self) -> None:
        """Every handle was given back."""
        assert all(handle.closed for handle in self.handles)

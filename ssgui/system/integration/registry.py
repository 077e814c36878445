"""The person's own part of Windows' registry, by Python's winreg. Never run on Windows, only against a stand-in."""

import importlib
from typing import Any

from ssgui.system.integration.setting import IntegrationError


class Registry:
    """Values under HKEY_CURRENT_USER: text, lists of texts and bytes. `api` has the functions and names of winreg."""

    def __init__(self, api: Any = None) -> None:
        self._api: Any = api or _winreg()
        self._root = self._api.HKEY_CURRENT_USER

    def read(self, key: str, name: str) -> Any:
        """A value; None if there is none. The name "" is the key's own."""
        try:
            with self._api.OpenKey(self._root, key) as handle:
                return self._api.QueryValueEx(handle, name)[0]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failed(key, error) from None

    def write(self, key: str, name: str, value: str | list[str]) -> None:
        """Set a value; keys on the way to it are made."""
        kind = self._api.REG_SZ if isinstance(value, str) else self._api.REG_MULTI_SZ
        try:
            with self._api.CreateKeyEx(self._root, key, 0, self._api.KEY_WRITE) as handle:
                self._api.SetValueEx(handle, name, 0, kind, value)
        except OSError as error:
            raise _failed(key, error) from None

    def remove(self, key: str, name: str) -> None:
        """Remove a value, if it is there."""
        try:
            with self._api.OpenKey(self._root, key, 0, self._api.KEY_SET_VALUE) as handle:
                self._api.DeleteValue(handle, name)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _failed(key, error) from None

    def remove_key(self, key: str) -> None:
        """Remove a key, if it is there, with its values. What is under it must be gone before."""
        try:
            self._api.DeleteKey(self._root, key)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _failed(key, error) from None


def _winreg() -> Any:
    try:
        return importlib.import_module("winreg")
    except ImportError:
        raise IntegrationError("this is not Windows") from None


def _failed(key: str, error: OSError) -> IntegrationError:
    return IntegrationError(f"Windows denies access to the registry's {key}: {error.strerror or error}")

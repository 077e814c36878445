"""Other implementations with the edition of 2022, which `make peers` builds: shadowsocks-rust and sing-box.

No package of Debian has them, so that they are never required: without one its tests are skipped.
"""

import base64
import json
import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import free_port
from tests.support.processes import HOST, running

Address = tuple[str, int]
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ssgui-peers/bin"


def peer_program(name: str) -> str:
    """The path of a program that is on PATH or that `make peers` has built; without it the test is skipped."""
    found = shutil.which(name) or shutil.which(name, path=str(_CACHE))
    if found is None:
        pytest.skip(f"{name}: not on PATH, and make peers has not built it")
    return found


def new_key(method: str) -> str:
    """A random key for a method of 2022, and a password for any other."""
    return base64.b64encode(os.urandom(16 if "128" in method else 32)).decode()


class Peer(ABC):
    """One implementation: its server and its client, as long as a block runs."""

    @abstractmethod
    def server_config(self, port: int, method: str, password: str, users: Mapping[str, str]) -> tuple[str, Any]:
        """The program, and its configuration."""

    @abstractmethod
    def local_config(self, port: int, server: Address, method: str, password: str) -> tuple[str, Any]:
        """The same of the client."""

    @abstractmethod
    def flags(self, path: str) -> list[str]:
        """That have the program read its configuration from `path`."""

    @contextmanager
    def server(self, method: str, password: str, users: Mapping[str, str]) -> Iterator[Address]:
        """Its server on a free port, with UDP; yields where."""
        port = free_port()
        with self._running(port, *self.server_config(port, method, password, users)):
            yield HOST, port

    @contextmanager
    def local(self, server: Address, method: str, password: str) -> Iterator[Address]:
        """Its client on a free port, with UDP; yields where it speaks SOCKS5."""
        port = free_port()
        with self._running(port, *self.local_config(port, server, method, password)):
            yield HOST, port

    @contextmanager
    def _running(self, port: int, program: str, config: Any) -> Iterator[None]:
        command = peer_program(program)
        with tempfile.TemporaryDirectory(prefix="ssgui-test-") as folder:
            path = Path(folder) / "config.json"
            path.write_text(json.dumps(config))
            with running([command, *self.flags(str(path))], port=port) as process:
                yield
                process.require_running()


class Rust(Peer):
    """shadowsocks-rust."""

    def server_config(self, port: int, method: str, password: str, users: Mapping[str, str]) -> tuple[str, Any]:
        listed = [{"name": name, "password": key} for name, key in users.items()]
        server = {
            "server": HOST, "server_port": port, "method": method, "password": password, "mode": "tcp_and_udp",
            "timeout": 60, **({"users": listed} if listed else {}),
        }  # fmt: skip
        return "ssserver", {"servers": [server]}

    def local_config(self, port: int, server: Address, method: str, password: str) -> tuple[str, Any]:
        return "sslocal", {
            "server": server[0], "server_port": server[1], "method": method, "password": password, "timeout": 60,
            "mode": "tcp_and_udp", "local_address": HOST, "local_port": port,
        }  # fmt: skip

    def flags(self, path: str) -> list[str]:
        return ["-c", path]


class SingBox(Peer):
    """sing-box."""

    def server_config(self, port: int, method: str, password: str, users: Mapping[str, str]) -> tuple[str, Any]:
        inbound: dict[str, Any] = {
            "type": "shadowsocks", "listen": HOST, "listen_port": port, "method": method, "password": password,
        }  # fmt: skip
        if users:
            inbound["users"] = [{"name": name, "password": key} for name, key in users.items()]
        names = {"type": "hosts", "tag": "hosts", "predefined": {"localhost": HOST}}
        return "sing-box", {
            "log": {"level": "warn"}, "inbounds": [inbound], "dns": {"servers": [names]},
            "route": {"default_domain_resolver": "hosts"},
        }  # fmt: skip

    def local_config(self, port: int, server: Address, method: str, password: str) -> tuple[str, Any]:
        outbound = {
            "type": "shadowsocks", "server": server[0], "server_port": server[1], "method": method,
            "password": password,
        }  # fmt: skip
        inbound = {"type": "socks", "listen": HOST, "listen_port": port}
        return "sing-box", {"log": {"level": "warn"}, "inbounds": [inbound], "outbounds": [outbound]}

    def flags(self, path: str) -> list[str]:
        return ["run", "-c", path]


PEERS: dict[str, Peer] = {"rust": Rust(), "sing-box": SingBox()}

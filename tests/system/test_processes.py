"""Whose sockets they are: asked of the real kernel, and of made-up systems."""

import ctypes
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ssgui.system.processes import linux as linux_lookup
from ssgui.system.processes.flows import Flow, Program
from ssgui.system.processes.linux import LinuxLookup
from ssgui.system.processes.lookup import new_process_lookup
from ssgui.system.processes.macos import MacLookup
from ssgui.system.processes.proc import name_of, pids, printable
from ssgui.system.processes.windows import WindowsLookup

linux = pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")
CLIENT = """
import socket, sys
sock = socket.create_connection((sys.argv[1], int(sys.argv[2])))
print(sock.getsockname()[1], flush=True)
sys.stdin.read()
"""


@linux
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_names_another_process(host: str, tmp_path: Path) -> None:
    script = tmp_path / "my-browser.py"
    script.write_text(CLIENT)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    lookup = new_process_lookup()
    assert lookup is not None
    with socket.create_server((host, 0), family=family) as server:
        port = server.getsockname()[1]
        command = [sys.executable, str(script), host, str(port), "s3cret"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            flow = Flow((host, int(process.stdout.readline())), (host, port))
            assert lookup.programs([flow]) == {flow: Program("my-browser.py", process.pid)}
            process.communicate()
        assert lookup.programs([flow]) == {}


@linux
def test_a_socket_of_ipv6_that_speaks_ipv4_and_one_of_datagrams() -> None:
    lookup, here = LinuxLookup(), "127.0.0.1"
    with socket.create_server((here, 0)) as server, socket.socket(socket.AF_INET6) as client:
        client.connect((f"::ffff:{here}", server.getsockname()[1]))
        flow = Flow((here, client.getsockname()[1]), server.getsockname())
        assert lookup.programs([flow])[flow].pid == os.getpid()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(b"x", (here, 9))  # it is bound to any address
        flow = Flow((here, udp.getsockname()[1]), (here, 9), udp=True)
        assert lookup.programs([flow])[flow].pid == os.getpid()
    assert lookup.programs([flow]) == {}


@linux
def test_all_processes_are_looked_through_once_in_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    now, looks = [0.0], list[float]()

    def counted(proc: Path) -> list[str]:
        looks.append(now[0])
        return pids(proc)

    monkeypatch.setattr(linux_lookup, "pids", counted)
    lookup = LinuxLookup(clock=lambda: now[0])
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        flow = Flow(client.getsockname(), server.getsockname())
        for now[0] in (0.0, 1.0, 5.0):  # once it is known, nobody else is asked
            assert lookup.programs([flow])
        assert looks == [0.0]
        lookup._known.clear()
        now[0] = 1.9
        assert lookup.programs([flow]) == {}
        now[0] = 2.0
        assert lookup.programs([flow])
        assert looks == [0.0, 2.0]
    assert lookup.programs([Flow(("192.0.2.1", 9), ("192.0.2.1", 10)), Flow(("no address", 9), ("::1", 1))]) == {}


@linux
def test_somebody_elses_is_known_by_its_user(tmp_path: Path) -> None:
    lookup = LinuxLookup(tmp_path)  # where nobody can be seen
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        flow = Flow(client.getsockname(), server.getsockname())
        import pwd

        assert lookup.programs([flow]) == {flow: Program(pwd.getpwuid(os.getuid()).pw_name, 0)}
        assert lookup.programs([flow]) == {}  # nobody was asked again so soon


@linux
def test_a_name_is_no_argument_and_shows() -> None:
    assert name_of(str(os.getpid()))
    assert name_of("999999999") == ""
    assert printable("a\x1b[31m\u202eb" + "c" * 99) == "a[31mb" + "c" * 34


# ---- Windows


class FakeWindows:
    """iphlpapi and kernel32, with tables that grow once between two calls."""

    def __init__(self) -> None:
        self.tables: dict[tuple[str, int], bytes] = {}
        self.names = {41: "C:\\Program Files\\Mozilla\\firefox.exe", 42: "C:\\zoom.exe"}
        self.opened: list[int] = []
        self.OpenProcess = _Call(self._open)

    def _get(self, name: str, buffer: Any, size: Any, order: int, family: int, kind: int, reserved: int) -> int:
        assert (order, reserved) == (0, 0)
        assert kind == {"tcp": 5, "udp": 1}[name]
        table = self.tables[name, family]
        room, size._obj.value = size._obj.value, len(table)
        if room < len(table):
            return 122
        ctypes.memmove(buffer, table, len(table))
        return 0

    def GetExtendedTcpTable(self, *arguments: Any) -> int:
        return self._get("tcp", *arguments)

    def GetExtendedUdpTable(self, *arguments: Any) -> int:
        return self._get("udp", *arguments)

    def _open(self, access: int, inherit: int, pid: int) -> int:
        assert (access, inherit) == (0x1000, 0)
        self.opened.append(pid)
        return pid if pid in self.names else 0

    def QueryFullProcessImageNameW(self, handle: Any, flags: int, path: Any, size: Any) -> int:
        assert flags == 0
        assert size._obj.value == len(path)
        path.value = self.names[handle.value]
        return 1

    def CloseHandle(self, handle: Any) -> int:
        self.opened.remove(handle.value)
        return 1


class _Call:
    restype: Any = None

    def __init__(self, call: Any) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)


def _table(*rows: bytes) -> bytes:
    return struct.pack("<I", len(rows)) + b"".join(rows)


def test_windows_tables() -> None:
    fake = FakeWindows()
    port = socket.htons
    row = struct.pack("<I4sI4sII", 5, b"\x7f\0\0\1", port(50001), b"\x7f\0\0\1", port(1080), 41)
    other = struct.pack("<I4sI4sII", 5, b"\x7f\0\0\1", port(1080), b"\x7f\0\0\1", port(50001), 7)
    assert len(row) == 24  # MIB_TCPROW_OWNER_PID
    fake.tables["tcp", 2] = _table(other, row)
    six = socket.inet_pton(socket.AF_INET6, "::1")
    row6 = struct.pack("<16sII16sIIII", six, 0, port(50002), six, 0, port(1080), 5, 42)
    assert len(row6) == 56  # MIB_TCP6ROW_OWNER_PID
    fake.tables["tcp", 23] = _table(row6)
    fake.tables["udp", 2] = _table(struct.pack("<4sII", bytes(4), port(50003), 42))
    fake.tables["udp", 23] = _table(struct.pack("<16sIII", six, 0, port(50004), 41))
    flows = {
        Flow(("127.0.0.1", 50001), ("127.0.0.1", 1080)): Program("firefox", 41),
        Flow(("::1", 50002), ("::1", 1080)): Program("zoom", 42),
        Flow(("127.0.0.1", 50003), ("127.0.0.1", 1080), udp=True): Program("zoom", 42),
        Flow(("::1", 50004), ("::1", 1080), udp=True): Program("firefox", 41),
    }
    gone = Flow(("127.0.0.1", 50009), ("127.0.0.1", 1080))
    assert WindowsLookup(fake, fake).programs([*flows, gone]) == flows
    assert fake.opened == []


def test_a_table_that_windows_refuses() -> None:
    fake = FakeWindows()
    fake.GetExtendedTcpTable = lambda *_: 87  # type: ignore[method-assign]
    with pytest.raises(OSError, match="error 87"):
        WindowsLookup(fake, fake).programs([Flow(("127.0.0.1", 1), ("127.0.0.1", 2))])


# ---- macOS

LSOF = """\
p501
cGoogle\\x20Chrome\\x20Helper
f23
PTCP
n127.0.0.1:50001->127.0.0.1:1080
f24
PTCP
n[::1]:50002->[::1]:1080
p77
czoom.us
f9
PUDP
n*:50003
p1
cssgui
PTCP
n127.0.0.1:1080->127.0.0.1:50001
"""


def test_lsof() -> None:
    asked: list[Iterable[str]] = []

    def run(command: Iterable[str]) -> str:
        asked.append(command)
        return LSOF

    flows = {
        Flow(("127.0.0.1", 50001), ("127.0.0.1", 1080)): Program("Google Chrome Helper", 501),
        Flow(("::1", 50002), ("::1", 1080)): Program("Google Chrome Helper", 501),
        Flow(("127.0.0.1", 50003), ("127.0.0.1", 1080), udp=True): Program("zoom.us", 77),
    }
    gone = Flow(("127.0.0.1", 50009), ("127.0.0.1", 1080))
    assert MacLookup(run).programs([*flows, gone]) == flows
    assert asked == [["/usr/sbin/lsof", "-nP", "-i:50001,50002,50003,50009", "+c", "0", "-F", "pcPn"]]
    assert MacLookup(lambda _: "").programs([gone]) == {}


def test_lsof_that_hangs() -> None:
    def run(command: Iterable[str]) -> str:
        raise subprocess.TimeoutExpired("lsof", 5)

    with pytest.raises(OSError, match="lsof did not"):
        MacLookup(run).programs([Flow(("127.0.0.1", 1), ("127.0.0.1", 2))])

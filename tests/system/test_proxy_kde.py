"""KDE's proxy: kioslaverc changed as KDE itself reads it, and everything else in it kept."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssgui.system.proxy.backend import ProxyError, ProxyKind, ProxySetting
from ssgui.system.proxy.kde import KdeProxy
from tests.support.private_desktop import private_desktop
from tests.support.programs import require

PAC = ProxySetting(ProxyKind.PAC, url="http://127.0.0.1:1080/proxy.pac?k=a&h=b")
GLOBAL = ProxySetting(ProxyKind.MANUAL, host="127.0.0.1", port=1081, bypass=("localhost", "10.0.0.0/8", ".local"))
FILE = """\
PersistentProxyConnection=false

[$Version]
update_info=kioslave.upd:kde2.2/r1

[Proxy Settings]
NoProxyFor=localhost,127.0.0.1
Proxy Config Script=
ProxyType=1
# a note
Unknown[$e]=$HOME
httpProxy=http://proxy.example 3128

[Proxy Settings][Deeper]
ProxyType=9
"""


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KdeProxy:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:")
    return KdeProxy()


@pytest.mark.parametrize(
    "text", ["", FILE, "[Other]\nkey=value\n", "[Proxy Settings]\nProxyType=0\n", "[A]\nb=c\n\n[D]\ne=f\n"]
)
def test_what_was_is_put_back_exactly(backend: KdeProxy, text: str) -> None:
    if text:
        backend.path.write_text(text)
    before = backend.snapshot()
    for setting in (PAC, GLOBAL, PAC):
        plan = backend.planned(setting, backend.snapshot())
        assert backend.apply(setting) == plan == backend.snapshot()
        for line in text.splitlines():
            if line.partition("=")[0] not in before:
                assert line in backend.path.read_text().splitlines()
    backend.restore(before)
    assert backend.snapshot() == before
    assert backend.path.read_text() == text


def test_where_it_leads(backend: KdeProxy) -> None:
    assert backend.loopback_ports(backend.snapshot()) == ()
    now = backend.apply(PAC)
    assert (backend.loopback_ports(now), backend.leads_to(now)) == ((1080,), (PAC.url,))
    now = backend.apply(GLOBAL)
    assert (backend.loopback_ports(now), backend.leads_to(now)) == ((1081,), ("127.0.0.1:1081",))
    assert backend.leads_to(backend.cleared(now)) == ()
    backend.path.write_text(FILE)
    now = backend.snapshot()
    assert (backend.loopback_ports(now), backend.leads_to(now)) == ((), ("proxy.example:3128",))
    backend.path.write_text("[Proxy Settings]\nProxyType=1\nhttpProxy=http://[::1]:8118\n")
    assert backend.loopback_ports(backend.snapshot()) == (8118,)


@pytest.mark.parametrize("text", ["[$i]\n", "[Proxy Settings][$i]\n", "[Proxy Settings]\nProxyType[$i]=0\n"])
def test_what_the_administrator_locked_is_said(backend: KdeProxy, text: str) -> None:
    backend.path.write_text(text)
    with pytest.raises(ProxyError, match="is locked"):
        backend.apply(PAC)
    assert backend.path.read_text() == text


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for program in ("kwriteconfig5", "kreadconfig5", "dbus-monitor", "dbus-send"):
        require(program)
    with private_desktop(tmp_path / "session") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield


def test_kde_reads_it_and_is_told(session: None) -> None:
    backend = KdeProxy()
    write = ["kwriteconfig5", "--file", "kioslaverc", "--group", "Proxy Settings", "--key"]
    subprocess.run([*write, "httpProxy", "http://proxy.example 3128"], check=True)
    before = backend.snapshot()
    assert before["httpProxy"] == "http://proxy.example 3128"
    rule = "type='signal',interface='org.kde.KIO.Scheduler'"
    with subprocess.Popen(["dbus-monitor", "--session", rule], stdout=subprocess.PIPE, text=True) as monitor:
        assert monitor.stdout is not None
        while "NameLost" not in monitor.stdout.readline():  # it monitors from here on
            pass
        backend.apply(PAC)
        while "reparseSlaveConfiguration" not in monitor.stdout.readline():
            pass
        monitor.terminate()
    read = ["kreadconfig5", "--file", "kioslaverc", "--group", "Proxy Settings", "--key"]
    for key, value in (("ProxyType", "2"), ("Proxy Config Script", PAC.url)):
        assert subprocess.run([*read, key], check=True, capture_output=True, text=True).stdout.strip() == value
    backend.restore(before)
    subprocess.run([*write, "httpProxy", "--delete", ""], check=True)
    assert set(backend.snapshot().values()) == {None}

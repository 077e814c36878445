"""GNOME's proxy, really set: gsettings and dconf in a session of their own."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssgui.system.proxy.backend import ProxyError, ProxyKind, ProxySetting
from ssgui.system.proxy.choose import backend_named, choose_backend
from ssgui.system.proxy.gnome import GnomeProxy, _quoted, _text
from tests.support.private_desktop import private_desktop
from tests.support.programs import require

PAC = ProxySetting(ProxyKind.PAC, url="http://127.0.0.1:1080/proxy.pac?k=a&h=b")
GLOBAL = ProxySetting(
    ProxyKind.MANUAL, host="127.0.0.1", port=1081, bypass=("localhost", "10.0.0.0/8", "::1", ".local")
)


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for program in ("gsettings", "dconf"):
        require(program)
    with private_desktop(tmp_path) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("GSETTINGS_BACKEND", raising=False)
        yield


def dump() -> str:
    return subprocess.run(["dconf", "dump", "/system/proxy/"], check=True, capture_output=True, text=True).stdout


def gsettings(*words: str) -> str:
    return subprocess.run(["gsettings", *words], check=True, capture_output=True, text=True).stdout.strip()


def person() -> None:
    """A proxy that a person has set, with a key at its default and one of no concern to us."""
    gsettings("set", "org.gnome.system.proxy", "mode", "manual")
    gsettings("set", "org.gnome.system.proxy", "autoconfig-url", "")
    gsettings("set", "org.gnome.system.proxy.http", "host", 'it\'s \\ "odd".example')
    gsettings("set", "org.gnome.system.proxy.http", "port", "3128")
    gsettings("set", "org.gnome.system.proxy.ftp", "host", "ftp.example")
    gsettings("set", "org.gnome.system.proxy", "ignore-hosts", "[]")


@pytest.mark.parametrize("set_before", [False, True], ids=["unset", "set"])
def test_what_was_is_put_back_exactly(desktop: None, set_before: bool) -> None:
    if set_before:
        person()
    before = dump()
    backend = GnomeProxy()
    kept = backend.snapshot()
    assert (kept["mode"] is None) is not set_before
    for setting in (PAC, GLOBAL, PAC):
        plan = backend.planned(setting, backend.snapshot())
        assert backend.apply(setting) == plan == backend.snapshot()
        assert dump() != before
    backend.restore(kept)
    assert backend.snapshot() == kept
    assert dump() == before


def test_what_is_set(desktop: None) -> None:
    backend = GnomeProxy()
    backend.apply(PAC)
    assert gsettings("get", "org.gnome.system.proxy", "mode") == "'auto'"
    assert gsettings("get", "org.gnome.system.proxy", "autoconfig-url") == f"'{PAC.url}'"
    now = backend.snapshot()
    assert (backend.loopback_ports(now), backend.leads_to(now)) == ((1080,), (PAC.url,))
    backend.apply(GLOBAL)
    for protocol in ("http", "https", "socks"):
        assert gsettings("get", f"org.gnome.system.proxy.{protocol}", "host") == "'127.0.0.1'"
        assert gsettings("get", f"org.gnome.system.proxy.{protocol}", "port") == "1081"
    ignored = "['localhost', '10.0.0.0/8', '::1', '*.local']"
    assert gsettings("get", "org.gnome.system.proxy", "ignore-hosts") == ignored
    now = backend.snapshot()
    assert (backend.loopback_ports(now), backend.leads_to(now)) == ((1081,), ("127.0.0.1:1081",))
    off = backend.cleared(now)
    assert (backend.loopback_ports(off), backend.leads_to(off)) == ((), ())
    backend.restore(off)
    assert gsettings("get", "org.gnome.system.proxy", "mode") == "'none'"


def test_without_dconf_the_values_are_put_back(desktop: None, monkeypatch: pytest.MonkeyPatch) -> None:
    person()
    gsettings("set", "org.gnome.system.proxy.socks", "host", "socks.example")
    before = gsettings("list-recursively", "org.gnome.system.proxy")
    backend = GnomeProxy()
    monkeypatch.setattr(backend, "_dconf", None)
    kept = backend.snapshot()
    assert None not in kept.values()
    backend.apply(PAC)
    backend.apply(GLOBAL)
    backend.restore(kept)
    assert backend.snapshot() == kept
    assert gsettings("list-recursively", "org.gnome.system.proxy") == before


def test_a_desktop_that_stores_nothing_is_noticed(desktop: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """gsettings says 0 without a bus."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:")
    with pytest.raises(ProxyError, match=r"did not keep what was set|failed"):
        GnomeProxy().apply(PAC)


def test_strings_are_written_as_gsettings_writes_them(desktop: None) -> None:
    for text in ("", "plain", "it's", 'a "b"', 'it\'s "both"', "back\\slash", "香港"):
        gsettings("set", "org.gnome.system.proxy", "autoconfig-url", _quoted(text))
        there = gsettings("get", "org.gnome.system.proxy", "autoconfig-url")
        assert (there, _text(there)) == (_quoted(text), text)


def test_programs_that_are_missing_fail_or_hang_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProxyError, match="gsettings cannot be run"):
        GnomeProxy().snapshot()
    program = tmp_path / "gsettings"
    program.write_text("#!/bin/sh\necho 'No such schema' >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(ProxyError, match=r"gsettings list-recursively .* failed: No such schema"):
        GnomeProxy().snapshot()
    program.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    monkeypatch.setattr("ssgui.system.proxy.programs.run.__defaults__", (0.1,))
    with pytest.raises(ProxyError, match="did not come to an end within"):
        GnomeProxy().snapshot()


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"XDG_CURRENT_DESKTOP": "ubuntu:GNOME"}, "gnome"),
        ({"XDG_CURRENT_DESKTOP": "X-Cinnamon"}, "gnome"),
        ({"XDG_CURRENT_DESKTOP": "Budgie"}, "gnome"),
        ({"XDG_CURRENT_DESKTOP": "KDE"}, "kde"),
        ({"KDE_FULL_SESSION": "true"}, "kde"),
        ({"XDG_CURRENT_DESKTOP": "XFCE"}, None),
        ({"XDG_CURRENT_DESKTOP": "sway"}, None),
        ({"XDG_CURRENT_DESKTOP": ""}, None),
        ({}, None),
    ],
)
def test_which_backend_fits(tmp_path: Path, environment: dict[str, str], name: str | None) -> None:
    (tmp_path / "gsettings").touch(0o755)
    backend = choose_backend({**environment, "PATH": str(tmp_path)})
    assert (backend.name if backend is not None else None) == name
    if backend is not None:
        assert type(backend_named(backend.name)) is type(backend)
    assert choose_backend({"XDG_CURRENT_DESKTOP": "GNOME", "PATH": "/nowhere"}) is None
    with pytest.raises(ProxyError, match="'beos'"):
        backend_named("beos")

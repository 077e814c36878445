"""Windows' proxy, against a recorded stand-in for WinINET and RAS: it was never run on Windows."""

import ctypes
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.app.system_proxy import BYPASS
from ssgui.system.proxy import windows_calls
from ssgui.system.proxy.backend import ProxyError, ProxyKind, ProxySetting, Snapshot
from ssgui.system.proxy.choose import backend_named, choose_backend
from ssgui.system.proxy.windows import WindowsProxy, bypass_list
from tests.support.fake_windows import UNSET, FakeWindows
from tests.support.journal_drill import deaths, put_back, set_proxy

PAC = ProxySetting(ProxyKind.PAC, url="http://127.0.0.1:1080/proxy.pac?k=a&h=b")
GLOBAL = ProxySetting(ProxyKind.MANUAL, host="127.0.0.1", port=1081, bypass=BYPASS)
OURS = {"flags": 3, "server": "127.0.0.1:1081", "bypass": bypass_list(BYPASS)}
CORPORATE = {
    "flags": 7,
    "server": "http=proxy.corp:3128;https=proxy.corp",
    "bypass": "*.corp",
    "pac": "http://pac.corp/x",
}
VPN = "Büro-VPN 🔒"
pytestmark = pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="the stand-in is a Windows of 64 bits")


def windows(**states: Any) -> FakeWindows:
    """Corporate at home, and a VPN that nobody has configured."""
    return FakeWindows({None: dict(CORPORATE), VPN: dict(UNSET)}, **states)


def state(fake: FakeWindows) -> dict[str | None, dict[str, Any]]:
    """What is set; empty and unset are one."""
    return {name: {key: value or None for key, value in one.items()} for name, one in fake.system.items()}


def test_sizes_are_those_of_64_bit_windows() -> None:
    sizes = [
        ctypes.sizeof(getattr(windows_calls, name)) for name in ("Option", "OptionList", "RasEntryName", "OptionValue")
    ]
    assert sizes == [16, 32, 1048, 8]
    assert windows_calls.Option.value.offset == 8
    places = {name: getattr(windows_calls.OptionList, name).offset for name, _ in windows_calls.OptionList._fields_}
    assert places == {"size": 0, "connection": 8, "count": 16, "error": 20, "options": 24}
    assert [windows_calls.RasEntryName.name.offset, windows_calls.RasEntryName.phonebook.offset] == [4, 524]


def test_every_call_of_a_change_and_its_restore() -> None:
    fake = windows()
    backend = WindowsProxy(fake)
    before = backend.snapshot()
    look = [("list", 1048), ("query", None, [10, 2, 3, 4]), ("query", VPN, [10, 2, 3, 4])]
    assert fake.calls == look
    assert before == {"": CORPORATE, VPN: UNSET}
    fake.calls.clear()
    planned = backend.planned(PAC, before)
    assert not fake.calls
    assert backend.apply(PAC) == planned == backend.snapshot()
    tell = [("tell", 95), ("tell", 39), ("tell", 37)]
    changes = [
        ("set", None, {2: CORPORATE["server"], 3: "*.corp", 4: PAC.url, 1: 5}),
        ("set", VPN, {2: None, 3: None, 4: PAC.url, 1: 5}),
    ]
    assert fake.calls == [*look, *changes, *tell, *look, *look]
    assert [list(call[2]) for call in fake.calls if call[0] == "set"] == [[2, 3, 4, 1]] * 2  # the switch comes last
    fake.calls.clear()
    backend.restore(before)
    back = [
        ("set", None, {2: CORPORATE["server"], 3: "*.corp", 4: "http://pac.corp/x", 1: 7}),
        ("set", VPN, {1: 9, 2: None, 3: None, 4: None}),
    ]
    assert fake.calls == [*look, *back, *tell, *look]
    assert [list(call[2]) for call in fake.calls if call[0] == "set"] == [[2, 3, 4, 1], [1, 2, 3, 4]]
    assert fake.system == {None: CORPORATE, VPN: UNSET}
    fake.calls.clear()
    backend.restore(before)
    assert fake.calls == [*look, *look]  # nothing is written, and no program disturbed, for nothing
    assert not fake.lent


def test_global_is_one_proxy_for_all() -> None:
    fake = windows()
    backend = WindowsProxy(fake)
    after = backend.apply(GLOBAL)
    assert after[""] == {**CORPORATE, **OURS}
    assert after[VPN] == {**UNSET, **OURS}
    assert OURS["bypass"] == ";".join([
        "localhost", "127.*", "[::1]", "10.*", *(f"172.{part}.*" for part in range(16, 32)), "192.168.*", "169.254.*",
        "*.local", "<local>",
    ])  # fmt: skip
    after = backend.apply(ProxySetting(ProxyKind.MANUAL, host="::1", port=1))
    assert (after[""]["server"], after[""]["bypass"]) == ("[::1]:1", "<local>")
    assert backend.loopback_ports(after) == (1,)


@pytest.mark.parametrize(
    ("network", "text"),
    [
        ("0.0.0.0/0", "*"), ("10.0.0.0/7", "10.*;11.*"), ("1.2.3.0/24", "1.2.3.*"), ("1.2.3.4", "1.2.3.4"),
        ("1.2.3.4/31", "1.2.3.4;1.2.3.5"), ("172.30.0.0/15", "172.30.*;172.31.*"), ("fe80::/10", ""), ("::1", "[::1]"),
        ("host.example", "host.example"), (".example", "*.example"),
    ],
)  # fmt: skip
def test_bypass(network: str, text: str) -> None:
    assert bypass_list((network, network)) == f"{text};<local>".lstrip(";")


@pytest.mark.parametrize("count", [0, 1, 2, 300])
def test_as_many_connections_as_there_are(count: int) -> None:
    names = [f"connection {number}" for number in range(count)]
    fake = FakeWindows({None: dict(UNSET)} | {name: {**UNSET, "server": name} for name in names})
    assert {name: one["server"] for name, one in WindowsProxy(fake).snapshot().items() if name} == {n: n for n in names}
    assert [call for call in fake.calls if call[0] == "list"] == [
        ("list", 1048 * many) for many in {1: 1, max(count, 1): 1}
    ]


@pytest.mark.parametrize("name", ["x" * 256, "'; \"&|<>%PATH%\\", "日本", "🔒", "\ud83d", "lan"])
def test_odd_names(tmp_path: Path, name: str) -> None:
    fake = FakeWindows({None: dict(UNSET), name: dict(CORPORATE)})
    set_proxy(tmp_path, WindowsProxy(fake), GLOBAL)
    assert fake.system[name] == {**CORPORATE, **OURS}
    put_back(tmp_path, WindowsProxy(fake))
    assert fake.system == {None: UNSET, name: CORPORATE}


def test_a_connection_that_comes_while_they_are_listed() -> None:
    fake = windows(dialled_meanwhile="third")
    fake.system["second"] = dict(UNSET)
    assert set(WindowsProxy(fake).snapshot()) == {"", VPN, "second", "third"}


@pytest.mark.parametrize("error", [126, 1058, 621, 711])
def test_without_remote_access(error: int) -> None:
    fake = windows(ras_error=error)
    assert WindowsProxy(fake).apply(PAC) == {"": {**CORPORATE, "flags": 5, "pac": PAC.url}}
    assert fake.system[VPN] == UNSET


def test_failures_are_said_with_their_codes() -> None:
    fake = windows(ras_error=5)
    with pytest.raises(ProxyError, match="RasEnumEntries failed with error 5"):
        WindowsProxy(fake).snapshot()
    fake = windows(ras_error=603)
    with pytest.raises(ProxyError, match="error 603"):
        WindowsProxy(fake).snapshot()
    assert len(fake.calls) < 20
    with pytest.raises(
        ProxyError, match="tell the proxy of the local network: InternetQueryOption failed with error 12"
    ):
        WindowsProxy(windows(refuse={("query", None): 12})).snapshot()
    with pytest.raises(
        ProxyError, match=r"tell the proxy of the connection 'B\\xfcro.*InternetQueryOption .* error 13"
    ):
        WindowsProxy(windows(refuse={("query", VPN): 13})).snapshot()
    fake = windows(refuse={("set", None): 5})
    with pytest.raises(ProxyError, match="take the proxy of the local network: InternetSetOption failed with error 5"):
        WindowsProxy(fake).apply(PAC)
    assert [call[1] for call in fake.calls if call[0] == "set"] == [None, VPN]  # one does not keep the other from it


@pytest.mark.parametrize(("setting", "key"), [(PAC, "pac"), (PAC, "flags"), (GLOBAL, "server"), (GLOBAL, "bypass")])
def test_what_a_policy_keeps_is_noticed(tmp_path: Path, setting: ProxySetting, key: str) -> None:
    fake = windows(stubborn={key})
    with pytest.raises(ProxyError, match=f"did not keep what was set: the {key} of the proxy$"):
        set_proxy(tmp_path, WindowsProxy(fake), setting)
    assert fake.system == {None: CORPORATE, VPN: UNSET}
    assert put_back(tmp_path, WindowsProxy(fake)) == ()


def test_old_windows_and_empty_texts(tmp_path: Path) -> None:
    fake = windows(old=True, empty=True)
    set_proxy(tmp_path, WindowsProxy(fake), GLOBAL)
    queries = [call[2][0] for call in fake.calls if call[0] == "query"]
    assert queries[:4] == [10, 1, 10, 1]
    put_back(tmp_path, WindowsProxy(fake))
    assert fake.system == {None: CORPORATE, VPN: UNSET}
    assert not fake.lent


@pytest.mark.parametrize(
    ("lan", "ports", "places"),
    [
        ({"flags": 3, "server": "127.0.0.1:1"}, (1,), ("127.0.0.1:1",)),
        ({"flags": 1, "server": "127.0.0.1:1", "pac": "http://127.0.0.1:2/"}, (), ()),
        ({"flags": 9}, (), ()),
        ({"flags": 5, "pac": "http://localhost:8/x.pac"}, (8,), ("http://localhost:8/x.pac",)),
        ({"flags": 5, "pac": "file://C:/x.pac"}, (), ("file://C:/x.pac",)),
        ({"flags": 7, "server": "p.example", "pac": None}, (), ("p.example:80",)),
        ({"flags": 3, "server": "http=a:1;https=http://127.0.0.1:2 socks=[::1]"}, (2, 1080),
         ("a:1", "127.0.0.1:2", "::1:1080")),
        ({"flags": 3, "server": ";; :"}, (), ()),
    ],
)  # fmt: skip
def test_where_it_leads(lan: dict[str, Any], ports: tuple[int, ...], places: tuple[str, ...]) -> None:
    backend = WindowsProxy(FakeWindows({None: {**UNSET, **lan}}))
    now = backend.snapshot()
    assert (backend.loopback_ports(now), backend.leads_to(now)) == (ports, places)
    off = backend.cleared(now)
    assert backend.loopback_ports(off) == ()
    assert {**off[""], "flags": 0} == {**now[""], "flags": 0}


def test_cleared_leaves_what_leads_elsewhere() -> None:
    local = {**UNSET, "flags": 15, "server": "localhost:8118", "pac": "http://pac.corp/"}
    backend = WindowsProxy(FakeWindows({None: dict(CORPORATE), VPN: local}))
    now = backend.snapshot()
    off = {"": CORPORATE, VPN: {**local, "flags": 13}}
    assert backend.cleared(now) == off
    assert backend.cleared(off) == {"": {**CORPORATE, "flags": 1}, VPN: {**local, "flags": 9}}


@pytest.mark.parametrize("chosen", [[PAC], [GLOBAL], [GLOBAL, PAC, GLOBAL]])
def test_a_death_at_every_call(tmp_path: Path, chosen: list[ProxySetting]) -> None:
    assert deaths(tmp_path, windows, WindowsProxy, chosen, state) > 20


def test_what_another_program_sets_stays(tmp_path: Path) -> None:
    fake = windows()
    set_proxy(tmp_path, WindowsProxy(fake), GLOBAL)
    fake.system[VPN]["bypass"] = "*.theirs"
    fake.system["new"] = {**UNSET, "flags": 3, "server": "theirs:1"}
    (restored,) = put_back(tmp_path, WindowsProxy(fake))
    assert restored.others
    assert fake.system == {None: CORPORATE, VPN: {**UNSET, "bypass": "*.theirs"}, "new": fake.system["new"]}
    set_proxy(tmp_path, WindowsProxy(fake), GLOBAL)
    fake.system[VPN] |= {"flags": 5, "pac": "http://theirs/"}
    put_back(tmp_path, WindowsProxy(fake))
    assert fake.system[VPN] == {**UNSET, "bypass": "*.theirs", "flags": 5, "pac": "http://theirs/"}
    fake.system[VPN] = {**UNSET, "server": "stale:1"}
    set_proxy(tmp_path, WindowsProxy(fake), GLOBAL)
    fake.system[None]["server"] = "theirs:2"  # and its switch stays on as ours was, but only there
    put_back(tmp_path, WindowsProxy(fake))
    assert fake.system[None] == {**CORPORATE, "flags": 3, "server": "theirs:2"}
    assert fake.system[VPN] == {**UNSET, "server": "stale:1"}


def test_a_connection_that_is_gone(tmp_path: Path) -> None:
    fake = windows()
    set_proxy(tmp_path, WindowsProxy(fake), PAC)
    del fake.system[VPN]
    put_back(tmp_path, WindowsProxy(fake))
    assert fake.system == {None: CORPORATE}
    backend = WindowsProxy(fake)
    backend.restore({"": UNSET, VPN: UNSET})
    assert fake.system == {None: UNSET}


def test_a_connection_that_goes_while_it_is_set() -> None:
    fake = windows(refuse={("set", VPN): 2}, gone_when_refused=True)
    assert WindowsProxy(fake).apply(PAC) == {"": {**CORPORATE, "flags": 5, "pac": PAC.url}}


TEXT = st.none() | st.text(st.characters(exclude_characters="\0"), max_size=20)
STATE = st.fixed_dictionaries({"flags": st.integers(1, 15), "server": TEXT, "bypass": TEXT, "pac": TEXT})
NAMES = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=8)


@settings(max_examples=100, deadline=None)
@given(STATE, st.dictionaries(NAMES, STATE, max_size=3), st.sampled_from([PAC, GLOBAL]))
def test_a_snapshot_brings_back_any_state(
    lan: dict[str, Any], dialled: dict[str | None, dict[str, Any]], setting: ProxySetting
) -> None:
    fake = FakeWindows({None: lan, **dialled})
    before, backend = state(fake), WindowsProxy(fake)
    snapshot = backend.snapshot()
    planned: Snapshot = backend.planned(setting, snapshot)
    assert backend.apply(setting) == planned == backend.snapshot()
    backend.loopback_ports(snapshot)
    backend.leads_to(snapshot)
    backend.restore(snapshot)
    assert state(fake) == before
    assert backend.snapshot() == snapshot
    assert backend.loopback_ports(backend.cleared(snapshot)) == ()


def test_it_is_chosen_on_windows_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_calls, "Windows", FakeWindows)
    if sys.platform != "win32":
        with pytest.raises(ProxyError, match="no way is known"):
            backend_named("windows")
    monkeypatch.setattr(sys, "platform", "win32")
    assert isinstance(choose_backend({"XDG_CURRENT_DESKTOP": "GNOME"}), WindowsProxy)
    assert isinstance(backend_named("windows"), WindowsProxy)


@pytest.mark.skipif(sys.platform == "win32", reason="there it is Windows")
def test_elsewhere_it_says_so() -> None:
    with pytest.raises(ProxyError, match="not Windows"):
        WindowsProxy()

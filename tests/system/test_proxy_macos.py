"""macOS' proxy, against a recorded stand-in for networksetup and osascript: it was never run on a Mac."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.app.system_proxy import BYPASS
from ssgui.system.proxy.backend import ProxyError, ProxyKind, ProxySetting, Snapshot
from ssgui.system.proxy.choose import backend_named, choose_backend
from ssgui.system.proxy.macos import MacProxy
from ssgui.system.proxy.networksetup import NetworkSetup
from ssgui.system.proxy.programs import ProgramFailed, run
from tests.support.fake_mac import ASK, TOOL, FakeMac, place, service
from tests.support.journal_drill import deaths, put_back, set_proxy

PAC = ProxySetting(ProxyKind.PAC, url="http://127.0.0.1:1080/proxy.pac?k=a&h=b")
GLOBAL = ProxySetting(ProxyKind.MANUAL, host="127.0.0.1", port=1081, bypass=BYPASS)
OURS = place("127.0.0.1", 1081, on=True)
CORPORATE = service(
    url="http://pac.corp/x", pac=True, web=place("proxy.corp", 3128, on=True, authenticated=True),
    secureweb=place("old.corp", 80), bypass=[],
)  # fmt: skip
LAN = "USB 10/100/1000 LAN"


def mac(**states: Any) -> FakeMac:
    """Corporate by cable, as new by Wi-Fi, and a bridge that is not used."""
    system = {LAN: CORPORATE, "Wi-Fi": service(), "Thunderbolt Bridge": service(active=False)}
    return FakeMac(FakeMac(system).state(), **states)


@pytest.fixture(autouse=True)
def nobody_declined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NetworkSetup, "declined", None)


def changes(fake: FakeMac) -> list[list[str]]:
    return [call for call in fake.calls if not call[0].startswith(("-get", "-list"))]


def test_every_call_of_a_look() -> None:
    fake = mac()
    assert MacProxy(fake).snapshot() == fake.system
    asked = ["autoproxyurl", "webproxy", "securewebproxy", "socksfirewallproxy", "proxybypassdomains"]
    wanted = [["-listallnetworkservices"], *([f"-get{one}", name] for name in fake.system for one in asked)]
    assert fake.calls == wanted


def test_every_call_of_a_change_and_its_restore() -> None:
    fake = mac()
    before, backend = fake.state(), MacProxy(fake)
    planned = backend.planned(PAC, backend.snapshot())
    assert not changes(fake)
    assert backend.apply(PAC) == planned == fake.system
    assert changes(fake) == [
        ["-setautoproxyurl", LAN, PAC.url], ["-setautoproxystate", LAN, "on"], ["-setwebproxystate", LAN, "off"],
        ["-setautoproxyurl", "Wi-Fi", PAC.url], ["-setautoproxystate", "Wi-Fi", "on"],
    ]  # fmt: skip
    fake.calls.clear()
    backend.restore(before)
    assert fake.system == before
    empty = f"{TOOL} -setautoproxyurl Wi-Fi ''; {TOOL} -setautoproxystate Wi-Fi off"
    assert changes(fake) == [
        ["-setautoproxyurl", LAN, "http://pac.corp/x"], ["-setautoproxystate", LAN, "on"],
        ["-setwebproxystate", LAN, "on"], ["-setautoproxystate", "Wi-Fi", "off"], ["/bin/sh", "-c", empty],
    ]  # fmt: skip
    fake.calls.clear()
    backend.restore(before)
    assert not changes(fake)


def test_every_call_of_global() -> None:
    fake = FakeMac()
    before, backend = fake.state(), MacProxy(fake)
    assert backend.apply(GLOBAL) == backend.planned(GLOBAL, before) == fake.system
    kinds = ["webproxy", "securewebproxy", "socksfirewallproxy"]
    on = [[[f"-set{one}", "Wi-Fi", "127.0.0.1", "1081"], [f"-set{one}state", "Wi-Fi", "on"]] for one in kinds]
    past = ["-setproxybypassdomains", "Wi-Fi", *BYPASS[:-1], "*.local"]
    assert changes(fake) == [past, *(call for calls in on for call in calls)]
    fake.calls.clear()
    backend.restore(before)
    assert fake.system == before
    off = [[f"-set{one}state", "Wi-Fi", "off"] for one in kinds]
    back = ["-setproxybypassdomains", "Wi-Fi", "*.local", "169.254/16"]
    empty = [f"{TOOL} -set{one} Wi-Fi '' 0; {TOOL} -set{one}state Wi-Fi off" for one in kinds]
    assert changes(fake) == [*off, back, *(["/bin/sh", "-c", one] for one in empty)]


def test_a_proxy_with_a_password_is_not_overwritten(tmp_path: Path) -> None:
    fake = mac()
    before = fake.state()
    after = set_proxy(tmp_path, MacProxy(fake), GLOBAL)
    assert after[LAN]["web"] == {**CORPORATE["web"], "on": False}
    assert after[LAN]["secureweb"] == after[LAN]["socks"] == OURS
    assert after[LAN]["pac"] == {"on": False, "url": "http://pac.corp/x"}
    assert after["Thunderbolt Bridge"] == service(active=False)
    put_back(tmp_path, MacProxy(fake))
    assert fake.system == before
    locked = place("proxy.corp", 3128, on=True, authenticated=True)
    fake.system[LAN] |= {kind: dict(locked) for kind in ("web", "secureweb", "socks")}
    before = fake.state()
    with pytest.raises(ProxyError, match="all proxies of 'USB 10/100/1000 LAN' ask for a password"):
        set_proxy(tmp_path, MacProxy(fake), GLOBAL)
    set_proxy(tmp_path, MacProxy(fake), PAC)
    put_back(tmp_path, MacProxy(fake))
    assert fake.system == before


@pytest.mark.parametrize("quiet", [False, True])
def test_one_question_for_the_password(tmp_path: Path, quiet: bool) -> None:
    fake = mac(locked=True, quiet=quiet)
    before = fake.state()
    set_proxy(tmp_path, MacProxy(fake), GLOBAL)
    assert (fake.prompts, fake.system["Wi-Fi"]["socks"]) == (1, OURS)
    assert changes(fake)[0] == ["-setproxybypassdomains", LAN, *BYPASS[:-1], "*.local"]
    assert changes(fake)[1] == [*ASK, fake.asked[0]]
    assert fake.asked[0].startswith(f"{TOOL} -setproxybypassdomains '{LAN}' localhost 127.0.0.0/8 ::1 ")
    assert fake.asked[0].count(" && ") == 13
    assert ";" not in fake.asked[0]
    put_back(tmp_path, MacProxy(fake))
    assert (fake.prompts, fake.system) == (2, before)
    assert fake.asked[1].endswith("; :")


def test_who_says_no_is_not_asked_again_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("ssgui.system.proxy.networksetup.time.monotonic", lambda: now[0])
    fake = mac(locked=True, password=False)
    before = fake.state()
    with pytest.raises(ProxyError, match="did not get one"):
        set_proxy(tmp_path, MacProxy(fake), PAC)
    with pytest.raises(ProxyError, match="was refused a moment ago"):
        set_proxy(tmp_path, MacProxy(fake), PAC)
    assert fake.prompts == 1
    assert fake.system == before
    assert put_back(tmp_path, MacProxy(fake)) == ()
    now[0], fake.password = 1041.0, True
    set_proxy(tmp_path, MacProxy(fake), PAC)
    assert fake.prompts == 2
    fake.password = False
    with pytest.raises(ProxyError, match="did not get one"):
        put_back(tmp_path, MacProxy(fake))
    fake.locked = False
    put_back(tmp_path, MacProxy(fake))  # it is still written down
    assert fake.system == before


NASTY = ["&&", "; touch x", '\'; "$HOME" `id` \\ ', "日本 Wi-Fi 🔒", "-x", " blank ", 'a\\"b', "$(id)"]


@pytest.mark.parametrize("name", NASTY)
def test_odd_names(tmp_path: Path, name: str) -> None:
    fake = FakeMac({name: service()})
    before = fake.state()
    set_proxy(tmp_path, MacProxy(fake), GLOBAL)
    assert fake.system[name]["web"] == OURS
    put_back(tmp_path, MacProxy(fake))
    assert fake.system == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_a_real_shell_reads_the_commands_as_they_are_meant(tmp_path: Path) -> None:
    stub, out = tmp_path / "networksetup", tmp_path / "out"
    stub.write_text(
        f'#!/bin/sh\nprintf "%s\\0" "$@" >> {shlex.quote(str(out))}\nprintf "\\n" >> {shlex.quote(str(out))}\n'
    )
    stub.chmod(0o755)
    fake = FakeMac({name: service() for name in NASTY}, locked=True)
    MacProxy(fake).apply(PAC)
    (script,) = fake.asked
    script = script.replace(TOOL, shlex.quote(str(stub)))
    subprocess.run(["/bin/sh", "-c", script], check=True, timeout=30, cwd=tmp_path, env={"HOME": "x"})
    lines = [line.split("\0")[:-1] for line in out.read_text().splitlines()]
    verbs = [["-setautoproxyurl", PAC.url], ["-setautoproxystate", "on"]]
    assert lines == [[verb, name, value] for name in NASTY for verb, value in verbs]
    assert not (tmp_path / "x").exists()


def two(**states: Any) -> FakeMac:
    """A Mac with less to look at."""
    return FakeMac(FakeMac({LAN: CORPORATE, "Wi-Fi": service(web=place("old", 1))}).state(), **states)


@pytest.mark.parametrize("chosen", [[GLOBAL], [GLOBAL, PAC]])
def test_a_death_at_every_call(tmp_path: Path, chosen: list[ProxySetting]) -> None:
    assert deaths(tmp_path, two, MacProxy, chosen, FakeMac.state) > 60


def test_a_death_while_an_administrator_is_asked(tmp_path: Path) -> None:
    assert deaths(tmp_path, lambda: two(locked=True), MacProxy, [PAC], FakeMac.state) > 40


def test_what_another_program_sets_stays(tmp_path: Path) -> None:
    fake = mac()
    before = fake.state()
    set_proxy(tmp_path, MacProxy(fake), GLOBAL)
    fake.system["Wi-Fi"]["bypass"] = ["*.theirs"]
    fake.system["new"] = service(web=place("theirs", 1, on=True))
    (restored,) = put_back(tmp_path, MacProxy(fake))
    assert restored.others
    assert fake.system == {**before, "Wi-Fi": service(bypass=["*.theirs"]), "new": fake.system["new"]}
    set_proxy(tmp_path, MacProxy(fake), GLOBAL)
    fake.system["Wi-Fi"]["web"] |= {"server": "theirs", "port": 2}  # in place of ours, and its switch stays on
    put_back(tmp_path, MacProxy(fake))
    assert fake.system["Wi-Fi"] == service(bypass=["*.theirs"], web=place("theirs", 2, on=True))
    assert fake.system[LAN] == before[LAN]


def test_services_that_go_or_are_switched_off_meanwhile(tmp_path: Path) -> None:
    fake = mac()
    before = fake.state()
    set_proxy(tmp_path, MacProxy(fake), GLOBAL)
    del fake.system[LAN]
    fake.system["Wi-Fi"]["active"] = False
    put_back(tmp_path, MacProxy(fake))
    assert fake.system == {"Wi-Fi": service(active=False), "Thunderbolt Bridge": service(active=False)}
    with pytest.raises(ProxyError, match="no active network service"):
        MacProxy(fake).apply(PAC)
    MacProxy(fake).restore(before)
    assert fake.system["Wi-Fi"] == service(active=False)


class Going(FakeMac):
    """Wi-Fi goes as soon as it is to be changed."""

    def _set(self, what: str, there: dict[str, Any], values: list[str]) -> tuple[str, int]:
        if there is self.system.get("Wi-Fi"):
            del self.system["Wi-Fi"]
            return "Wi-Fi is not a recognized network service.\n** Error: The parameters were not valid.\n", 4
        return super()._set(what, there, values)


def test_a_service_that_goes_while_it_is_restored() -> None:
    fake = Going({"Wi-Fi": service(), LAN: service()})
    before = {name: service(url="http://x/", pac=True) for name in fake.system}
    MacProxy(fake).restore(before)
    assert fake.system == {LAN: before[LAN]}


def test_a_service_without_proxies_is_left_out() -> None:
    fake = mac(strange={"Thunderbolt Bridge"})
    assert list(MacProxy(fake).snapshot()) == [LAN, "Wi-Fi"]
    fake.strange = set(fake.system)
    with pytest.raises(ProxyError, match="is not a recognized network service"):
        MacProxy(fake).snapshot()


def test_what_cannot_be_emptied_is_off(tmp_path: Path) -> None:
    fake = mac(no_empty=True)
    set_proxy(tmp_path, MacProxy(fake), GLOBAL)
    put_back(tmp_path, MacProxy(fake))
    left = place("127.0.0.1", 1081)
    assert fake.system["Wi-Fi"] == service(web=left, secureweb=left, socks=left)
    assert put_back(tmp_path, MacProxy(fake)) == ()


@pytest.mark.parametrize(
    ("setting", "verb", "key"),
    [(PAC, "autoproxyurl", "pac"), (GLOBAL, "proxybypassdomains", "bypass"), (GLOBAL, "securewebproxy", "secureweb")],
)
def test_what_is_not_kept_is_noticed(tmp_path: Path, setting: ProxySetting, verb: str, key: str) -> None:
    fake = mac(stubborn={f"-set{verb}"})
    before = fake.state()
    with pytest.raises(ProxyError, match=f"macOS did not keep what was set: {key} of 'USB 10/100/1000 LAN'"):
        set_proxy(tmp_path, MacProxy(fake), setting)
    assert fake.system == before


@pytest.mark.parametrize("locked", [False, True])
def test_what_is_refused_is_said_and_tried_again(tmp_path: Path, locked: bool) -> None:
    fake = mac(failing={"-setsocksfirewallproxy"}, locked=locked)
    before = fake.state()
    with pytest.raises(ProxyError, match=r"failed: .*\*\* Error: The parameters were not valid"):
        set_proxy(tmp_path, MacProxy(fake), GLOBAL)
    assert fake.system == before
    fake.failing.clear()
    set_proxy(tmp_path, MacProxy(fake), GLOBAL)
    fake.failing = {"-setsocksfirewallproxystate"}
    with pytest.raises(ProxyError, match="did not keep what was set: socks" if locked else "parameters were not valid"):
        put_back(tmp_path, MacProxy(fake))
    assert fake.system["Wi-Fi"]["web"] == before["Wi-Fi"]["web"]  # the rest is back
    fake.failing.clear()
    put_back(tmp_path, MacProxy(fake))
    assert fake.system == before


def test_failures_are_said_without_secrets() -> None:
    with pytest.raises(ProxyError, match="cannot be run"):
        MacProxy(FakeMac(broken="networksetup cannot be run: No such file")).snapshot()
    with pytest.raises(ProxyError, match=r"words that are not known: no Enabled"):
        MacProxy(lambda command, seconds, *, named: "first\nWi-Fi\n").snapshot()
    say = [sys.executable, "-c", "import sys; print('** Error: no'); sys.exit(5)", "service", "secret"]
    with pytest.raises(ProgramFailed) as told:
        run(say, 20.0, named=0)
    assert str(told.value) == f"{Path(sys.executable).name} failed: ** Error: no"


@pytest.mark.parametrize(
    ("one", "ports", "places"),
    [
        (service(), (), ()),
        (service(web=place("127.0.0.1", 1, on=True), socks=place("127.0.0.1", 1, on=True)), (1,), ("127.0.0.1:1",)),
        (service(web=place("127.0.0.1", 1), url="http://[::1]:2/"), (), ()),
        (service(url="http://[::1]:2/x.pac", pac=True), (2,), ("http://[::1]:2/x.pac",)),
        (service(secureweb=place("p.example", 8, on=True), socks=place("localhost", 9, on=True)), (9,),
         ("p.example:8", "localhost:9")),
        (service(web=place(on=True), pac=True), (), ()),
        (service(active=False, web=place("127.0.0.1", 1, on=True)), (), ()),
    ],
)  # fmt: skip
def test_where_it_leads(one: dict[str, Any], ports: tuple[int, ...], places: tuple[str, ...]) -> None:
    backend = MacProxy(FakeMac({"x": one}))
    now = backend.snapshot()
    assert (backend.loopback_ports(now), backend.leads_to(now)) == (ports, places)
    off = backend.cleared(now)
    assert backend.loopback_ports(off) == ()
    assert off["x"]["secureweb"]["on"] == (places == ("p.example:8", "localhost:9"))
    assert backend.leads_to(backend.cleared(off)) == ()


TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=12)
HOST = st.from_regex(r"[a-z0-9.:-]{0,12}", fullmatch=True)
PLACE = st.builds(place, HOST, st.integers(0, 65535), on=st.booleans(), authenticated=st.booleans())
URL = st.from_regex(r"(http://[a-z0-9.:/?&=]{1,12})?", fullmatch=True)
BYPASSED = st.lists(st.from_regex(r"[a-z0-9.*/]{1,9}", fullmatch=True), max_size=3)
STATE = st.builds(
    service, active=st.booleans(), url=URL, pac=st.booleans(), web=PLACE, secureweb=PLACE, socks=PLACE, bypass=BYPASSED
)
NAMES = TEXT.filter(lambda name: name and not name.startswith("*"))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(NAMES, STATE, min_size=1, max_size=3), st.sampled_from([PAC, GLOBAL]), st.booleans())
def test_a_snapshot_brings_back_any_state(
    system: dict[str, dict[str, Any]], setting: ProxySetting, locked: bool
) -> None:
    fake = FakeMac(system, locked=locked)
    before, backend = fake.state(), MacProxy(fake)
    snapshot = backend.snapshot()
    planned: Snapshot = backend.planned(setting, snapshot)
    try:
        assert backend.apply(setting) == planned == fake.system
    except ProxyError as error:
        assert "password" in str(error) or "no active" in str(error)  # noqa: PT017
        assert fake.system == before
    backend.leads_to(snapshot)
    backend.restore(snapshot)
    assert fake.system == before == snapshot
    assert backend.loopback_ports(backend.cleared(snapshot)) == ()
    assert fake.prompts <= 2


def test_it_is_chosen_on_macos_only(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "darwin":
        with pytest.raises(ProxyError, match="no way is known"):
            backend_named("macos")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert isinstance(choose_backend({"XDG_CURRENT_DESKTOP": "GNOME"}), MacProxy)
    assert isinstance(backend_named("macos"), MacProxy)

"""Start at login, ss:// links and store apps on Windows, against stand-ins: they were never run there."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.cli import main
from ssgui.system.integration.elevation import run_elevated
from ssgui.system.integration.registry import Registry
from ssgui.system.integration.setting import IntegrationError
from ssgui.system.integration.sids import sid_of, sid_text
from ssgui.system.integration.windows import APPROVED, NAME, RUN, SCHEME, WindowsLinks, WindowsLogin, quoted
from ssgui.system.integration.windows_store_apps import NOTE, NOTE_KEY, StoreApps
from ssgui.system.integration.windows_store_apps import main as store_apps_main
from tests.support.fake_isolation import FakeIsolation, FakeShell, package
from tests.support.fake_registry import FakeRegistry

PROGRAM = r"C:\Users\Ann Lee\AppData\Local\Programs\ssgui\ssgui.exe"
COMMAND = rf"{SCHEME}\shell\open\command"
DISABLED = b"\x03\0\0\0" + bytes(8)
ONE, TWO, THREE = package(1, 2, 3), package(4, 5, 6), package(7, 8, 9)


@pytest.fixture
def fake() -> FakeRegistry:
    return FakeRegistry()


# ---- start at login


def test_login_is_a_quoted_line_in_the_run_key(fake: FakeRegistry) -> None:
    login = WindowsLogin([PROGRAM, "--data-dir", r"D:\my data"], Registry(fake))
    assert not login.is_on()
    login.turn(True)
    assert fake.get(RUN, NAME) == rf'"{PROGRAM}" --data-dir "D:\my data"'
    assert login.is_on()
    login.turn(False)
    assert fake.get(RUN, NAME) is None
    assert not login.is_on()
    login.turn(False)
    fake.require_closed()


def test_what_the_person_turned_off_in_the_task_manager_is_off(fake: FakeRegistry) -> None:
    login = WindowsLogin([PROGRAM], Registry(fake))
    login.turn(True)
    fake.put(APPROVED, NAME, DISABLED)
    assert not login.is_on()
    fake.put(APPROVED, NAME, b"\x02" + bytes(11))
    assert login.is_on()
    fake.put(APPROVED, NAME, DISABLED)
    login.turn(True)  # the person wants it again, here
    assert login.is_on()
    assert fake.get(APPROVED, NAME) is None
    fake.put(APPROVED, NAME, DISABLED)
    login.forget()
    assert (fake.get(RUN, NAME), fake.get(APPROVED, NAME)) == (None, None)


def test_another_program_of_our_name_is_not_us(fake: FakeRegistry) -> None:
    fake.put(RUN, NAME, r'"C:\elsewhere\ssgui.exe"')
    assert not WindowsLogin([PROGRAM], Registry(fake)).is_on()


def test_a_registry_that_keeps_nothing_is_said(fake: FakeRegistry) -> None:
    fake.stubborn.add(RUN.lower())
    with pytest.raises(IntegrationError, match="does not keep ssgui among the programs"):
        WindowsLogin([PROGRAM], Registry(fake)).turn(True)
    fake.denied.add(RUN.lower())
    with pytest.raises(IntegrationError, match=r"denies access to the registry's .*Run: Access is denied"):
        WindowsLogin([PROGRAM], Registry(fake)).turn(True)
    with pytest.raises(IntegrationError, match="denies access"):
        WindowsLogin([PROGRAM], Registry(fake)).is_on()
    with pytest.raises(IntegrationError, match="denies access"):
        WindowsLogin([PROGRAM], Registry(fake)).turn(False)


# ---- ss:// links


def test_links_are_a_class_of_the_person(fake: FakeRegistry) -> None:
    links = WindowsLinks([PROGRAM], Registry(fake))
    assert not links.is_on()
    links.turn(True)
    assert links.is_on()
    assert fake.get(SCHEME, "URL Protocol") == ""
    assert fake.get(SCHEME, "") == "URL:Shadowsocks link"
    assert fake.get(rf"{SCHEME}\DefaultIcon", "") == f'"{PROGRAM}",0'
    assert fake.get(COMMAND, "") == f'"{PROGRAM}" -- "%1"'
    links.turn(False)
    assert not [key for key in fake.keys if key.startswith(SCHEME.lower())]
    fake.require_closed()


def test_the_class_of_another_program_stays(fake: FakeRegistry) -> None:
    fake.put(SCHEME, "URL Protocol", "")
    fake.put(COMMAND, "", r"C:\Shadowsocks\Shadowsocks.exe --open-url %1")
    links = WindowsLinks([PROGRAM], Registry(fake))
    assert not links.is_on()
    before = dict(fake.keys)
    links.forget()
    links.turn(False)
    assert fake.keys == before
    links.turn(True)  # a person wants ours
    assert links.is_on()


@pytest.mark.parametrize(
    "link",
    [
        'ss://x" --events C:\\file "', 'ss://x" -s evil -p 1 -m rc4-md5 --plugin calc "', 'ss://x" demo "',
        'ss://x" --headless server "', 'ss://x" uninstall --purge "',
    ],
)  # fmt: skip
def test_a_link_with_quotes_in_it_is_no_flag(link: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What Windows makes of the line in the registry when a link breaks out of its quotes."""
    line = f'"{PROGRAM}" -- "%1"'.replace("%1", link)
    arguments = _taken_apart(line)[1:]
    assert arguments[:2] == ["--", "ss://x"]
    assert main(arguments) == 2
    assert "no command, and no ss:// link" in (said := capsys.readouterr().err) or "No such command" in said


def _taken_apart(line: str) -> list[str]:
    """As CommandLineToArgvW does, for lines without backslashes before quotes."""
    words, word, inside, some = [], "", False, False
    for letter in line:
        if letter == '"':
            inside, some = not inside, True
        elif letter == " " and not inside:
            if word or some:
                words.append(word)
            word, some = "", False
        else:
            word += letter
    return [*words, word] if word or some else words


def test_quoting_is_undone_by_windows() -> None:
    assert _taken_apart(quoted([PROGRAM, "--data-dir", "a b", "c"])) == [PROGRAM, "--data-dir", "a b", "c"]
    assert quoted(["x.exe"]) == '"x.exe"'
    assert subprocess.list2cmdline(["a b"]) in quoted(["x.exe", "a b"])


# ---- store apps


def store_apps(fake: FakeRegistry, api: FakeIsolation, shell: FakeShell) -> StoreApps:
    return StoreApps([PROGRAM], Registry(fake), api, lambda command: run_elevated(command, shell))


def elevated(api: FakeIsolation) -> FakeShell:
    """Our program as an administrator starts it."""

    def run(program: str, line: str) -> int:
        assert program == PROGRAM
        flag, *arguments = line.split()
        assert flag == "--store-apps"
        api.admin = True
        try:
            return store_apps_main(arguments, api)
        finally:
            api.admin = False

    return FakeShell(run)


def test_store_apps_are_let_in_by_an_administrator_and_others_stay(fake: FakeRegistry) -> None:
    other = package(99)
    api = FakeIsolation(apps=[ONE, TWO, THREE], exempt=[other, TWO])
    shell = elevated(api)
    setting = store_apps(fake, api, shell)
    assert not setting.is_on()
    setting.turn(True)
    assert setting.is_on()
    assert shell.asked[0][0] == "runas"
    assert set(api.exempt) == {other, ONE, TWO, THREE}
    assert fake.get(NOTE_KEY, NOTE) == sorted(map(sid_text, (ONE, THREE)))  # TWO was somebody's already
    setting.turn(False)
    assert set(api.exempt) == {other, TWO}
    assert not [key for key in fake.keys if key.startswith(NOTE_KEY.lower())]
    assert len(shell.asked) == 2
    setting.forget()  # nothing is left to do, so nobody is asked
    assert len(shell.asked) == 2
    assert not api.lent
    fake.require_closed()
    assert not shell.open


def test_an_administrator_is_not_asked_for_when_we_are_one(fake: FakeRegistry) -> None:
    api = FakeIsolation(apps=[ONE], admin=True)
    shell = FakeShell()
    store_apps(fake, api, shell).turn(True)
    assert api.exempt == [ONE]
    assert not shell.asked


def test_a_new_app_turns_it_off_until_it_is_turned_on_again(fake: FakeRegistry) -> None:
    api = FakeIsolation(apps=[ONE], admin=True)
    setting = store_apps(fake, api, FakeShell())
    setting.turn(True)
    api.apps.append(TWO)
    assert not setting.is_on()
    setting.turn(True)
    assert fake.get(NOTE_KEY, NOTE) == sorted(map(sid_text, (ONE, TWO)))
    setting.forget()
    assert api.exempt == []


def test_what_goes_wrong_with_store_apps_is_said(fake: FakeRegistry) -> None:
    api = FakeIsolation(apps=[ONE])
    with pytest.raises(IntegrationError, match="administrator's rights, and they were not given"):
        store_apps(fake, api, FakeShell(refused=True)).turn(True)
    with pytest.raises(IntegrationError, match="did not ask for them: error 2"):
        store_apps(fake, api, FakeShell(error=2)).turn(True)
    with pytest.raises(IntegrationError, match="does not come to an end"):
        store_apps(fake, api, FakeShell(hangs=True)).turn(True)
    with pytest.raises(IntegrationError, match="change which apps may connect to this computer: error 87"):
        store_apps(fake, api, FakeShell(lambda *_: 87)).turn(True)
    with pytest.raises(IntegrationError, match="does not let all apps"):
        store_apps(fake, api, FakeShell(lambda *_: 0)).turn(True)
    with pytest.raises(IntegrationError, match="no apps from the store"):
        store_apps(fake, FakeIsolation(), FakeShell()).turn(True)
    with pytest.raises(IntegrationError, match="list the apps from the store: error 1168"):
        store_apps(fake, FakeIsolation(error=1168), FakeShell()).is_on()


def test_a_note_that_was_tampered_with_removes_nothing_else(fake: FakeRegistry) -> None:
    api = FakeIsolation(apps=[ONE], exempt=[ONE, package(99)], admin=True)
    fake.put(NOTE_KEY, NOTE, ["S-1-5-32-544", "nonsense", sid_text(TWO)])
    store_apps(fake, api, FakeShell()).forget()
    assert not api.sets
    fake.put(NOTE_KEY, NOTE, "no list")
    store_apps(fake, api, FakeShell()).forget()
    assert not api.sets


def test_what_is_started_elevated_takes_app_containers_only() -> None:
    for arguments in (["add", "S-1-5-32-544"], ["add", "S-1-15-3-1"], ["destroy", sid_text(ONE)], ["add", "S-1-15-2"]):
        with pytest.raises(ValueError, match=r"no identifier of an app|neither add nor remove"):
            store_apps_main(arguments, FakeIsolation(admin=True))


@given(st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=14))
def test_identifiers_survive_being_text(numbers: list[int]) -> None:
    sid = package(*numbers)
    assert sid_of(sid_text(sid)) == sid


@given(st.text())
def test_any_text_is_an_identifier_or_refused(text: str) -> None:
    try:
        assert sid_text(sid_of(text)) == text or text.startswith("S-1-15-2-0")
    except ValueError:
        pass
    with pytest.raises(ValueError, match="no identifier"):
        sid_of("S-1-15-2-4294967296")


@pytest.mark.skipif(sys.platform == "win32", reason="this is Windows")
def test_elsewhere_there_is_none_of_it() -> None:
    for make in (Registry, lambda: StoreApps([PROGRAM], Registry(FakeRegistry()))):
        with pytest.raises(IntegrationError, match="this is not Windows"):
            make()
    with pytest.raises(IntegrationError, match="this is not Windows"):
        run_elevated([PROGRAM])

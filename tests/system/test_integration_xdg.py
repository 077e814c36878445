"""Start at login and ss:// links on Linux: files of freedesktop.org's specifications, checked with its own tools."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.system.integration.choose import system_settings
from ssgui.system.integration.desktop_entry import exec_line, program_of, read_entry, write_entry
from ssgui.system.integration.setting import Feature, IntegrationError
from ssgui.system.integration.xdg import ENTRY, Places
from ssgui.system.integration.xdg_autostart import XdgAutostart
from ssgui.system.integration.xdg_links import SCHEME, XdgLinks, read_list, with_entry
from tests.support.programs import require

OTHER = "other.desktop"
GROUPS = ("Default Applications", "Added Associations", "Removed Associations")
FOREIGN = """[Default Applications]
text/html=firefox.desktop
# a comment that stays
x-scheme-handler/https=firefox.desktop;

[Added Associations]
image/png=gimp.desktop;
[Something Else]
x-scheme-handler/ss=not-ours.desktop
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places.of({
        "XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CONFIG_DIRS": str(tmp_path / "etc"), "XDG_DATA_DIRS": str(tmp_path / "usr"),
        "XDG_CURRENT_DESKTOP": "GNOME",
    })  # fmt: skip


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / 'a program\'s 100% "place"' / "ssgui"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def install(places: Places, name: str = ENTRY, *, offers: bool = True, program: str = "/bin/sh") -> None:
    """As a package does it: an entry for the system, and the cache that its trigger writes."""
    folder = places.all_data[-1] / "applications"
    folder.mkdir(parents=True, exist_ok=True)
    values = {"Type": "Application", "Name": name, "Exec": f"{program} %u"}
    (folder / name).write_bytes(write_entry(values | ({"MimeType": f"{SCHEME};"} if offers else {})))
    entries = [path.name for path in sorted(folder.glob("*.desktop")) if b"MimeType" in path.read_bytes()]
    (folder / "mimeinfo.cache").write_text(f"[MIME Cache]\n{SCHEME}={';'.join(entries)};\n")


# ---- start at login


def test_login_is_an_entry_in_the_autostart_folder(places: Places, program: Path) -> None:
    setting = XdgAutostart([str(program), "--data-dir", "/data dir"], places)
    assert not setting.is_on()
    setting.turn(True)
    assert setting.is_on()
    assert setting.path == places.config / "autostart/ssgui.desktop"
    entry = read_entry(setting.path.read_text())
    assert program_of(entry) == entry["TryExec"] == str(program)
    subprocess.run([require("desktop-file-validate"), "--no-hints", str(setting.path)], check=True)
    setting.turn(False)
    assert not setting.path.exists()
    assert not setting.is_on()
    setting.forget()


@pytest.mark.parametrize("line", ["Hidden=true", "X-GNOME-Autostart-enabled=false"])
def test_what_the_desktop_turned_off_is_off(places: Places, program: Path, line: str) -> None:
    setting = XdgAutostart([str(program)], places)
    setting.turn(True)
    text = setting.path.read_text().replace("X-GNOME-Autostart-enabled=true\n", "")
    setting.path.write_text(f"{text}{line}\n")
    assert not setting.is_on()
    setting.turn(True)
    assert setting.is_on()


def test_an_entry_whose_program_is_gone_is_off(places: Places, program: Path) -> None:
    setting = XdgAutostart([str(program)], places)
    setting.turn(True)
    program.unlink()
    assert not setting.is_on()


def test_a_folder_that_cannot_be_written_to_is_said(places: Places, program: Path) -> None:
    places.config.parent.mkdir(exist_ok=True)
    places.config.write_text("a file")
    with pytest.raises(IntegrationError, match=r"ssgui\.desktop cannot be written"):
        XdgAutostart([str(program)], places).turn(True)
    with pytest.raises(IntegrationError, match="cannot be removed"):
        XdgAutostart([str(program)], places).turn(False)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r")), min_size=1))
def test_any_command_survives_an_entry(words: list[str]) -> None:
    """Unescaped like a string, and taken apart by the rules of the Exec key."""
    line = read_entry(write_entry({"Exec": exec_line(words)}).decode()).get("Exec", "")
    assert _taken_apart(line) == words


def _taken_apart(line: str) -> list[str]:
    words, word, inside, some, at = [], "", False, False, 0
    while at < len(line):
        letter = line[at]
        if letter == "\\" and inside:
            at += 1
            word += line[at]
        elif letter == '"':
            inside, some = not inside, True
        elif letter == "%":
            at += 1
            assert line[at] == "%"
            word += "%"
        elif letter == " " and not inside:
            words.append(word)
            word, some = "", False
        else:
            word += letter
        at += 1
    return [*words, word] if word or some else words


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    values = read_entry(f"[Desktop Entry]\n{text}")
    assert isinstance(program_of(values), str)
    read_entry(text)


# ---- ss:// links


def test_links_without_a_package_get_an_entry_of_their_own(places: Places, program: Path) -> None:
    links = XdgLinks([str(program)], places)
    assert not links.is_on()
    links.turn(True)
    assert links.is_on()
    entry = read_entry(links.entry.read_text())
    assert entry["NoDisplay"] == "true"
    assert entry["MimeType"] == f"{SCHEME};"
    assert entry["Exec"].endswith(" %u")
    subprocess.run([require("desktop-file-validate"), "--no-hints", str(links.entry)], check=True)
    links.turn(False)
    assert not links.is_on()
    assert not links.entry.exists()
    assert not links.list.exists()


def test_links_of_a_package_are_turned_off_and_on_by_the_list_alone(places: Places) -> None:
    install(places)
    links = XdgLinks(["/somewhere/ssgui"], places)
    assert links.is_on()  # the package offers it, and nobody said anything else
    links.turn(False)
    assert not links.is_on()
    assert read_list(links.list.read_text())["Removed Associations"] == [ENTRY]
    links.turn(True)
    assert links.is_on()
    assert read_list(links.list.read_text())["Default Applications"] == [ENTRY]
    assert not links.entry.exists()
    links.forget()
    assert not links.list.exists()
    assert links.is_on()  # as when it was installed


def test_another_program_is_asked_to_stand_back_and_nothing_else_changes(places: Places, program: Path) -> None:
    install(places, OTHER)
    places.config.mkdir()
    links = XdgLinks([str(program)], places)
    links.list.write_text(FOREIGN.replace("text/html", f"{SCHEME}={OTHER}\ntext/html"))
    assert not links.is_on()
    links.turn(True)
    assert links.is_on()
    assert read_list(links.list.read_text())["Default Applications"] == [ENTRY, OTHER]
    links.forget()
    assert not links.is_on()
    assert read_list(links.list.read_text())["Default Applications"] == [OTHER]
    links.turn(True)
    links.turn(False)
    assert links.list.read_text() == FOREIGN.replace("text/html", f"{SCHEME}={OTHER};\ntext/html")


def test_a_list_that_comes_first_wins_and_is_said(places: Places, program: Path) -> None:
    install(places, OTHER)
    places.config.mkdir()
    (places.config / "gnome-mimeapps.list").write_text(f"[Default Applications]\n{SCHEME}={OTHER}\n")
    links = XdgLinks([str(program)], places)
    with pytest.raises(IntegrationError, match="this desktop keeps another program"):
        links.turn(True)


def test_an_entry_that_names_a_program_that_is_gone_does_not_count(places: Places, program: Path) -> None:
    links = XdgLinks([str(program)], places)
    links.turn(True)
    program.unlink()
    assert not links.is_on()
    moved = program.with_name("ssgui-2")
    shutil.copy("/bin/sh", moved)
    again = XdgLinks([str(moved)], places)
    again.turn(True)
    assert again.is_on()
    assert program_of(read_entry(again.entry.read_text())) == str(moved)


def test_an_entry_of_the_persons_own_is_not_written_over(places: Places, program: Path) -> None:
    links = XdgLinks([str(program)], places)
    links.entry.parent.mkdir(parents=True)
    own = write_entry({"Type": "Application", "Name": "mine", "Exec": "/bin/sh %u"})
    links.entry.write_bytes(own)
    links.turn(True)
    assert links.entry.read_bytes() == own
    links.forget()
    assert links.entry.read_bytes() == own


def test_a_list_that_cannot_be_read_is_kept_and_said(places: Places, program: Path) -> None:
    install(places)
    places.config.mkdir()
    links = XdgLinks([str(program)], places)
    links.list.mkdir()
    with pytest.raises(IntegrationError, match=r"mimeapps\.list cannot be changed"):
        links.turn(False)
    assert links.list.is_dir()


def test_xdg_mime_and_gio_say_the_same(places: Places, program: Path, tmp_path: Path) -> None:
    """The tools that desktops ask agree with us, with and without a package, on and off."""
    xdg_mime, gio = require("xdg-mime"), require("gio")
    env = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(places.config),
        "XDG_DATA_HOME": str(places.data), "XDG_CONFIG_DIRS": str(tmp_path / "etc"),
        "XDG_DATA_DIRS": str(tmp_path / "usr"), "LC_ALL": "C",
    }  # fmt: skip

    def said() -> tuple[bool, bool]:
        query = [xdg_mime, "query", "default", SCHEME]
        by_xdg = subprocess.run(query, env=env, capture_output=True, text=True).stdout.strip() == ENTRY
        listed = subprocess.run([gio, "mime", SCHEME], env=env, capture_output=True, text=True).stdout
        return by_xdg, f": {ENTRY}" in listed.splitlines()[0]

    program = Path(shutil.copy("/bin/sh", tmp_path / "it's ssgui"))  # GLib finds no program with a % in its path
    links = XdgLinks([str(program)], places)
    links.turn(True)
    assert said() == (True, True)
    links.turn(False)
    assert said() == (False, False)
    install(places)
    links.turn(True)
    assert said() == (True, True)
    links.turn(False)
    assert said()[1] is False  # xdg-mime does not know what was removed, gio does


_NAMES = st.sampled_from([ENTRY, OTHER, "third.desktop"])
_LINES = st.one_of(
    st.sampled_from([f"[{group}]" for group in (*GROUPS, "Else")]),
    st.lists(_NAMES).map(lambda names: f"{SCHEME}={';'.join(names)}"),
    st.text(st.characters(exclude_characters="\n", codec="utf-8")),
)


@given(st.lists(_LINES).map("\n".join), st.lists(st.sampled_from(GROUPS), unique=True))
def test_any_list_is_changed_in_its_own_lines_only(text: str, groups: list[str]) -> None:
    made = with_entry(text, groups)
    after, before = read_list(made), read_list(text)
    for group in GROUPS:
        others = list(dict.fromkeys(name for name in before[group] if name != ENTRY))
        assert after[group] == ([ENTRY, *others] if group in groups else others)
    assert with_entry(made, groups) == made
    assert _foreign(made) == _foreign(text)


def _foreign(text: str) -> list[str]:
    """The lines that are not ours to change, without groups of ours that have nothing in them."""
    found, group = [], ""
    for line in text.split("\n"):
        if line.startswith("["):
            group = line.strip().strip("[]")
            continue
        ours = group in GROUPS and (line.partition("=")[0].strip() == SCHEME or not line.strip())
        if not ours and line.strip():
            found.append(f"{group}|{line}")
    return found


def test_this_systems_settings_and_those_of_others(tmp_path: Path) -> None:
    found = system_settings(("--data-dir", "/x"), platform="linux", environment={"XDG_CONFIG_HOME": str(tmp_path)})
    assert set(found) == {Feature.LOGIN, Feature.LINKS}
    found[Feature.LOGIN].turn(True)
    assert "--data-dir /x" in (tmp_path / "autostart/ssgui.desktop").read_text()
    assert set(system_settings(platform="darwin")) == {Feature.LOGIN}
    assert system_settings(platform="win32") == {}  # a Windows without a registry

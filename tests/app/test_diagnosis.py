"""The bundle for somebody who helps: what must not be in it is looked for in every file and every spelling."""

import base64
import io
import json
import logging
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.app.bundle import Make, from_app, from_disk, secrets_of
from ssgui.app.context import AppContext
from ssgui.app.log_buffer import LogBuffer
from ssgui.cli import main
from ssgui.config.app_config import AppConfig, HistoryHosts, Server, Settings, Subscription
from ssgui.config.secret import Secret
from ssgui.config.store import Store
from ssgui.services.bundle import HIDDEN, Mask
from ssgui.services.history.rows import Naming
from tests.support import past, sample

PASSWORD, SHORT, OPTION = 'pa"ss wörd/+=?', "pw1", "s3cret-Path"
URL = "https://sub.provider.example/api/v1/token-1234567890"
TARGET = "objects.githubusercontent.com"
CONFIG = AppConfig(
    servers=(
        Server(id="1", host="tokyo.secret-host.example", port=8388, method="aes-256-gcm", password=Secret(PASSWORD),
               remarks="Anna's box", group="Family", plugin="v2ray-plugin", plugin_opts=f"tls;path={OPTION}"),
        Server(id="2", host="203.0.113.77", port=443, method="aes-128-gcm", password=Secret(SHORT), remarks="Tokyo 1"),
        Server(id="3", host="2001:db8::77", port=443, method="aes-128-gcm", sealed="v1:c2VhbGVkLXRleHQ="),
    ),
    subscriptions=(Subscription(id="s", url=Secret(URL), name="provider", error="sub.provider.example answers 404"),),
    current="1",
    settings=Settings(user="neighbour", user_password=Secret("for-the-neighbour"), share=True),
)  # fmt: skip
SECRETS = [PASSWORD, OPTION, URL, "token-1234567890", "for-the-neighbour", "neighbour", "c2VhbGVkLXRleHQ"]
HOSTS = ["tokyo.secret-host.example", "203.0.113.77", "2001:db8::77", "provider.example", "Anna", "Family"]


def files(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name.partition("/")[2]: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
async def make(tmp_path: Path) -> Make:
    """Of an app that has seen and logged all of it."""
    logs = LogBuffer()
    context = AppContext(Store(tmp_path), logs)
    context.config = CONFIG
    context.connections = sample.connections()
    context.problems.append(f"settings: {PASSWORD}")
    log = logging.Logger("ssgui")
    log.addHandler(logs)
    log.info("a link: ss://YWVzLTI1Ni1nY206cHc@203.0.113.77:443#x")
    log.warning("%s %s %s", PASSWORD, quote(PASSWORD, safe=""), base64.b64encode(PASSWORD.encode()).decode())
    log.warning("with %r and %s", PASSWORD, json.dumps({"password": PASSWORD}))
    log.error("cannot reach tokyo.secret-host.example:8388 or [2001:db8::77]:443: %s", SHORT)
    log.debug("127.0.0.1:5000 to %s:443: finished", TARGET)
    log.info("fetching %s from 198.51.100.4", URL)
    log.info("socks5://neighbour:for-the-neighbour@127.0.0.1:1080 in %s/x/config.json", Path.home())
    try:
        raise ValueError(f"key={OPTION}")
    except ValueError:
        log.exception("it failed")
    return from_app(context, {"qt": "6"})


def in_any(words: list[str], found: dict[str, str]) -> list[tuple[str, str]]:
    spelled = {
        form
        for word in words
        for form in (word, quote(word, safe=""), json.dumps(word)[1:-1], base64.b64encode(word.encode()).decode())
    }
    return [(name, word) for name, text in found.items() for word in spelled if word in text]


def test_no_secret_is_in_it(make: Make) -> None:
    for hide in (True, False):
        found = files(make(hide))
        assert not in_any([*SECRETS, "YWVzLTI1Ni1nY206cHc"], found)
        assert SHORT not in found["log.txt"]
        assert str(Path.home()) not in "".join(found.values())
        assert set(found) == {
            "README.txt", "about.json", "settings.json", "servers.json", "connections.json", "log.txt"
        }  # fmt: skip


def test_names_and_addresses_are_hidden_unless_they_are_wanted(make: Make) -> None:
    hidden, shown = files(make(True)), files(make(False))
    assert not in_any([*HOSTS, TARGET, "198.51.100.4"], hidden)
    assert TARGET not in shown["connections.json"]
    for word in HOSTS:
        assert any(word in text for text in shown.values()), word
    servers = json.loads(hidden["servers.json"])
    assert [one["name"] for one in servers] == ["Server 1", "Server 2", "Server 3"]
    assert servers[0]["plugin"] == "v2ray-plugin"
    assert servers[0]["in_use"]


def test_it_still_tells_what_helps(make: Make) -> None:
    found = files(make(True))
    assert json.loads(found["about.json"])["qt"] == "6"
    assert "127.0.0.1:1080" in found["log.txt"]
    assert "ValueError" in found["log.txt"]
    assert "cannot reach" in found["log.txt"]
    assert "config.json" in found["log.txt"]
    ended = [one for one in json.loads(found["connections.json"]) if one["reason"]]
    assert {"connect-timeout", "finished"} <= {one["reason"] for one in ended}
    assert all("target" not in one and "client" not in one for one in ended)
    assert json.loads(found["settings.json"])["changed_settings"]["share"] is True


def test_every_secret_of_a_configuration_is_known() -> None:
    """A field that somebody adds as a Secret must be among them."""
    known = set(secrets_of(CONFIG))
    for part in (*CONFIG.servers, *CONFIG.subscriptions, CONFIG.settings):
        for name in part.__struct_fields__:
            value = getattr(part, name)
            if isinstance(value, Secret):
                assert value.reveal() in known, name


@settings(max_examples=40)
@given(st.text(min_size=6, max_size=40).filter(lambda text: text.strip()), st.text(max_size=60), st.text(max_size=60))
def test_a_secret_never_passes(secret: str, before: str, after: str) -> None:
    mask = Mask([secret], hide_hosts=False)
    assert secret not in mask.text(before + secret + after).replace(HIDDEN, "\0")


@pytest.mark.parametrize(
    "kept", ["12:30:45", "127.0.0.1:1080", "[::1]:80", "config.json", "ssgui.engine.leg", "0.1.0", "3.5 s"]
)  # fmt: skip
def test_what_tells_nothing_about_anybody_stays(kept: str) -> None:
    assert Mask([]).text(f"a {kept} b") == f"a {kept} b"


def test_ten_thousand_passwords_hold_nothing_up() -> None:
    mask = Mask([f"a long password {number}" for number in range(10_000)])
    text = mask.text("nothing of it in here\n" * 5000 + "a long password 9999")
    assert text.endswith(f"\n{HIDDEN}")


def test_the_command_reads_what_is_on_the_disk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    home, path = tmp_path / "home", tmp_path / "out.zip"
    Store(home).save(CONFIG)
    before = sorted(one.name for one in home.rglob("*"))
    assert main(["diagnose", str(path), "--data-dir", str(home)]) == 0
    assert "no running instance" in capsys.readouterr().err
    found = files(path.read_bytes())
    assert path.stat().st_mode & 0o777 == 0o600
    assert not in_any([*SECRETS, *HOSTS], found)
    assert json.loads(found["about.json"])["state"] == "not running"
    assert main(["--data-dir", str(home), "diagnose", "--show-hosts", str(path)]) == 0
    assert "tokyo.secret-host.example" in files(path.read_bytes())["servers.json"]
    assert sorted(one.name for one in home.rglob("*")) == before
    (home / "config.json").write_text("{")
    assert main(["diagnose", str(path), "--data-dir", str(home)]) == 0
    assert "config.json" in files(path.read_bytes())["about.json"]
    assert main(["diagnose", str(tmp_path / "no" / "x.zip"), "--data-dir", str(home)]) == 2


async def test_nothing_of_the_history_is_in_it(tmp_path: Path) -> None:
    """Neither from the running app nor from the disk; neither hosts nor hashes, nor the key that made these."""
    config = msgspec.structs.replace(CONFIG, settings=msgspec.structs.replace(CONFIG.settings, history_days=7))
    Store(tmp_path).save(config)
    context = AppContext(Store(tmp_path), LogBuffer())
    context.load()
    file = context.history.file
    rows = [past.row(number, f"{TARGET}:443", program="a-private-program") for number in range(20)]
    file.add(rows, HistoryHosts.CLEAR)
    file.add(rows, HistoryHosts.HASHED)
    key = file.key()
    digest = Naming(HistoryHosts.HASHED, key).hashed(TARGET)
    words = [TARGET, "a-private-program", digest, key.hex(), base64.b64encode(key).decode(), "SQLite format"]
    for make in (from_app(context), from_disk(tmp_path)):
        for hide in (True, False):
            found = files(make(hide))
            assert not in_any(words, found)
            assert json.loads(found["settings.json"])["changed_settings"]["history_days"] == 7
    file.close()


def test_from_an_empty_folder(tmp_path: Path) -> None:
    make: Callable[[bool], bytes] = from_disk(tmp_path / "none")
    assert json.loads(files(make(True))["servers.json"]) == []

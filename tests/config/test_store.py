"""No server that was saved is ever lost."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.config.app_config import AppConfig, Mode, Server, Settings, Subscription
from ssgui.config.config_codec import decode_config, encode_config
from ssgui.config.sealing import SealError, open_sealed, seal
from ssgui.config.secret import Secret
from ssgui.config.store import BACKUPS, Store, StoreError
from ssgui.config.values import ConfigError

ROOT = Path(__file__).parents[2]


def server(number: int, **values: object) -> Server:
    fields = {"host": f"s{number}.example.com", "port": 8388, "method": "aes-256-gcm", "password": Secret("pw")}
    return Server(id=f"id-{number}", **{**fields, **values})  # type: ignore[arg-type]


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def test_everything_comes_back(tmp_path: Path) -> None:
    config = AppConfig(
        servers=(server(1, remarks="东京 1", plugin="v2ray-plugin", plugin_opts="tls;host=a"), server(2, gone=True)),
        subscriptions=(Subscription(id="s", url=Secret("https://example.com/x"), name="Nebula", bytes_used=5),),
        current="id-2",
        settings=Settings(mode=Mode.GLOBAL, local_port=1081, share=True, user="u", user_password=Secret("p")),
        agreed_plugins=("v2ray-plugin tls",),
    )
    Store(tmp_path / "deep" / "data").save(config)
    loaded = Store(tmp_path / "deep" / "data").load()
    assert loaded.config == config
    assert not loaded.problems
    assert (tmp_path / "deep" / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "deep" / "data" / "config.json").stat().st_mode & 0o777 == 0o600


def test_what_is_not_known_survives(tmp_path: Path) -> None:
    tree = {
        "version": 7, "future": {"a": 1},
        "settings": {"local_port": 1090, "new_setting": [1, 2], "timeout": "soon"},
        "servers": [
            {"id": "a", "server": "h", "server_port": 1, "method": "m", "password": "p", "colour": "red"},
            {"id": "b", "server": "h", "server_port": "no port"},
            "not an object",
        ],
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(tree))
    store = Store(tmp_path)
    loaded = store.load()
    assert [one.id for one in loaded.config.servers] == ["a"]
    assert loaded.config.settings.local_port == 1090
    assert len(loaded.problems) == 4  # newer, timeout, entries 2 and 3
    store.save(msgspec.structs.replace(loaded.config, current="a"))
    saved = json.loads((tmp_path / "config.json").read_text())
    assert saved["version"] == 7
    assert saved["future"] == {"a": 1}
    assert saved["settings"]["new_setting"] == [1, 2]
    assert saved["servers"] == tree["servers"]
    assert saved["current"] == "a"


def test_a_deleted_server_is_gone_and_its_backup_is_not(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(AppConfig(servers=(server(1), server(2))))
    store.save(AppConfig(servers=(server(2),)))
    assert [one.id for one in Store(tmp_path).load().config.servers] == ["id-2"]
    (backup,) = store.backups()
    assert len(decode_config(backup.read_bytes()).config.servers) == 2


def test_backups_are_few_and_not_made_for_every_save(tmp_path: Path) -> None:
    clock = Clock()
    store = Store(tmp_path, wall=clock)
    for number in range(BACKUPS + 4):
        clock.now += 601
        store.save(AppConfig(servers=(server(1),), current=str(number)))
        store.save(AppConfig(servers=(server(1),), current=f"{number} again"))
    assert 1 <= len(store.backups()) <= BACKUPS


@pytest.mark.parametrize(
    "damage",
    [b"", b"\0" * 4096, b'{"servers": [', b"[]", b"\xff\xfe{}", b"[" * 100_000, b"9" * 5000],
    ids=["empty", "zeros", "truncated", "no object", "no utf-8", "nested", "number"],
)
def test_damage_is_set_aside_and_the_copy_restored(tmp_path: Path, damage: bytes) -> None:
    store = Store(tmp_path)
    store.save(AppConfig(servers=(server(1), server(2))))
    store.save(AppConfig(servers=(server(1),)))
    (tmp_path / "config.json").write_bytes(damage)
    fresh = Store(tmp_path)
    loaded = fresh.load()
    assert {one.id for one in loaded.config.servers} == {"id-1", "id-2"}
    assert "config.json could not be read" in loaded.problems[0]
    assert any("restored the copy of" in problem for problem in loaded.problems)
    (aside,) = tmp_path.glob("config.damaged-*.json")
    assert aside.read_bytes() == damage
    fresh.save(loaded.config)
    assert aside.read_bytes() == damage


def test_without_a_backup_it_starts_empty_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b"{")
    loaded = Store(tmp_path).load()
    assert loaded.config == AppConfig()
    assert "line 1" in loaded.problems[0]
    assert Store(tmp_path / "new").load().problems == ()


def test_a_missing_file_beside_a_copy(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(AppConfig(servers=(server(1),)))
    store.save(AppConfig())
    (tmp_path / "config.json").unlink()
    loaded = Store(tmp_path).load()
    assert len(loaded.config.servers) == 1
    assert "was missing" in loaded.problems[0]


def test_a_disk_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.save(AppConfig(servers=(server(1),)))

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("ssgui.config.store.write_atomically", refused)
    with pytest.raises(StoreError, match="cannot be saved"):
        store.save(AppConfig())
    monkeypatch.undo()
    assert len(Store(tmp_path).load().config.servers) == 1


def test_sealed_passwords(tmp_path: Path) -> None:
    key = os.urandom(32)
    store = Store(tmp_path)
    store.key = key
    config = AppConfig(servers=(server(1, password=Secret("very secret")),), settings=Settings(keyring=True))
    store.save(config)
    assert "very secret" not in (tmp_path / "config.json").read_text()
    locked = Store(tmp_path)
    (kept,) = locked.load().config.servers  # without the key: listed, and it asks
    assert not kept.password
    assert kept.sealed
    locked.save(AppConfig(servers=(kept,), current="id-1"))
    unlocked = Store(tmp_path)
    unlocked.key = key
    assert unlocked.load().config.servers == config.servers
    wrong = Store(tmp_path)
    wrong.key = os.urandom(32)
    loaded = wrong.load()
    assert "another key" in loaded.problems[0]
    assert loaded.config.servers[0].sealed


@given(st.text(), st.binary(max_size=80))
def test_sealing(text: str, noise: bytes) -> None:
    key = os.urandom(32)
    sealed = seal(Secret(text), key)
    assert open_sealed(sealed, key).reveal() == text
    for bad in (sealed[:-4], noise.decode("latin-1"), "v1:" + noise.hex(), sealed.replace("v1", "v2")):
        with pytest.raises(SealError):
            open_sealed(bad, key)


@given(st.binary(max_size=200))
def test_random_bytes_are_a_configuration_or_an_error(data: bytes) -> None:
    try:
        loaded = decode_config(data)
    except ConfigError:
        return
    assert json.loads(encode_config(loaded.config, loaded.tree)[0])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["id", "server", "server_port", "method", "password", "url", "mode", "local_port", "x"]),
        inner, max_size=6,
    ),
    max_leaves=20,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["version", "servers", "subscriptions", "current", "settings", "y"]), _JSON))
def test_any_object_is_read_and_nothing_of_it_lost(tree: dict[str, object]) -> None:
    loaded = decode_config(json.dumps(tree).encode())
    data, _ = encode_config(loaded.config, loaded.tree)
    again = decode_config(data)
    assert again.config == loaded.config
    saved = json.loads(data)
    if isinstance(tree.get("servers"), list):
        assert len(saved["servers"]) == len(tree["servers"])  # type: ignore[arg-type]
    assert saved.get("y") == tree.get("y")


def test_ten_thousand_servers_are_quick(tmp_path: Path) -> None:
    """Not a measurement: what would freeze a window for seconds fails."""
    config = AppConfig(servers=tuple(server(number) for number in range(10_000)))
    store = Store(tmp_path)
    store.save(config)
    store.save(config)
    start = time.process_time()
    assert len(Store(tmp_path).load().config.servers) == 10_000
    assert time.process_time() - start < 5


KILLED = """
import os, signal, sys
from pathlib import Path
from ssgui.config.app_config import AppConfig, Server
from ssgui.config.store import Store
from ssgui.config import atomic_file, store as store_module

folder, die_at = Path(sys.argv[1]), int(sys.argv[2])
store = Store(folder)
config = store.load().config
steps = 0

def counted(function):
    def step(*arguments, **named):
        global steps
        steps += 1
        if steps == die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return step

class Os:
    def __getattr__(self, name):
        found = getattr(os, name)
        return counted(found) if name in ("fsync", "replace", "open", "fdopen", "fchmod") else found

atomic_file.os = Os()
store.save(AppConfig(servers=(*config.servers, Server(id="new", host="h", port=1, method="m"))[1:]))
"""


@pytest.mark.parametrize("die_at", range(1, 12))
def test_killed_at_every_step_of_a_save(tmp_path: Path, die_at: int) -> None:
    Store(tmp_path).save(AppConfig(servers=(server(1), server(2))))
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(die_at)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, timeout=30)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    loaded = Store(tmp_path).load()
    assert not loaded.problems
    ids = [one.id for one in loaded.config.servers]
    assert ids in (["id-1", "id-2"], ["id-2", "new"])
    assert done.returncode != 0 or ids == ["id-2", "new"]

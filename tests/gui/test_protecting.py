"""Passwords protected by the system's keyring: turned on and off, read at the start, and what if it does not open."""

import json
from collections.abc import Callable
from pathlib import Path

import keyring
import msgspec
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from ssgui.app.context import AppContext
from ssgui.app.local_proxy import local_settings
from ssgui.app.log_buffer import LogBuffer
from ssgui.config.app_config import AppConfig, Server, Settings, Subscription
from ssgui.config.protected import is_locked, opened_config, sealed_config
from ssgui.config.secret import Secret
from ssgui.config.store import Store
from ssgui.gui.presenter import Presenter
from ssgui.gui.window import MainWindow
from ssgui.system.keyring_key import KeyringError, Trouble, read_key, read_or_make_key
from tests.support.app import OFFSCREEN, app
from tests.support.file_keyring import FileKeyring
from tests.support.flows import Flow, until
from tests.support.ports import free_port
from tests.support.processes import wait_until

PASSWORD, URL = "a very secret password", "https://provider.example/a-token"
DOOR, WAY = "password of the door", "http://me:way-secret@127.0.0.1:9"
SECRETS = (PASSWORD, URL, DOOR, "way-secret")
Start = Callable[[], Presenter]


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ring.json"
    monkeypatch.setattr(keyring.core, "_keyring_backend", FileKeyring(path))
    return path


def configured(folder: Path, **settings: object) -> AppConfig:
    server = Server(id="1", host="203.0.113.7", port=8388, method="aes-256-gcm", password=Secret(PASSWORD))
    chosen = Settings(local_port=free_port(), **settings)  # type: ignore[arg-type]
    subscription = Subscription(id="s", url=Secret(URL), name="provider", updated=4e9)
    config = AppConfig(servers=(server,), subscriptions=(subscription,), current="1", settings=chosen)
    Store(folder).save(config)
    return config


@pytest.fixture
def start(tmp_path: Path, qtbot: QtBot) -> Start:
    """The app's window, of what is on the disk; inside of a loop."""

    def started() -> Presenter:
        context = AppContext(Store(tmp_path / "home"), LogBuffer())
        context.load()
        window = MainWindow()
        qtbot.addWidget(window)
        presenter = Presenter(context, window, lambda: None)
        window.show()
        presenter.begin()
        return presenter

    return started


def on_disk(folder: Path) -> str:
    files = [folder / "config.json", *(folder / "backups").glob("*.json")]
    return "".join(path.read_text() for path in files if path.exists())


def clear_in(folder: Path) -> list[str]:
    """The secrets that anybody could read there."""
    text = on_disk(folder)
    return [secret for secret in SECRETS if secret in text]


def switch(presenter: Presenter) -> QAbstractButton:
    control = presenter.settings.rows["keyring"].control
    assert isinstance(control, QAbstractButton)
    return control


def says(presenter: Presenter) -> bool:
    return "keyring" in presenter.window.banners.keys()  # noqa: SIM118


async def ended(presenter: Presenter) -> None:
    presenter.end()
    await presenter.context.stop()


def test_on_and_read_at_the_next_start_and_off(ring: Path, start: Start, flow: Flow, tmp_path: Path) -> None:
    home = tmp_path / "home"

    async def steps() -> None:
        whole = {"user": "me", "user_password": Secret(DOOR), "upstream_proxy": Secret(WAY)}
        Store(home).save(configured(home, **whole))
        presenter = start()
        presenter.context.change_settings(local_port=free_port())
        await presenter.context.settled()
        assert list((home / "backups").glob("*.json"))
        assert clear_in(home) == list(SECRETS)
        switch(presenter).click()
        await until(lambda: presenter.context.config.settings.keyring and not clear_in(home))
        assert not says(presenter)
        await ended(presenter)
        before = (home / "config.json").read_bytes()
        again = start()
        assert again.context.verdict().kind in ("blocked", "off")
        assert not again.context.config.servers[0].password
        await until(lambda: again.context.config.servers[0].password.reveal() == PASSWORD)
        await until(lambda: again.context.proxy.relay is not None)
        settings = again.context.config.settings
        assert (settings.user_password.reveal(), settings.upstream_proxy.reveal()) == (DOOR, WAY)
        assert again.context.config.subscriptions[0].url.reveal() == URL
        assert switch(again).isChecked()
        await again.context.settled()
        assert not clear_in(home)
        assert (home / "config.json").read_bytes() == before
        switch(again).click()
        await again.context.settled()
        assert json.loads((home / "config.json").read_text())["servers"][0]["password"] == PASSWORD
        assert "sealed" not in (home / "config.json").read_text().replace('"sealed": {}', "")
        await ended(again)

    flow(steps)


def test_a_keyring_that_is_locked_and_then_opens(ring: Path, start: Start, flow: Flow, tmp_path: Path) -> None:
    home = tmp_path / "home"

    async def steps() -> None:
        configured(home)
        first = start()
        switch(first).click()
        await until(lambda: PASSWORD not in on_disk(home))
        await ended(first)
        kept = ring.read_text()  # noqa: ASYNC240
        ring.write_text("locked")  # noqa: ASYNC240
        presenter = start()
        context = presenter.context
        await until(lambda: says(presenter))
        assert len(context.config.servers) == 1  # listed, and it asks
        assert context.proxy.relay is None
        context.change_settings(local_port=free_port())  # what is saved meanwhile loses nothing
        typed = Server(id="2", host="203.0.113.8", port=1, method="aes-256-gcm", password=Secret("typed meanwhile"))
        context.change(AppConfig(servers=(*context.config.servers, typed), current="1",
                                 settings=context.config.settings))  # fmt: skip
        await context.settled()
        assert "typed meanwhile" not in on_disk(home)
        ring.write_text(kept)  # noqa: ASYNC240
        notice = presenter.window.banners._notices["keyring"]
        assert notice.act is not None
        notice.act()
        await until(lambda: context.config.servers[0].password.reveal() == PASSWORD)
        await context.settled()
        assert not says(presenter)
        await ended(presenter)
        opened = Store(home)
        opened.key = read_key()
        assert [one.password.reveal() for one in opened.load().config.servers] == [PASSWORD, "typed meanwhile"]

    flow(steps)


async def test_what_guards_the_port_and_the_way_is_waited_for(tmp_path: Path) -> None:
    """Another server, typed since, must not go around a proxy that is sealed, nor leave the door open."""
    config = configured(tmp_path, keyring=True, upstream_proxy=Secret(WAY))
    key = b"k" * 32
    sealed = sealed_config(config, key)
    assert is_locked(sealed.settings)
    typed = msgspec.structs.replace(config.servers[0], id="2")
    assert local_settings(msgspec.structs.replace(sealed, servers=(typed,), current="2")) is None
    opened, problems = opened_config(sealed, key)
    assert opened == config
    assert not problems
    still, problems = opened_config(sealed, b"x" * 32)
    assert still == sealed
    assert len(problems) == 3


def test_a_key_that_is_gone_is_made_anew(ring: Path, start: Start, flow: Flow, tmp_path: Path) -> None:
    home = tmp_path / "home"

    async def steps() -> None:
        configured(home)
        first = start()
        switch(first).click()
        await until(lambda: PASSWORD not in on_disk(home))
        await ended(first)
        ring.unlink()  # noqa: ASYNC240
        presenter = start()
        await until(lambda: says(presenter) and presenter.context.store.key is not None)
        presenter.servers.list.select("1")
        presenter.servers.editor.password.set_text(PASSWORD)
        presenter.servers.editor._edited()
        presenter.servers.editor.save.click()
        await presenter.context.settled()
        await ended(presenter)
        assert PASSWORD not in on_disk(home)
        opened = Store(home)
        opened.key = read_key()
        assert opened.load().config.servers[0].password.reveal() == PASSWORD

    flow(steps)


class Broken(KeyringBackend):
    """Says that it keeps everything, and keeps nothing."""

    priority = 5

    def get_password(self, service: str, username: str) -> str | None:
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Forget it."""


class Crashing(Broken):
    def get_password(self, service: str, username: str) -> str | None:
        raise OSError("the bus is gone")


@pytest.mark.parametrize(
    ("backend", "trouble"),
    [(NoKeyring, Trouble.NO_KEYRING), (Broken, Trouble.REFUSED), (Crashing, Trouble.REFUSED)],
)
def test_where_there_is_none_the_switch_goes_back_and_says_so(
    ring: Path, start: Start, flow: Flow, tmp_path: Path, backend: type[KeyringBackend], trouble: Trouble
) -> None:  # fmt: skip
    keyring.set_keyring(backend())
    with pytest.raises(KeyringError) as caught:
        read_or_make_key()
    assert caught.value.trouble is trouble

    async def steps() -> None:
        configured(tmp_path / "home")
        presenter = start()
        switch(presenter).click()
        await until(lambda: says(presenter))
        assert not switch(presenter).isChecked()
        assert not presenter.context.config.settings.keyring
        await ended(presenter)

    flow(steps)
    assert PASSWORD in on_disk(tmp_path / "home")


def test_the_app_as_a_process_reads_the_key_and_serves(ring: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    store = Store(home)
    store.key = read_or_make_key()
    store.save(configured(home, keyring=True))
    assert PASSWORD not in (home / "config.json").read_text()
    env = {**OFFSCREEN, "PYTHON_KEYRING_BACKEND": "tests.support.file_keyring.FileKeyring", "KEYRING_FILE": str(ring)}
    with app(home, env=env) as one:
        wait_until(lambda: one.status()["address"], "the port, which needs the password")
        one.ask({"do": "quit"})
        one.require_good_end()
    assert PASSWORD not in on_disk(home)

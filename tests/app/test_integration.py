"""What ssgui is in the system: asked and changed in threads, with failures that are told."""

import asyncio
import threading
from pathlib import Path

import pytest

from ssgui.app.integration import Integration, own_settings
from ssgui.system.integration.setting import Feature, IntegrationError, Settings
from tests.support.still_setting import StillSetting


def test_what_is_asked_and_changed_is_told_in_order() -> None:
    login, links = StillSetting(on=True), StillSetting()
    told: list[dict[Feature, bool]] = []

    async def steps() -> None:
        integration = Integration({Feature.LOGIN: login, Feature.LINKS: links})
        integration.changed.append(lambda: told.append(dict(integration.on)))
        integration.look()
        integration.turn(Feature.LOGIN, False)
        integration.turn(Feature.LINKS, True)
        integration.turn(Feature.LINKS, False)
        await integration.settled()
        assert not integration.errors

    asyncio.run(steps())
    assert told[0] == {Feature.LOGIN: True, Feature.LINKS: False}
    assert told[-1] == {Feature.LOGIN: False, Feature.LINKS: False}
    assert (login.turned, links.turned) == ([False], [True, False])
    assert threading.main_thread() not in login.threads | links.threads


def test_a_failure_is_kept_until_it_is_tried_again() -> None:
    login = StillSetting(fails="the disk is full")

    async def steps() -> None:
        integration = Integration({Feature.LOGIN: login})
        integration.turn(Feature.LOGIN, True)
        await integration.settled()
        assert integration.errors == {Feature.LOGIN: "the disk is full"}
        assert integration.on == {Feature.LOGIN: False}
        login.fails = ""
        integration.turn(Feature.LOGIN, True)
        await integration.settled()
        assert integration.errors == {}
        assert integration.on == {Feature.LOGIN: True}

    asyncio.run(steps())


def test_a_system_that_cannot_be_asked_has_it_off() -> None:
    class Deaf(StillSetting):
        def is_on(self) -> bool:
            raise IntegrationError("denied")

    async def steps() -> None:
        integration = Integration({Feature.LOGIN: Deaf()})
        integration.look()
        await integration.settled()
        assert integration.on == {Feature.LOGIN: False}
        assert not integration.errors

    asyncio.run(steps())


def test_a_data_directory_of_its_own_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("SSGUI_HOME", str(tmp_path / "other"))  # the next session may not have it

    def line(settings: Settings) -> str:
        settings[Feature.LOGIN].turn(True)
        return (tmp_path / "config/autostart/ssgui.desktop").read_text()

    assert "--data-dir" not in line(own_settings(tmp_path / "data/ssgui"))
    assert f"--data-dir {tmp_path / 'other'}" in line(own_settings(tmp_path / "other"))

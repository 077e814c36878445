"""Servers from the command line: they run as told, and nothing of them is kept."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ssgui.app.context import AppContext
from ssgui.app.local_proxy import local_settings
from ssgui.app.log_buffer import LogBuffer
from ssgui.app.this_run import under, with_run
from ssgui.config.app_config import AppConfig, Choice, Mode, Settings
from ssgui.config.models import LocalSettings, PluginSettings, ServerChoice, ServerProfile
from ssgui.config.secret import Secret
from ssgui.config.store import Store
from ssgui.rules.acl import parse_acl
from tests.support.ports import free_port
from tests.support.sample import server

ONE = ServerProfile("h.example", 8388, "aes-256-gcm", Secret("pw"), "", PluginSettings("p", "a=b", ("-x", "y z")))
TWO = ServerProfile("2001:db8::1", 443, "aes-128-gcm", Secret("pw"), "Two")
KEPT = AppConfig(
    servers=(server(1),), current="1", settings=Settings(language="zh_CN", theme="dark", share=True, local_port=1090)
)


@pytest.mark.parametrize(
    "run",
    [
        LocalSettings(servers=(ONE,)),
        LocalSettings(servers=(ONE, TWO), choice=ServerChoice.AUTO, bind_host="::1", bind_port=0, udp=True),
        LocalSettings(servers=(TWO, ONE), choice=ServerChoice.RANDOM, bind_host="192.0.2.1", timeout=9, mptcp=True),
        LocalSettings(servers=(ONE, TWO), choice=ServerChoice.FIXED, bind_host="0.0.0.0", users=(("u", Secret("p")),)),
        LocalSettings(servers=(ONE,), users=(("u", Secret("p")), ("v", Secret("q"))), udp_timeout=3, bypass_lan=True),
        LocalSettings(servers=(ONE,), acl=parse_acl("[bypass_list]\n10.0.0.0/8"), fast_open=True, prefer_ipv6=True),
    ],
)
def test_the_engine_gets_what_the_command_said(run: LocalSettings) -> None:
    config = with_run(KEPT, run)
    assert (config.settings.language, config.settings.theme, config.settings.mode) == ("zh_CN", "dark", Mode.GLOBAL)
    made = local_settings(config)
    assert made is not None
    given: dict[str, Any] = msgspec.structs.asdict(under(made, run))
    wanted = msgspec.structs.asdict(run)
    names = [profile.remarks or f"{profile.host}:{profile.port}" for profile in run.servers]
    wanted["servers"] = tuple(msgspec.structs.replace(one, remarks=name)
                              for one, name in zip(run.servers, names, strict=True))  # fmt: skip
    if len(run.servers) == 1:  # there is nothing to choose from
        wanted["choice"] = given["choice"]
    assert given == wanted


def test_what_the_window_changes_goes_on_from_there() -> None:
    run = LocalSettings(servers=(ONE, TWO), choice=ServerChoice.RANDOM, bind_host="127.0.0.2")
    config = with_run(KEPT, run)
    assert config.settings.choice is Choice.FAILOVER
    settings = msgspec.structs.replace(config.settings, share=True, choice=Choice.FASTEST)
    made = local_settings(msgspec.structs.replace(config, settings=settings))
    assert made is not None
    assert under(made, run).bind_host == "0.0.0.0"
    assert under(made, run).choice is ServerChoice.AUTO


async def test_nothing_is_saved(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(KEPT)
    before = store.path.read_bytes()
    context = AppContext(Store(tmp_path), LogBuffer(), LocalSettings(servers=(TWO,), bind_port=free_port()))
    context.load()
    try:
        await context.start()
        assert context.proxy.relay is not None
        context.change_settings(theme="light", local_port=free_port())
        context.save_at_once()
        await context.settled()
        assert context.server is not None
        assert context.server.host == TWO.host
    finally:
        await context.stop()
    assert store.path.read_bytes() == before
    assert os.listdir(tmp_path) == ["config.json"]

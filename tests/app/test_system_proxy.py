"""The system's proxy follows the mode, the port and the PAC's address, and is put back in the end."""

import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ssgui.app.context import AppContext
from ssgui.app.log_buffer import LogBuffer
from ssgui.app.system_proxy import BYPASS
from ssgui.config.app_config import Mode
from ssgui.config.models import LocalSettings
from ssgui.config.store import Store
from ssgui.engine.tasks import run_blocking
from ssgui.system.proxy.backend import ProxyError, ProxySetting, Snapshot
from ssgui.system.proxy.guard import Guard
from ssgui.system.proxy.journal import NAME, Journal
from tests.app.test_context import config, server
from tests.engine.world import until
from tests.support.ports import free_port
from tests.support.stepping_proxy import Refusing, SteppingProxy, guard_command, setting, system

CORPORATE = system("manual", host="proxy.example", port=3128)


class Desk:
    """The app's context on a desktop whose proxy is a file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, "http://127.0.0.1:1080/pac?h=1"
        self.backend = SteppingProxy(folder)
        self.backend.write(CORPORATE)
        self.contexts: list[AppContext] = []

    async def app(self, backend: SteppingProxy | None, run: LocalSettings | None = None, **settings: Any) -> AppContext:
        context = AppContext(Store(self.folder), LogBuffer(), run, backend)
        context.system_proxy._make_guard = lambda folder, owner: Guard(folder, owner, guard_command())
        context.pac_url = lambda: self.url
        self.contexts.append(context)
        if settings:
            context.store.save(config(server(1), **settings))
        context.load()
        await context.start()
        await context.system_proxy.settled()
        return context

    @property
    def now(self) -> Snapshot:
        return self.backend.snapshot()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    one = Desk(tmp_path)
    yield one
    for context in one.contexts:
        await context.stop()


async def turn(context: AppContext, mode: Mode) -> None:
    context.choose_mode(mode)
    await context.settled()
    await context.system_proxy.settled()


async def test_it_follows_the_mode_and_goes_back(desk: Desk) -> None:
    context = await desk.app(desk.backend, mode=Mode.OFF)
    assert desk.now == CORPORATE
    port = context.config.settings.local_port
    await turn(context, Mode.PAC)
    assert (desk.now["mode"], desk.now["url"]) == ("auto", desk.url)
    assert desk.now["http"] == CORPORATE["http"]
    guard = context.system_proxy._guard
    assert guard is not None
    for mode in (Mode.RULES, Mode.GLOBAL):
        await turn(context, mode)
        assert (desk.now["mode"], desk.now["http"]) == ("manual", {"host": "127.0.0.1", "port": port})
        assert desk.now["ignore"] == list(BYPASS)
    assert context.system_proxy._guard is guard  # one for as long as something is set
    await turn(context, Mode.OFF)
    assert desk.now == CORPORATE
    assert not guard.alive()
    assert not (desk.folder / NAME).exists()
    assert context.system_proxy.was_set


async def test_a_start_sets_what_was_chosen_and_the_end_comes_first(desk: Desk) -> None:
    context = await desk.app(desk.backend, mode=Mode.GLOBAL)
    assert desk.now["mode"] == "manual"
    guard = context.system_proxy._guard
    context.save_at_once()
    assert desk.now == CORPORATE
    assert guard is not None
    assert not guard.alive()
    context.change_settings(mode=Mode.PAC)  # too late
    await context.settled()
    assert desk.now == CORPORATE


class Telling(SteppingProxy):
    """Tells in which threads it is asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.threads: set[threading.Thread] = set()

    def snapshot(self) -> Snapshot:
        self.threads.add(threading.current_thread())
        return super().snapshot()


async def test_the_system_is_asked_in_other_threads_until_the_end(desk: Desk) -> None:
    backend = Telling(desk.folder)
    context = await desk.app(backend, mode=Mode.PAC)
    for mode in (Mode.RULES, Mode.OFF, Mode.GLOBAL):
        await turn(context, mode)
    backend.write({**CORPORATE, "ignore": ["*.corp"]})
    context.system_proxy.look()
    await until(lambda: context.system_proxy.others)
    context.system_proxy.take_back()
    await context.system_proxy.settled()
    assert len(backend.threads) > 3
    assert threading.main_thread() not in backend.threads
    context.system_proxy.restore_now()
    assert threading.main_thread() in backend.threads  # at the end nothing else may come first


async def test_the_end_waits_for_a_change_that_is_under_way(desk: Desk) -> None:
    context = await desk.app(desk.backend, mode=Mode.OFF)
    under_way, go_on = threading.Event(), threading.Event()

    def step() -> None:
        under_way.set()
        assert go_on.wait(20)

    desk.backend.step = step
    context.choose_mode(Mode.GLOBAL)
    assert await run_blocking(under_way.wait, 20)
    threading.Timer(0.1, go_on.set).start()
    context.system_proxy.restore_now()
    assert desk.now == CORPORATE
    assert not (desk.folder / NAME).exists()
    await context.system_proxy.settled()
    assert desk.now == CORPORATE
    assert context.config.settings.mode is Mode.GLOBAL


async def test_it_moves_with_the_port_and_with_the_pac(desk: Desk) -> None:
    context = await desk.app(desk.backend, mode=Mode.GLOBAL)
    port = free_port()
    context.change_settings(local_port=port)
    await context.settled()
    await context.system_proxy.settled()
    assert desk.now["http"]["port"] == port
    await turn(context, Mode.PAC)
    desk.url = "http://127.0.0.1:1080/pac?h=2"
    context.system_proxy.follow()
    await context.system_proxy.settled()
    assert desk.now["url"] == desk.url
    await context.stop()
    assert desk.now == CORPORATE


async def test_left_alone(desk: Desk) -> None:
    context = await desk.app(desk.backend, mode=Mode.GLOBAL, leave_system_proxy=True)
    assert desk.now == CORPORATE
    context.change_settings(leave_system_proxy=False)
    await context.settled()
    await context.system_proxy.settled()
    assert desk.now["mode"] == "manual"
    assert desk.now != CORPORATE
    context.change_settings(leave_system_proxy=True)
    await context.settled()
    await context.system_proxy.settled()
    assert desk.now == CORPORATE


async def test_servers_for_this_run_touch_nothing_until_asked(desk: Desk) -> None:
    run = LocalSettings(servers=(server(1).profile(),), bind_port=free_port())
    context = await desk.app(desk.backend, run)
    assert context.config.settings.mode is Mode.GLOBAL
    context.change_settings(udp=False)
    await context.settled()
    assert desk.now == CORPORATE
    await turn(context, Mode.GLOBAL)
    assert desk.now["http"]["port"] == run.bind_port


async def test_without_a_system_proxy_a_mode_is_only_a_mode(desk: Desk) -> None:
    context = await desk.app(None, mode=Mode.GLOBAL)
    assert context.config.settings.mode is Mode.GLOBAL
    assert desk.now == CORPORATE
    assert not (desk.folder / NAME).exists()


async def test_a_mode_that_cannot_be_set_goes_back(desk: Desk) -> None:
    refusing = Refusing(desk.folder)
    context = await desk.app(refusing, mode=Mode.OFF)
    await turn(context, Mode.PAC)
    proxy = context.system_proxy
    assert context.config.settings.mode is Mode.OFF
    assert (proxy.error, proxy.busy, proxy.restoring_failed) == ("the desktop does not take it", False, False)
    assert desk.now == CORPORATE
    assert proxy._guard is None
    refusing.broken = False
    await turn(context, Mode.PAC)
    assert (proxy.error, desk.now["mode"]) == ("", "auto")
    refusing.broken = True
    await turn(context, Mode.GLOBAL)
    assert context.config.settings.mode is Mode.OFF  # PAC could not be set again either
    assert desk.now == CORPORATE


async def test_at_the_login_it_has_patience(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssgui.app.system_proxy._PATIENCE", (0.01, 0.01))
    refusing = Refusing(desk.folder)
    tries: list[int] = []

    def apply(setting: ProxySetting) -> Snapshot:
        tries.append(1)
        refusing.broken = len(tries) < 3
        return Refusing.apply(refusing, setting)

    monkeypatch.setattr(refusing, "apply", apply)
    context = await desk.app(refusing, mode=Mode.GLOBAL)
    assert len(tries) == 3
    assert context.config.settings.mode is Mode.GLOBAL
    assert desk.now["mode"] == "manual"


async def test_a_restore_that_fails_is_said_and_the_mode_stays(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    context = await desk.app(desk.backend, mode=Mode.PAC)

    def restore(snapshot: Snapshot) -> None:
        raise ProxyError("no bus")

    monkeypatch.setattr(desk.backend, "restore", restore)
    await turn(context, Mode.OFF)
    proxy = context.system_proxy
    assert context.config.settings.mode is Mode.PAC
    assert (proxy.error, proxy.restoring_failed) == ("no bus", True)
    assert desk.now["mode"] == "auto"
    monkeypatch.undo()
    await turn(context, Mode.OFF)
    assert (proxy.error, desk.now) == ("", CORPORATE)


async def test_another_programs_change_is_said_and_not_fought(desk: Desk) -> None:
    context = await desk.app(desk.backend, mode=Mode.PAC)
    proxy = context.system_proxy
    vpn = {**desk.now, "mode": "manual", "http": {"host": "vpn.example", "port": 8080}}
    desk.backend.write(vpn)
    await proxy._look()
    assert proxy.others == "vpn.example"
    desk.url += "0"
    proxy.follow()  # the rules changed
    await proxy.settled()
    assert desk.now == vpn
    proxy.take_back()
    await proxy.settled()
    assert (desk.now["mode"], desk.now["url"]) == ("auto", desk.url)
    assert not proxy.error
    await turn(context, Mode.OFF)
    assert desk.now == {**vpn, "url": None}  # what the other program set is what was before


async def test_a_change_that_was_not_seen_yet_is_not_fought_either(desk: Desk) -> None:
    context = await desk.app(desk.backend, mode=Mode.PAC)
    vpn = {**desk.now, "mode": "manual", "http": {"host": "vpn.example", "port": 8080}}
    desk.backend.write(vpn)
    desk.url += "0"
    context.system_proxy.follow()
    await context.system_proxy.settled()
    assert (desk.now, context.system_proxy.others) == (vpn, "vpn.example")
    await turn(context, Mode.GLOBAL)  # a person wants it
    assert desk.now["http"]["host"] == "127.0.0.1"
    context.system_proxy.restore_now()
    assert desk.now == {**vpn, "url": None}


async def test_what_a_killed_run_left_is_put_back_first(desk: Desk) -> None:
    journal = Journal(desk.folder)
    with journal.locked():
        journal.set(desk.backend, setting("global", 1080), "a run that was killed")
    context = await desk.app(desk.backend, mode=Mode.PAC)
    (entry,) = json.loads((desk.folder / NAME).read_text())["entries"]
    assert entry["previous"] == CORPORATE
    await turn(context, Mode.OFF)
    assert desk.now == CORPORATE


async def test_a_previous_proxy_that_is_dead_is_said(desk: Desk) -> None:
    dead = free_port()
    desk.backend.write(system("manual", host="127.0.0.1", port=dead))
    context = await desk.app(desk.backend, mode=Mode.PAC)
    await turn(context, Mode.OFF)
    assert context.system_proxy.dead == (dead,)
    assert desk.now == system("none", host="127.0.0.1", port=dead)

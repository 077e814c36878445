"""What a server serves, as its settings and its managers want it."""

import asyncio
from collections.abc import Sequence

import pytest

from ssgui.app.headless.reload import Reloader, Settings
from ssgui.app.server.plan import ServerPlan
from ssgui.config.models import PluginSettings, ServerSettings, ServerUser
from ssgui.config.options import Options, ServerEntry
from ssgui.config.secret import Secret
from ssgui.config.settings import server_settings
from ssgui.config.values import ConfigError
from ssgui.engine.changes import Difference
from ssgui.engine.errors import BindError
from ssgui.engine.tally import PortSample, Sample

PASSWORD = Secret("pass phrase")


class Serving:
    """Serves what is wanted, at once, or when it is let; unless it is told to fail."""

    def __init__(self) -> None:
        self.wanted: tuple[ServerSettings, ...] = ()
        self.error: Exception | None = None
        self.sampled = Sample()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.at_once = 0

    async def change(self, wanted: Sequence[ServerSettings]) -> Difference:
        self.at_once += 1
        assert self.at_once == 1, "one after the other"
        await self.may_go_on.wait()
        self.at_once -= 1
        if self.error is not None:
            raise self.error
        self.wanted = tuple(wanted)
        return Difference(0, 0, 0, 0)

    async def sample(self) -> Sample:
        return self.sampled


def settings(*ports: int, hosts: tuple[str, ...] = ("h",), **values: object) -> Settings:
    options = Options(hosts=hosts, ports=ports, password=PASSWORD, method="aes-256-gcm", **values)  # type: ignore[arg-type]
    return Settings(servers=server_settings(options), options=options)


def ports(serving: Serving) -> list[int]:
    return [one.bind_port for one in serving.wanted]


async def test_managers_and_settings_together() -> None:
    serving = Serving()
    plan = ServerPlan(serving, settings(1, 2))
    await plan.remove(1)
    assert ports(serving) == [2]
    await plan.add(ServerEntry("", 3, password=Secret("three")))
    assert ports(serving) == [2, 3]
    await plan.take(settings(1, 2, 4))
    assert ports(serving) == [2, 4, 3], "what was removed stays away, what was added stays"
    await plan.add(ServerEntry("", 1, password=Secret("one")))
    await plan.add(ServerEntry("", 2, password=Secret("two")))
    assert {one.bind_port: one.password.reveal() for one in serving.wanted} == {
        4: "pass phrase", 3: "three", 1: "one", 2: "two"
    }  # fmt: skip
    await plan.remove(2)
    await plan.take(settings(2))
    assert ports(serving) == [3, 1]


async def test_a_managers_port_is_as_the_settings_have_theirs() -> None:
    serving = Serving()
    plugin, users = PluginSettings("obfs-server"), (ServerUser("ann", Secret("x")),)
    plan = ServerPlan(serving, settings(1, hosts=("a", "b"), timeout=60.0, udp=True, plugin=plugin))
    await plan.add(ServerEntry("", 3, "aes-128-gcm", Secret("three"), udp=False))
    found = [one for one in serving.wanted if one.bind_port == 3]
    assert [one.bind_host for one in found] == ["a", "b"]
    assert {(one.method, one.timeout, one.udp, one.plugin) for one in found} == {("aes-128-gcm", 60.0, False, plugin)}
    with pytest.raises(ConfigError, match="cannot have users"):
        await plan.add(ServerEntry("", 4, "aes-128-gcm", Secret("four"), users=users))
    assert len(serving.wanted) == 4


async def test_what_cannot_be_served_changes_nothing() -> None:
    serving = Serving()
    plan = ServerPlan(serving, settings(1))
    serving.error = BindError("h", 3, OSError(98, "in use"))
    for change in (plan.add(ServerEntry("", 3, password=PASSWORD)), plan.remove(1), plan.take(settings(7))):
        with pytest.raises(BindError):
            await change
    serving.error = None
    assert [one.bind_port for one in plan.wanted] == [1]
    await plan.take(settings(1, 2))
    assert ports(serving) == [1, 2]


async def test_what_stays_until_the_next_start_is_said(caplog: pytest.LogCaptureFixture) -> None:
    plan = ServerPlan(Serving(), settings(1))
    await plan.take(settings(1))
    assert "until the next start" not in caplog.text
    await plan.take(settings(1, workers=4))
    assert "workers, manager_address and metrics stay as they are until the next start" in caplog.text


async def test_bytes_by_port() -> None:
    serving = Serving()
    serving.sampled = Sample(
        {
            "a:1": PortSample(users={"": (1, 2), "ann": (3, 4)}),
            "b:1": PortSample(users={"": (10, 0)}),
            "a:9": PortSample(users={"": (5, 5)}),
        }
    )
    plan = ServerPlan(serving, settings(1, 2, hosts=("a", "b")))
    assert await plan.used() == {1: 20, 2: 0}
    await plan.add(ServerEntry("", 9, password=PASSWORD))
    assert await plan.used() == {1: 20, 2: 0, 9: 0}
    serving.sampled.ports["a:9"].users[""] = (7, 7)
    assert await plan.used() == {1: 20, 2: 0, 9: 4}


async def test_changes_wait_for_each_other_and_for_the_end() -> None:
    serving = Serving()
    plan = ServerPlan(serving, settings(1))
    serving.may_go_on.clear()
    adding = [asyncio.ensure_future(plan.add(ServerEntry("", port, password=PASSWORD))) for port in (2, 3)]
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(plan.close())
    late = asyncio.ensure_future(plan.add(ServerEntry("", 4, password=PASSWORD)))
    await asyncio.sleep(0)
    assert not closing.done()
    serving.may_go_on.set()
    await asyncio.gather(*adding, closing)
    with pytest.raises(ConfigError, match="about to end"):
        await late
    assert ports(serving) == [1, 2, 3]


# ---- settings that are read again


async def test_reading_again_while_it_reads_is_once_more() -> None:
    read, go_on = 0, asyncio.Event()

    async def reading() -> Settings:
        nonlocal read
        read += 1
        await go_on.wait()
        return Settings()

    async def take(_: Settings) -> str:
        return "taken"

    reloader = Reloader(reading, take)
    for _ in range(5):
        reloader.begin()
        await asyncio.sleep(0)
    assert read == 1
    go_on.set()
    while reloader.taken < 2:  # noqa: ASYNC110  there is nothing to wait for
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0)
    assert read == 2
    await reloader.end()
    reloader.begin()
    await asyncio.sleep(0)
    assert read == 2


async def test_the_end_gives_up_a_change_that_hangs() -> None:
    given_up = False

    async def reading() -> Settings:
        return Settings()

    async def take(_: Settings) -> str:
        nonlocal given_up
        try:
            await asyncio.Event().wait()
        finally:
            given_up = True
        return ""

    reloader = Reloader(reading, take)
    reloader.begin()
    for _ in range(3):
        await asyncio.sleep(0)
    await reloader.end()
    assert given_up
    assert (reloader.taken, reloader.refused) == (0, 0)


async def test_what_is_wrong_is_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    async def reading() -> Settings:
        raise ConfigError("x.json: line 1, column 2: a mistake")

    reloader = Reloader(reading, lambda _: asyncio.sleep(0))
    reloader.begin()
    while not reloader.refused:  # noqa: ASYNC110  there is nothing to wait for
        await asyncio.sleep(0)
    assert "what ran before goes on: x.json: line 1, column 2: a mistake" in caplog.text

"""An engine goes on with other settings, by difference: ports that stay keep their connections.

Either everything that is wanted is there afterwards, or all is as it was and the error says why not.
"""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from ssgui.config.models import LocalSettings, ServerSettings
from ssgui.engine.engine import Engine
from ssgui.engine.errors import EngineError
from ssgui.engine.relay import LocalRelay, can_change
from ssgui.engine.server_change import change_server
from ssgui.engine.server_relay import ServerRelay
from ssgui.protocol.errors import LocalProtocolError

_Key = tuple[str, int, int]  # host, port, and which of those without a port
_log = logging.getLogger("ssgui")


class Difference(NamedTuple):
    """How many ports stayed as they were, go on with other settings, were opened, and were closed."""

    same: int
    changed: int
    opened: int
    closed: int

    def __str__(self) -> str:
        return f"ports: {self.same} as before, {self.changed} changed, {self.opened} opened, {self.closed} closed"


async def change_servers(engine: Engine, wanted: Sequence[ServerSettings]) -> Difference:
    """Serve what is `wanted` and nothing else. EngineError, LocalProtocolError: all is as it was."""
    here = _keyed([relay.settings for relay in engine.relays if isinstance(relay, ServerRelay)])
    relays = dict(zip(here, [relay for relay in engine.relays if isinstance(relay, ServerRelay)], strict=True))
    after = _keyed(wanted)
    gone = [relay for key, relay in relays.items() if key not in after]
    differing = [key for key in relays if key in after and after[key] != here[key]]
    opened = await _open(engine, [after[key] for key in after if key not in here], gone)
    changed: list[ServerRelay] = []
    befores = [here[key] for key in differing]
    try:
        for key in differing:
            await change_server(relays[key], after[key])
            changed.append(relays[key])
    except BaseException:
        await _undo(engine, list(zip(changed, befores, strict=False)), opened, gone)
        raise
    for relay in gone:
        await engine.remove(relay, "its port was closed")
    same = len(relays) - len(gone) - len(changed)
    return Difference(same, len(changed), len(opened), len(gone))


def _keyed(settings: Sequence[ServerSettings]) -> dict[_Key, ServerSettings]:
    keyed: dict[_Key, ServerSettings] = {}
    for one in settings:
        number = 0
        while (key := (one.bind_host, one.bind_port, number)) in keyed:
            number += 1
        keyed[key] = one
    return keyed


async def _open(engine: Engine, new: list[ServerSettings], gone: list[ServerRelay]) -> list[ServerRelay]:
    """The relays of `new` settings. A port that is `gone`, but on another address, makes room first."""
    ports = {one.bind_port for one in new}
    in_the_way = [relay for relay in gone if relay.address[1] in ports]
    for relay in in_the_way:
        relay.close()
        await relay.end_plugin()
    opened: list[ServerRelay] = []
    try:
        for settings in new:
            opened.append(await engine.start_server(settings))  # noqa: PERF401  those before a failure must be known
    except BaseException:
        await _undo(engine, [], opened, in_the_way)
        raise
    return opened


async def _undo(
    engine: Engine, changed: list[tuple[ServerRelay, ServerSettings]], opened: list[ServerRelay],
    closed: list[ServerRelay],
) -> None:  # fmt: skip
    """Have again what was there before."""
    for relay in opened:
        await engine.remove(relay, "the settings were not taken")
    try:
        for relay, before in changed:
            await change_server(relay, before)
        for relay in closed:
            if not relay.listening:
                await relay.listen(relay.host, relay.address[1])
    except (EngineError, LocalProtocolError) as error:
        _log.error("what was there before could not be had again: %s", error)


async def change_local(engine: Engine, relay: LocalRelay, settings: LocalSettings) -> LocalRelay:
    """The client that goes on with `settings`: `relay` itself, or another. Its connections stay in any case.

    EngineError, LocalProtocolError: all is as it was, except that UDP associations may have ended.
    """
    if settings == relay.settings:
        return relay
    if can_change(relay.settings, settings):
        await relay.change(settings)
        return relay
    in_the_way = settings.bind_port == relay.address[1]
    if in_the_way:
        relay.close()
    try:
        other = await engine.start_local(settings)
    except BaseException:
        try:
            if in_the_way:
                await relay.open_again()
        except EngineError as error:
            _log.error("the port that was there before could not be opened again: %s", error)
        raise
    engine.part(relay)
    return other

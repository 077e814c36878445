"""Documents for other programs, made of servers: links, SIP008 and gui-config.json.

Each writer returns the text and what of the servers the format cannot say.
"""

import json
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from ssgui.config.documents.result import ImportedServer
from ssgui.config.models import ServerProfile
from ssgui.protocol.address import join_host_port
from ssgui.protocol.links import ServerLink
from ssgui.protocol.sip022 import METHODS_2022

MakeId = Callable[[], str]
# Keys of an entry that are ours to write; a custom field must not take their place.
_RESERVED = frozenset({
    "id", "remarks", "server", "server_port", "password", "method", "plugin", "plugin_opts", "plugin_args", "group",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """A document, and a line for everything that could not be said in it."""

    text: str
    notes: tuple[str, ...] = ()


def sip008_entry(server: ServerProfile) -> dict[str, Any]:
    """A server under the keys of SIP008, all of them but the id."""
    plugin = server.plugin
    entry: dict[str, Any] = {
        "server": server.host,
        "server_port": server.port,
        "method": server.method,
        "password": server.password.reveal(),
        "plugin": plugin.program if plugin else "",
        "plugin_opts": plugin.options if plugin else "",
        "remarks": server.remarks,
    }
    if plugin and plugin.arguments:
        entry["plugin_args"] = shlex.join(plugin.arguments)
    return entry


def link_of(server: ServerProfile) -> str:
    """The link of a server; what a link has no place for is left out."""
    program, options = (server.plugin.program, server.plugin.options) if server.plugin else ("", "")
    password = server.password.reveal()
    return ServerLink(server.host, server.port, server.method, password, program, options, server.remarks).encode()


def write_links(servers: Iterable[ImportedServer], make_id: MakeId) -> Written:
    """One link a line."""
    lines, notes = [], []
    for number, server in enumerate(servers, 1):
        profile = server.profile
        lines.append(link_of(profile))
        lost = []
        if profile.plugin and profile.plugin.arguments:
            lost.append("the arguments of its plugin")
        lost += [name for name, value in (("its group", server.group), ("its custom fields", server.custom)) if value]
        notes += _lost(number, profile, lost, "a link")
    return Written("".join(f"{line}\n" for line in lines), tuple(notes))


def write_sip008(servers: Iterable[ImportedServer], make_id: MakeId) -> Written:
    """A document of SIP008, version 1. An id that is no UUID, or is there twice, is replaced by one of `make_id`."""
    entries, notes, used = [], [], set()
    for number, server in enumerate(servers, 1):
        identity = server.identity
        if not _is_uuid(identity) or identity in used:
            if identity:
                notes.append(f"{_named(number, server.profile)}: its id is no UUID of its own, and has a new one")
            identity = make_id()
        used.add(identity)
        custom = {key: value for key, value in server.custom.items() if key not in _RESERVED}
        group = {"group": server.group} if server.group else {}
        entries.append({"id": identity, **sip008_entry(server.profile), **group, **custom})
    return Written(json_text({"version": 1, "servers": entries}, indent=2) + "\n", tuple(notes))


def write_gui_config(servers: Iterable[ImportedServer], make_id: MakeId) -> Written:
    """`gui-config.json` of shadowsocks-windows."""
    entries, notes, places = [], [], set()
    for number, server in enumerate(servers, 1):
        profile = server.profile
        entry = {key: value for key, value in sip008_entry(profile).items() if value or not key.startswith("plugin")}
        entry |= {"timeout": 5, **({"group": server.group} if server.group else {})}
        entries.append(entry)
        if profile.method in METHODS_2022:
            notes.append(f"{_named(number, profile)}: that program does not have the method {profile.method}")
        place = (profile.host.lower(), profile.port)
        if place in places:
            notes.append(f"{_named(number, profile)}: that program takes servers with one address and port for one")
        places.add(place)
        notes += _lost(number, profile, ["its custom fields"] if server.custom else [], "that program's file")
    tree = {
        "version": "4.4.1.0", "configs": entries, "strategy": None, "index": 0, "global": False, "enabled": False,
        "shareOverLan": False, "localPort": 1080,
    }  # fmt: skip
    return Written(json_text(tree, indent=2) + "\n", tuple(notes))


WRITERS: Final[dict[str, Callable[[Iterable[ImportedServer], MakeId], Written]]] = {
    "links": write_links,
    "sip008": write_sip008,
    "gui-config": write_gui_config,
}


def _lost(number: int, server: ServerProfile, lost: list[str], where: str) -> list[str]:
    return [f"{_named(number, server)}: {what} has no place in {where}" for what in lost]


def _named(number: int, server: ServerProfile) -> str:
    return f"server {number} ({join_host_port(server.host, server.port)})"


def json_text(tree: Any, *, indent: int | None = None) -> str:
    """JSON for people too: other scripts as they are, and everything that is not printable escaped."""
    text = json.dumps(tree, ensure_ascii=False, indent=indent)
    return text if text.isprintable() else "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    return character if character.isprintable() or character == "\n" else json.dumps(character)[1:-1]


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False

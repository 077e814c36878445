"""The commands that read and write servers: `link decode|encode`, `import` and `export`.

What was asked for goes to standard output, and everything that has to be said about it to standard error. Passwords
are part of what is asked for; no message has one.
"""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ssgui.app.commands.io import STDIN, at, counted, print_json, print_text, read_file, say, write_file
from ssgui.protocol.address import join_host_port

if TYPE_CHECKING:
    from ssgui.config.documents import Imported, Note
    from ssgui.protocol.links import FoundLink, ServerLink

_FORMATS = ("links", "sip008", "gui-config")


def add_document_commands(group: click.Group, common: Callable[[click.Command], click.Command]) -> None:
    """Give `group` the commands; `common` adds the flags that every command has."""
    link = click.Group("link", help="Read and write ss:// links.", no_args_is_help=False)
    for command in (_decode, _encode):
        link.add_command(common(command))
    for command in (link, common(_import), common(_export)):
        group.add_command(command)


@click.command("decode")
@click.argument("links", nargs=-1, metavar="[LINK...|-]")
def _decode(links: tuple[str, ...], **given: Any) -> int:
    """Print every server of the links as a line of JSON, with its password. Without LINK: standard input."""
    from ssgui.config.documents import MAX_DOCUMENT
    from ssgui.config.documents.registry import unpack_base64
    from ssgui.config.values import ConfigError
    from ssgui.protocol.links import find_links

    taken = 0
    reasons: list[str] = []
    for number, argument in enumerate(links or ("-",), 1):
        source = STDIN if argument == "-" else f"argument {number}" if len(links) > 1 else ""
        text = _text(read_file("-", MAX_DOCUMENT), source) if argument == "-" else argument
        if "://" not in text:
            text = unpack_base64(text) or text
        found = list(find_links(text))
        if not found:
            reasons.append(at(source, "there is no link in it"))
        for one in found:
            where = at(source, f"link {one.number} (line {one.line})" if len(found) > 1 else "")
            if one.server is None:
                reasons.append(at(where, one.error or _online(one)))
                continue
            taken += 1
            print_json(_object(one.server))
            for remark in _remarks(one.server):
                say(at(where, remark))
    if not taken and len(reasons) == 1:
        raise ConfigError(reasons[0])
    for reason in reasons:
        say(reason)
    if not taken:
        raise ConfigError("no link could be read")
    return 0


@click.command("encode")
@click.argument("file", default="-", metavar="[FILE|-]")
def _encode(file: str, **given: Any) -> int:
    """Print the links of the servers in FILE: what link decode prints, or a document of any kind."""
    from ssgui.config.documents.writers import write_links

    document = _document(file)
    written = write_links(document.servers, _new_id)
    click.echo(written.text, nl=False)
    for note in written.notes:
        say(note)
    return 0


@click.command("import")
@click.argument("file", metavar="FILE|-")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object, with the passwords.")
def _import(file: str, **given: Any) -> int:
    """Read the servers in a file of another program, and say what of it can be used and what cannot.

    FILE may be links, SIP008, gui-config.json, config.json, an export of Android, preferences of ShadowsocksX-NG,
    an access key of Outline or a configuration of Clash. Nothing is kept yet.
    """
    if given["as_json"]:
        document = _document(file, quiet=True)
        print_json(_tree(document))
        return 0
    document = _document(file)
    print_text(f"{document.title}: {counted(len(document.servers), 'server')}")
    for server in document.profiles:
        place = join_host_port(server.host, server.port)
        print_text(f"  {place}  {server.method}  {server.remarks}".rstrip().replace("\n", " "))
    return 0


@click.command("export")
@click.argument("file", metavar="FILE|-")
@click.option("--format", "form", type=click.Choice(_FORMATS), required=True, help="What to write.")
@click.option(
    "--from", "-c", "source", metavar="SOURCE", help="Any file that import reads. Without it: the servers of the app."
)
@click.pass_context
def _export(context: click.Context, /, file: str, **given: Any) -> int:
    """Write servers, with their passwords, for other programs. FILE is replaced whole, readable by you alone."""
    from ssgui.config.documents.writers import WRITERS

    source = given["source"] or _kept(given["data_dir"] or (context.obj or {}).get("data_dir"))
    document = _document(source)
    written = WRITERS[given["form"]](document.servers, _new_id)
    if file == "-":
        print_text(written.text, end="")
    else:
        write_file(Path(file), written.text.encode())
        say(f"{file}: {counted(len(document.servers), 'server')} written")
    for note in written.notes:
        say(note)
    return 0


def _new_id() -> str:
    return str(uuid.uuid4())


def _kept(data_dir: str | None) -> str:
    """Where the app keeps its servers."""
    from ssgui.app.folders import data_folder
    from ssgui.config.store import NAME
    from ssgui.config.values import ConfigError

    path = data_folder(data_dir) / NAME
    if not path.exists():
        raise ConfigError(f"the app has no servers yet ({path}): give --from SOURCE")
    return str(path)


def _document(file: str, *, quiet: bool = False) -> "Imported":
    """Read FILE, and say everything about it that there is to say. ConfigError if it has no server to use."""
    from ssgui.config.documents import MAX_DOCUMENT, Severity, read_document
    from ssgui.config.values import ConfigError, located

    source = STDIN if file == "-" else file
    data = read_file(file, MAX_DOCUMENT)
    with located(source):
        document = read_document(data)
        skipped = document.noted(Severity.SKIPPED)
        if document.servers:
            if not quiet:
                _say_notes(document.notes)
            return document
        if len(skipped) == 1:
            raise ConfigError(str(skipped[0]))
        _say_notes(document.notes)
        what = f"none of its servers can be used ({document.title})" if skipped else "there is no server in it"
        raise ConfigError(what)


def _say_notes(notes: "tuple[Note, ...]") -> None:
    for note in notes:
        say(f"{note.severity}: {note}")


def _text(data: bytes, source: str) -> str:
    from ssgui.config.values import ConfigError

    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source}: not UTF-8: byte {error.start + 1}") from None


def _object(link: "ServerLink") -> dict[str, Any]:
    return {
        "server": link.host, "server_port": link.port, "method": link.method, "password": link.password,
        "plugin": link.plugin, "plugin_opts": link.plugin_opts, "remarks": link.remarks,
    }  # fmt: skip


def _remarks(link: "ServerLink") -> list[str]:
    from ssgui.config.documents.entry import judge_method

    return [*judge_method(link.method, link.password)[1], *link.ignored]


def _online(link: "FoundLink") -> str:
    """No server, but where there are some. The address is a password in itself, so only its host is shown."""
    host = link.online.removeprefix("https://").partition("/")[0].rpartition("@")[2]
    return f"it is the address of an online configuration, to be fetched over https from {host[:60]!a}"


def _tree(document: "Imported") -> dict[str, Any]:
    """`import --json`."""
    from ssgui.config.documents.writers import sip008_entry

    servers = []
    for server in document.servers:
        own = {"id": server.identity, "group": server.group, "custom": server.custom}
        servers.append(sip008_entry(server.profile) | {key: value for key, value in own.items() if value})
    hints = document.settings
    settings = {
        "local_port": hints.local_port, "mode": hints.mode, "share": hints.share, "udp": hints.udp,
        "subscriptions": list(hints.subscriptions), "current": hints.current,
    }  # fmt: skip
    return {
        "format": document.format,
        "title": document.title,
        "servers": servers,
        "notes": [{"severity": note.severity, "where": note.where, "what": note.what} for note in document.notes],
        "settings": {key: value for key, value in settings.items() if value not in (None, "", [])},
        "extras": document.extras,
    }

"""Links in a text of any kind, and lists of links in base64, as providers send them."""

from ssgui.config.documents.content import Content
from ssgui.config.documents.entry import read_password, take_server
from ssgui.config.documents.result import Ledger
from ssgui.config.models import PluginSettings, ServerProfile
from ssgui.config.values import located, parse_host
from ssgui.protocol.links import FoundLink, ServerLink, find_links

NAME = "links"
TITLE = "links"


def recognises(content: Content) -> bool:
    """Whether there is anything in it that looks like a link."""
    return content.tree is None and "://" in content.text


def recognises_tree(content: Content) -> bool:
    """Whether it is a list of links in JSON."""
    tree = content.tree
    return isinstance(tree, list) and any(isinstance(one, str) and "://" in one for one in tree)


def read(content: Content, ledger: Ledger) -> None:
    """Read all of them."""
    if content.tree is None:
        text = content.text
    else:
        text = "\n".join(" ".join(one.split()) if isinstance(one, str) else "" for one in content.tree)
        for number, one in enumerate(content.tree, 1):
            if not isinstance(one, str) or "://" not in one:
                ledger.skip(f"entry {number}", "it is no link")
    for found in find_links(text):
        read_link(ledger, f"link {found.number} (line {found.line})", found)


def read_link(ledger: Ledger, where: str, found: FoundLink) -> None:
    """Take one link that was found."""
    if found.online:
        ledger.online(where, found.online)
    elif found.server is None:
        ledger.skip(where, found.error)
    else:
        with ledger.reading(where):
            take_server(ledger, where, profile_of(found.server))
            for what in found.server.ignored:
                ledger.remark(where, what)


def profile_of(link: ServerLink) -> ServerProfile:
    """The server of a link; ConfigError if its host or password cannot be used."""
    plugin = PluginSettings(link.plugin, link.plugin_opts) if link.plugin else None
    with located("its server address"):
        host = parse_host(link.host)
    return ServerProfile(host, link.port, link.method, read_password(link.password), link.remarks, plugin)

"""A server's ss:// link and its QR code, for a person to carry to a client."""

import socket
from ipaddress import ip_address
from typing import TextIO

from ssgui.config.models import ServerSettings
from ssgui.protocol.links import encode_link
from ssgui.system.addresses import own_address

_BLOCKS = "\u2588\u2580\u2584"


def server_links(settings: ServerSettings, address: tuple[str, int]) -> list[str]:
    """The link of a server that listens on `address`; of one that has users, one for each."""
    host, port = _reachable(address[0]), address[1]
    method, password = settings.method, settings.password.reveal()
    if not settings.users:
        return [encode_link(host, port, method, password)]
    return [
        encode_link(host, port, method, f"{password}:{user.password.reveal()}", remarks=user.name)
        for user in settings.users
    ]


def show_link(link: str, out: TextIO) -> None:
    """Write the link and, where `out` can show it, the QR code."""
    out.write(f"{link}\n")
    if _can_write(_BLOCKS, out):
        import segno

        segno.make(link, error="l", micro=False).terminal(out=out, compact=True)
    out.flush()


def _reachable(host: str) -> str:
    """A wildcard is no address to go to: this machine's own, else its name."""
    try:
        anywhere = ip_address(host).is_unspecified
    except ValueError:
        return host
    return (own_address() or socket.gethostname()) if anywhere else host


def _can_write(text: str, out: TextIO) -> bool:
    try:
        text.encode(out.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True

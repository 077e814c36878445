"""`ss://` links (SIP002)."""

from base64 import urlsafe_b64encode
from urllib.parse import quote

from ssgui.protocol.errors import LocalProtocolError


def encode_link(host: str, port: int, method: str, password: str, plugin: str = "", remarks: str = "") -> str:
    """The SIP002 link of a server; `plugin` is `name;options`, options escaped as SIP003 wants them.

    A 2022 method and its key are percent-encoded, everything else is base64url, as SIP022 and SIP002 say.
    Raises LocalProtocolError for an empty host or an impossible port.
    """
    bare = host.removeprefix("[").removesuffix("]")
    if not bare or not 1 <= port <= 0xFFFF:
        raise LocalProtocolError(f"no link can be made for the server {host!a} with port {port}")
    place = f"[{quote(bare, safe=':')}]" if ":" in bare else quote(bare, safe="")
    if method.lower().startswith("2022-"):
        user = f"{quote(method, safe='')}:{quote(password, safe='')}"
    else:
        user = urlsafe_b64encode(f"{method}:{password}".encode()).decode().rstrip("=")
    query = f"/?plugin={quote(plugin, safe='')}" if plugin else ""
    tag = f"#{quote(remarks, safe='')}" if remarks else ""
    return f"ss://{user}@{place}:{port}{query}{tag}"

"""`ss://` links: SIP002, the older form that is base64 as a whole, and what surrounds them in a text.

    ss://base64url(method:password)@host:port/?plugin=name%3Boptions#name       SIP002
    ss://method:percent-encoded%20password@host:port                            SIP002, SIP022 for 2022 methods
    ss://base64(method:password@host:port)#name                                 legacy

Links come from strangers and from people's clipboards, so reading is lenient where the meaning is plain: either
base64 alphabet, padding or none, characters that should have been escaped. No message shows a password.
"""

import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote, unquote, unquote_plus

from ssgui.protocol.errors import LocalProtocolError

MAX_LINK: Final = 16 << 10  # characters
MAX_LINKS: Final = 10_000  # in one text

_MAX_HOST = 255  # bytes; the address header has one length byte
_MAX_FRAGMENTS = 8  # how many "#" may belong to a password that was not escaped
_SCHEME = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,30}://")
# Schemes after which another server begins, also where a name with blanks would go on.
_SERVERS = re.compile(
    r"(?<![A-Za-z0-9+.-])"
    r"(?:ss|ssr|ssconf|vmess|vless|trojan|hysteria2?|hy2|tuic|snell|socks5?|anytls|wireguard)://",
    re.IGNORECASE,
)
_END = re.compile(r"[\s<>\"`\uff0c\u3002\uff1b\u3001]")
_PLACE = re.compile(r"(\[[^\]@/?#]*\]|[^\[\]@/?#]*?)(?::([^\[\]@/?#:]*))?/?(?:\?(.*))?", re.S)
_STANDARD = str.maketrans("-_", "+/")
_CLOSERS = {")": "(", "]": "[", "}": "{"}
_ESCAPED = re.compile(r"\\([\\:;=])")
_IGNORED = {
    "prefix": "prefix (Outline's disguise of the first bytes) is not supported",
    "outline": "outline (the mark of an Outline server) has no effect",
}
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_UNESCAPED = re.compile(r"[A-Za-z0-9_-]+:")
_NO_PLACE = "there is no server address in it"
_OTA = "it asks for One-Time Auth (OTA), which the AEAD methods replaced"


class LinkError(LocalProtocolError):
    """A link that cannot be used; says why, in one line and without the password."""


@dataclass(frozen=True, slots=True)
class ServerLink:
    """What a link says. `plugin_opts` is verbatim (SIP003 escapes kept), the host without brackets.

    The method may be one that nobody knows. `ignored` says what of the link has no effect.
    """

    host: str
    port: int
    method: str
    password: str = field(repr=False)
    plugin: str = ""
    plugin_opts: str = ""
    remarks: str = ""
    ignored: tuple[str, ...] = field(default=(), compare=False)

    def encode(self) -> str:
        """The SIP002 link; LocalProtocolError if there can be none."""
        name = re.sub(r"([\\;])", r"\\\1", self.plugin)
        plugin = f"{name};{self.plugin_opts}" if self.plugin_opts else name
        return encode_link(self.host, self.port, self.method, self.password, plugin, self.remarks)


@dataclass(frozen=True, slots=True)
class FoundLink:
    """A link in a text, and where: its number and its line, from 1. Either `server`, `online` or `error` is set.

    `online` is the https address of an online configuration (`ssconf://`).
    """

    number: int
    line: int
    server: ServerLink | None = None
    online: str = field(default="", repr=False)
    error: str = ""


def encode_link(host: str, port: int, method: str, password: str, plugin: str = "", remarks: str = "") -> str:
    """The SIP002 link of a server; `plugin` is `name;options`, options escaped as SIP003 wants them.

    A 2022 method and its key are percent-encoded, everything else is base64url, as SIP022 and SIP002 say.
    Raises LocalProtocolError for an empty host, an impossible port, or text that is no UTF-8.
    """
    bare = host.removeprefix("[").removesuffix("]")
    if not bare or not 1 <= port <= 0xFFFF:
        raise LocalProtocolError(f"no link can be made for the server {host!a} with port {port}")
    if not all(_is_utf8(text) for text in (host, method, password, plugin, remarks)):
        raise LocalProtocolError(f"no link can be made for the server {host!a}: it has text that is not UTF-8")
    place = f"[{quote(bare, safe=':')}]" if ":" in bare else quote(bare, safe="")
    if method.lower().startswith("2022-"):
        user = f"{quote(method, safe='')}:{quote(password, safe='')}"
    else:
        user = urlsafe_b64encode(f"{method}:{password}".encode()).decode().rstrip("=")
    query = f"/?plugin={quote(plugin, safe='')}" if plugin else ""
    if query.endswith(".") and not remarks:
        query = f"{query[:-1]}%2E"  # or it would be the full stop of the text around it
    tag = f"#{quote(remarks, safe='')}" if remarks else ""
    return f"ss://{user}@{place}:{port}{query}{tag}"


def decode_link(link: str) -> ServerLink:
    """Read one link, of either form; LinkError says why it cannot be."""
    link = link.strip()
    scheme, mark, rest = link.partition("://")
    if not mark or not _SCHEME.fullmatch(f"{scheme}://"):
        raise LinkError("it is no link: it does not begin with ss://")
    if scheme.lower() != "ss":
        raise LinkError(_other_scheme(scheme.lower(), rest))
    if len(link) > MAX_LINK:
        raise LinkError(f"it is longer than {MAX_LINK} characters")
    if not _is_utf8(rest):
        raise LinkError("it has characters that are not UTF-8")
    return _decode(rest)


def online_config(link: str) -> str:
    """The https address that an `ssconf://` link stands for, or "" if it is none."""
    scheme, mark, rest = link.strip().partition("://")
    place = rest.partition("#")[0]
    return f"https://{place}" if mark and scheme.lower() == "ssconf" and place else ""


def split_plugin(text: str) -> tuple[str, str]:
    """`name;options` in two, at the first ";" that no backslash escapes; the options stay as they are.

    In the name the escapes are undone. A backslash before any other character stays: it is part of a Windows path.
    """
    position = 0
    while position < len(text) and text[position] != ";":
        position += 2 if text[position] == "\\" and text[position + 1 : position + 2] in ("\\", ";") else 1
    return _ESCAPED.sub(r"\1", text[:position]), text[position + 1 :]


def find_links(text: str) -> Iterator[FoundLink]:
    """Every link in a text of any kind: prose, lists with commas, one a line. At most MAX_LINKS.

    A link ends at a blank; but where it begins a line, its name may have blanks (as lists of servers have it).
    """
    servers, ends = _Places(_SERVERS, text), _Places(_END, text)
    line, line_start, end = 1, 0, 0
    for number in range(1, MAX_LINKS + 2):
        match = _SCHEME.search(text, end)
        if match is None:
            return
        start, body = match.span()
        line += text.count("\n", end, start)
        line_start = max(line_start, text.rfind("\n", end, start) + 1)
        if number > MAX_LINKS:
            yield FoundLink(number, line, error=f"there are more than {MAX_LINKS} links, the rest is not read")
            return
        is_first = end <= line_start and not text[line_start:start].strip()
        end = min(ends.after(body), servers.after(body))
        if is_first and text.find("#", body, end) >= 0:
            newline = text.find("\n", end)
            end = min(newline if newline >= 0 else len(text), servers.after(body))
        yield _found(number, line, _without_punctuation(text[start:end]))


class _Places:
    """Where a pattern is in a text, looked for once: questions must come in order."""

    def __init__(self, pattern: re.Pattern[str], text: str) -> None:
        self._starts = (match.start() for match in pattern.finditer(text))
        self._end = len(text)
        self._next = -1

    def after(self, position: int) -> int:
        """The first place at `position` or behind it; the end of the text if there is none."""
        while self._next < position:
            self._next = next(self._starts, self._end)
        return self._next


def _found(number: int, line: int, link: str) -> FoundLink:
    if online := online_config(link):
        return FoundLink(number, line, online=online)
    try:
        return FoundLink(number, line, decode_link(link))
    except LinkError as error:
        return FoundLink(number, line, error=str(error))


def _without_punctuation(link: str) -> str:
    """Without what belongs to the text around it. `encode_link` escapes all of it but the full stop."""
    end = len(link)
    surplus = {closer: link.count(closer) - link.count(opener) for closer, opener in _CLOSERS.items()}
    while end:
        last = link[end - 1]
        if last in surplus:
            if surplus[last] <= 0:
                break
            surplus[last] -= 1
        elif not (last.isspace() or last in ",;'\"" or (last == "." and "#" not in link)):
            break
        end -= 1
    return link[:end]


def _other_scheme(scheme: str, rest: str) -> str:
    if scheme == "ssconf":
        host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
        return f"it is the address of an online configuration, to be fetched over https from {host[:60]!a}"
    if scheme in ("http", "https"):
        return "it is a web address, not the link of a server"
    return f"links that begin with {scheme}:// are not supported, only ss://"


def _decode(rest: str) -> ServerLink:
    """`rest` is what follows ss://. A "#" ends the link, unless a password was not escaped and has it."""
    hash_mark = -1
    for _ in range(_MAX_FRAGMENTS if _UNESCAPED.match(rest) else 1):
        hash_mark = rest.find("#", hash_mark + 1)
        body, tag = (rest, "") if hash_mark < 0 else (rest[:hash_mark], rest[hash_mark + 1 :])
        remarks = unquote(tag, errors="replace")
        at = body.find("@")
        while at >= 0:
            if place := _PLACE.fullmatch(body, at + 1):
                return _sip002(body[:at], place, remarks)
            at = body.find("@", at + 1)
        if hash_mark < 0:
            break
    body, _, tag = rest.partition("#")
    if "@" in body:
        raise LinkError(_NO_PLACE)
    return _legacy(body, unquote(tag, errors="replace"))


def _sip002(user: str, place: re.Match[str], remarks: str) -> ServerLink:
    text = _unquoted(user)
    if ":" not in text:  # base64 has no colon
        text = _unpacked(text)
    method, password = _method_and_password(text)
    return _server(method, password, place, remarks)


def _legacy(body: str, remarks: str) -> ServerLink:
    packed, mark, query = body.partition("?")
    try:
        text = _unpacked(_unquoted(packed))
    except LinkError:
        if not packed.endswith("/"):
            raise
        text = _unpacked(_unquoted(packed[:-1]))
    user, at, address = text.rpartition("@")
    if not at:
        raise LinkError(_NO_PLACE)
    # An old program put its query inside: method:password@host:port?Remark=name&OTA=false
    place = _PLACE.fullmatch(f"{address}?{query}" if mark else address)
    if place is None:
        raise LinkError(_NO_PLACE)
    method, password = _method_and_password(user)
    return _server(method, password, place, remarks)


def _server(method: str, password: str, place: re.Match[str], remarks: str) -> ServerLink:
    host, port, query = place.groups()
    plugin, remarks, ignored = _query(query or "", remarks)
    name, options = split_plugin(plugin)
    if options and not name:
        raise LinkError("its plugin has no name")
    return ServerLink(_host(host), _port(port), method, password, name, options, remarks, ignored)


def _query(query: str, remarks: str) -> tuple[str, str, tuple[str, ...]]:
    """The plugin, the name, and what has no effect."""
    plugin, ignored = "", []
    for part in query.split("&"):
        key, _, value = part.partition("=")
        key, value = unquote_plus(key, errors="replace"), unquote_plus(value, errors="replace")
        if key == "plugin":
            plugin = value
        elif key.lower() == "remark":
            remarks = remarks or value
        elif key.lower() == "ota":
            if value.lower() not in ("", "0", "false"):
                raise LinkError(_OTA)
        elif key:
            ignored.append(_IGNORED.get(key, f"{key if _KEY.fullmatch(key) else 'a part of its query'} has no effect"))
    return plugin, remarks, tuple(ignored)


def _method_and_password(text: str) -> tuple[str, str]:
    method, colon, password = text.partition(":")
    if not colon:
        raise LinkError("there is no method and password in it")
    method = method.strip()
    if not method or not method.isprintable():
        raise LinkError("there is no method in it")
    if not password:
        raise LinkError("there is no password in it")
    if method.lower().endswith(("-auth", "!")):
        raise LinkError(_OTA)
    return method, password


def _host(text: str) -> str:
    bracketed = text.startswith("[") and text.endswith("]")
    host = _unquoted(text[1:-1] if bracketed else text)
    if not host:
        raise LinkError("the server address is empty")
    if not host.isprintable() or any(c in " /@[]\"'" for c in host) or len(host.encode()) > _MAX_HOST:
        raise LinkError("its server address is no host name or address")  # unseen: it may be a part of a password
    if (bracketed or ":" in host) and not _is_ipv6(host):
        raise LinkError("its server address is no IPv6 address")
    return host


def _port(text: str | None) -> int:
    if not text:
        raise LinkError("the port is missing")
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= 0xFFFF):
        raise LinkError("its port is not one of 1 to 65535")
    return int(text)


def _unquoted(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        pass
    raise LinkError("it has characters that are not UTF-8")


def _unpacked(text: str) -> str:
    """Base64 of either alphabet, with its padding or without."""
    raw = b64_bytes(text)
    if not raw:
        raise LinkError("what should be base64 is not" if text else "it is empty")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        pass  # raised outside of the handler: the error above shows the password
    raise LinkError("its method and password are not UTF-8")


def b64_bytes(text: str) -> bytes | None:
    """What base64 of either alphabet, with or without padding, stands for; None if it is none."""
    bare = text.translate(_STANDARD).rstrip("=")
    try:
        return b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        return None


def _is_ipv6(host: str) -> bool:
    try:
        return ip_address(host.partition("%")[0]).version == 6
    except ValueError:
        return False


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

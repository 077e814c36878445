"""The bytes of a document, opened: as text, and as the tree of JSON, YAML or a property list that it may be."""

import json
import plistlib
import re
from dataclasses import dataclass
from typing import Any, Final

from ssgui.config.documents.yaml_text import parse_yaml
from ssgui.config.json_text import parse_json
from ssgui.config.values import ConfigError

MAX_DOCUMENT: Final = 4 << 20  # bytes

_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")
_YAML = re.compile(r"^(?:proxies|proxy-providers|Proxy|transport|\"?\$type\"?)[ \t]*:(?:\s|$)", re.MULTILINE)
_YAML_ERROR = re.compile(r"^error[ \t]*:(?:\s|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Content:
    """`syntax` is "json", "json-lines", "yaml", "plist" or "text"; `tree` is None for text."""

    syntax: str
    text: str = ""
    tree: Any = None


def open_document(data: bytes) -> Content:
    """Find out what `data` is; ConfigError when it is nothing that can be read."""
    if len(data) > MAX_DOCUMENT:
        raise ConfigError(f"too large for a list of servers (more than {MAX_DOCUMENT >> 20} MiB)")
    if not data.strip():
        raise ConfigError("it is empty")
    if not data.strip(b"\0"):
        raise ConfigError("it is full of zero bytes: it was lost when the computer went down; look for a backup of it")
    if data.startswith(b"bplist"):
        return Content("plist", tree=_plist(data))
    return open_text(_text(data))


def open_text(text: str) -> Content:
    """The same for what is text already."""
    start = text.lstrip()[:100]
    if start.startswith(("<?xml", "<plist", "<!DOCTYPE plist")):
        return Content("plist", text, _plist(text.encode()))
    if start.startswith("[General]") or "@Variant(" in text:
        raise ConfigError("the settings of shadowsocks-qt5 cannot be read: let it export them as gui-config.json")
    if start.startswith("<"):
        raise ConfigError("it is a web page, or other XML")
    if start.startswith(("{", "[")):
        return _json(text)
    if _YAML.search(text) or ("ss://" not in text and _YAML_ERROR.search(text)):
        return Content("yaml", text, parse_yaml(text))
    return Content("text", text)


def _text(data: bytes) -> str:
    if encoding := _UTF16.get(data[:2]):
        try:
            return data[2:].decode(encoding)
        except UnicodeDecodeError:
            raise ConfigError("it begins like UTF-16 and is not") from None
    if data.startswith(_PICTURES):
        raise ConfigError("it is a picture; QR codes in pictures are not read here")
    data = data.rstrip(b"\0").removeprefix(b"\xef\xbb\xbf")
    if b"\0" in data:
        raise ConfigError(f"it has a zero byte in it (byte {data.index(0) + 1}): it is no text, or a damaged one")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"not UTF-8: byte {error.start + 1}") from None


def _json(text: str) -> Content:
    try:
        return Content("json", text, parse_json(text.encode()))
    except ConfigError as error:
        reason = str(error)
    lines = _json_lines(text)
    if lines is not None:
        return Content("json-lines", text, lines)
    whole = text.rstrip().endswith(("}", "]"))
    raise ConfigError(reason if whole else f"it ends in the middle, a part is missing ({reason})")


def _json_lines(text: str) -> list[Any] | None:
    """One object a line, as `ssgui link decode` prints them; what is no JSON among them is None."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or not all(line.lstrip().startswith("{") for line in lines):
        return None
    found = [_json_line(line) for line in lines]
    return found if isinstance(found[0], dict) else None


def _json_line(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _plist(data: bytes) -> Any:
    try:
        return plistlib.loads(data)
    except Exception as error:  # noqa: BLE001  whatever its parsers meet in damaged bytes, of half a dozen types
        raise ConfigError(f"a damaged property list ({type(error).__name__})") from None

"""A bundle to show to somebody who helps: what this program is, how it is set and what it did, without secrets.

Every text of it passes a `Mask`: it takes out the secrets that are known, whatever looks like a link with a secret
in it, the person's own folder, and, unless they are wanted, every host name and address that is not this computer.
"""

import io
import ipaddress
import json
import re
import zipfile
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

HIDDEN = "•••"
_LINKS = re.compile(r"\b(?:ss|ssconf|ssr|vmess|vless|trojan)://\S+", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)[^/\s@]+@")
_PATH_OF_ADDRESS = re.compile(r"(?<=https://)([^/\s?#]+)[/?#]\S+", re.IGNORECASE)
_V6 = re.compile(r"(?<![\w.:])(?:[0-9a-fA-F]{0,4}:){2,7}(?:[0-9a-fA-F]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])")
_V4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)")
_NAME = re.compile(r"(?<![\w./\\-])(?:[^\W_](?:[\w-]*\w)?\.)+(?:[^\W\d_]{2,24}|xn--[\w-]+)(?![\w-])")
_FILES = frozenset({"json", "py", "txt", "sock", "so", "dll", "exe", "log", "pac", "zip", "sqlite", "lock", "md"})
_SHORT = 6  # letters; a shorter secret is taken out only where it stands alone


class _Words:
    """Finds any of many words in a text, in one pass: there may be ten thousand passwords. Short ones stand alone."""

    def __init__(self, words: Mapping[str, str]) -> None:
        """`words`, each with what stands for it."""
        self._heads: dict[str, list[tuple[str, str]]] = {}
        for word in sorted((one for one in words if one), key=len, reverse=True):
            self._heads.setdefault(word[:_SHORT], []).append((word, words[word]))
        self._lengths = sorted({len(head) for head in self._heads}, reverse=True)

    def replace(self, text: str) -> str:
        """`text` with none of them in it."""
        done: list[str] = []
        at = start = 0
        while self._heads and at < len(text):
            word, by = self._at(text, at)
            if word:
                done += (text[start:at], by)
                at = start = at + len(word)
            else:
                at += 1
        return "".join((*done, text[start:]))

    def _at(self, text: str, at: int) -> tuple[str, str]:
        for length in self._lengths:
            for word, by in self._heads.get(text[at : at + length], ()):
                if text.startswith(word, at) and (len(word) >= _SHORT or _stands_alone(text, at, at + len(word))):
                    return word, by
        return "", ""


def _stands_alone(text: str, start: int, end: int) -> bool:
    return not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum())


class Mask:
    """Takes out `secrets`, in every spelling that a link or a header has for them; and `hosts`, if there are any.

    `hide_hosts` also takes out what only looks like a host. `names` are words of people (remarks, groups), each with
    what stands for it.
    """

    def __init__(
        self, secrets: Iterable[str], *, hide_hosts: bool = True, names: Mapping[str, str] | None = None,
        hosts: Iterable[str] = (), home: Path | None = None,
    ) -> None:  # fmt: skip
        spelled = {form for secret in secrets if secret.strip() for form in _spellings(secret)}
        self._secrets = _Words(dict.fromkeys(spelled, HIDDEN))
        self._hide_hosts = hide_hosts
        known = dict.fromkeys(hosts, HIDDEN) | {one: by for one, by in (names or {}).items() if one.strip()}
        self._known = _Words(known if hide_hosts else {})
        self._home = str(home) if home is not None and len(str(home)) > 1 else ""

    def text(self, text: str) -> str:
        """`text` as others may see it."""
        if self._home:
            text = text.replace(self._home, "~")
        text = self._secrets.replace(text)
        text = _LINKS.sub(HIDDEN, text)
        text = _LOGIN.sub(f"{HIDDEN}@", text)
        text = _PATH_OF_ADDRESS.sub(rf"\1/{HIDDEN}", text)
        return self._without_hosts(text) if self._hide_hosts else text

    def _without_hosts(self, text: str) -> str:
        text = self._known.replace(text)
        text = _V6.sub(lambda match: match[0] if _is_here(match[0]) else HIDDEN, text)
        text = _V4.sub(lambda match: match[0] if _is_here(match[0]) else HIDDEN, text)
        return _NAME.sub(lambda match: match[0] if _is_ours(match[0]) else HIDDEN, text)

    def tree(self, value: Any) -> Any:
        """JSON with every text of it masked."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.tree(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(one) for one in value]
        return value


def _spellings(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    forms = {secret, secret.strip(), quote(secret, safe="", errors="replace"), json.dumps(secret)[1:-1]}
    if len(secret) >= _SHORT:
        forms |= {encode(raw).decode().rstrip("=") for encode in (b64encode, urlsafe_b64encode)}
        forms |= {repr(secret)[1:-1]}
    return forms


def _is_ours(name: str) -> bool:
    """Whether it is the name of a file or of a part of this program."""
    return name.rpartition(".")[2] in _FILES or name.startswith("ssgui.")


def _is_here(address: str) -> bool:
    """Whether it says nothing about anybody: this computer, everywhere, or no address at all."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return not re.fullmatch(r"[0-9.]+", address) and address.count(":") < 3  # a time of day, not an address
    return found.is_loopback or found.is_unspecified


def bundle(parts: Mapping[str, Any], mask: Mask) -> bytes:
    """A zip with a file for each part: texts as they are, everything else as JSON; all of it masked."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            text = part if isinstance(part, str) else json.dumps(mask.tree(part), ensure_ascii=False, indent=1)
            if isinstance(part, str):
                text = mask.text(text)
            archive.writestr(f"ssgui-diagnosis/{name}", text.encode("utf-8", "backslashreplace"))
    return buffer.getvalue()

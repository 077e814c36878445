"""Security identifiers of app containers (MS-DTYP 2.4.2): in memory, as bytes, and as text."""

import ctypes
import re
import struct

_TEXT = re.compile(r"S-1-15-2(?:-\d{1,10}){1,14}")  # ALL_APP_PACKAGES and app containers only
_HEAD = struct.Struct(">BBHI")  # revision, count, and the authority in 48 bits


def sid_at(place: int) -> bytes:
    """The identifier that lies at an address."""
    count = ctypes.c_uint8.from_address(place + 1).value
    return ctypes.string_at(place, 8 + 4 * count)


def sid_text(sid: bytes) -> str:
    """As people and command lines have it: S-1-15-2-…"""
    revision, count, high, low = _HEAD.unpack_from(sid)
    rest = struct.unpack_from(f"<{count}I", sid, _HEAD.size)
    return "-".join(["S", str(revision), str((high << 32) | low), *map(str, rest)])


def sid_of(text: str) -> bytes:
    """The bytes of an app container's identifier. ValueError for anything else."""
    if not _TEXT.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no identifier of an app container")
    _, revision, authority, *rest = text.split("-")
    numbers = [int(one) for one in rest]
    if max(numbers) > 0xFFFFFFFF:
        raise ValueError(f"{text[:60]!r} is no identifier of an app container")
    return _HEAD.pack(int(revision), len(numbers), 0, int(authority)) + struct.pack(f"<{len(numbers)}I", *numbers)

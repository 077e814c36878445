"""Where other programs of this kind keep their servers."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 4 << 20


def find_documents(home: Path | None = None) -> list[Path]:
    """The files that are there, the likeliest first. Blocking."""
    found = []
    for path in _places(home or Path.home()):
        try:
            if path.is_file() and 0 < path.stat().st_size <= MOST_BYTES:
                found.append(path)
        except OSError:
            continue
    return list(dict.fromkeys(found))


def _places(home: Path) -> Iterator[Path]:
    """shadowsocks-windows, ShadowsocksX-NG, Clash and its kin, shadowsocks-libev and -rust."""
    for folder in ("Shadowsocks", "shadowsocks", "Downloads/Shadowsocks", "Desktop/Shadowsocks"):
        yield home / folder / "gui-config.json"
    if sys.platform == "darwin":
        library = home / "Library"
        yield library / "Preferences/com.qiuyuzhou.ShadowsocksX-NG.plist"
        yield from _files(library / "Application Support/io.github.clash-verge-rev.clash-verge-rev/profiles", "*.yaml")
    if sys.platform == "win32":
        for name in ("APPDATA", "LOCALAPPDATA", "PROGRAMFILES"):
            if folder := os.environ.get(name):
                yield Path(folder) / "Shadowsocks/gui-config.json"
        if folder := os.environ.get("APPDATA"):
            yield from _files(Path(folder) / "io.github.clash-verge-rev.clash-verge-rev/profiles", "*.yaml")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    yield from _files(config / "clash", "*.yaml")
    yield from _files(config / "mihomo", "*.yaml")
    yield from _files(config / "clash/profiles", "*.yaml")
    yield from _files(data / "io.github.clash-verge-rev.clash-verge-rev/profiles", "*.yaml")
    yield config / "shadowsocks-rust/config.json"
    yield config / "shadowsocks/config.json"


def _files(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))[:20]
    except OSError:
        return []

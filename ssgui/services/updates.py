"""Whether there is a newer version: the latest release is looked up, and nothing is ever installed.

Where releases are told of is in the project's metadata (`Latest release` and `Download` under its URLs). A build
without them, such as one of a private copy, has nowhere to look and does not.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ssgui.config.secret import Secret
from ssgui.services.fetching import FetchError, fetch

_MOST_LETTERS = 60


class UpdateError(Exception):
    """The latest release could not be looked up; says why."""


@dataclass(frozen=True, slots=True)
class Releases:
    """Where to ask (JSON with a `tag_name`, as code hosts give it), and the page for people."""

    latest: str
    page: str


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest version, "" for none yet; `etag` to be sent next time, `unchanged` that it still holds."""

    version: str
    etag: str = ""
    unchanged: bool = False


@lru_cache
def releases(name: str = "ssgui") -> Releases | None:
    """What the metadata of the installed project says, None if it says nothing."""
    from importlib import metadata

    try:
        lines = metadata.metadata(name).get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return None
    found = {label.strip().lower(): url.strip() for label, _, url in (line.partition(",") for line in lines)}
    latest, page = found.get("latest release", ""), found.get("download", "")
    both = latest.startswith("https://") and page.startswith("https://")
    return Releases(latest, page) if both else None


async def look_up(place: Releases, *, etag: str = "", **way: Any) -> Latest:
    """Ask for the latest release, `way` being how `fetch` gets there. UpdateError."""
    try:
        answer = await fetch(Secret(place.latest), etag=etag, **way)
    except FetchError as error:
        raise UpdateError(str(error)) from None
    if answer.unchanged:
        return Latest("", answer.etag or etag, True)
    try:
        tree: Any = json.loads(answer.data)
    except (ValueError, RecursionError):
        raise UpdateError("the answer is no JSON") from None
    tag = tree.get("tag_name") if isinstance(tree, dict) else None
    if not isinstance(tag, str) or not is_version(tag):
        raise UpdateError("the answer names no version")
    return Latest(tag.removeprefix("v"), answer.etag)


def is_version(text: str) -> bool:
    """Whether `text` can be compared."""
    from packaging.version import InvalidVersion, Version

    try:
        Version(text[:_MOST_LETTERS])
    except InvalidVersion:
        return False
    return len(text) <= _MOST_LETTERS


def is_newer(version: str, than: str) -> bool:
    """Whether a release, and no preview, is newer than what runs."""
    from packaging.version import Version

    if not is_version(version) or not is_version(than):
        return False
    found = Version(version)
    return not found.is_prerelease and found > Version(than)

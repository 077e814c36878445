"""What the app is asked to do when it starts, before there is a window."""

from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ssgui.config.models import LocalSettings


@dataclass(frozen=True, slots=True)
class DesktopJob:
    """The data directory, links to offer, and with `run` servers for this run only, which are not kept.

    `events` gets the journal as JSON lines; `debug` logs every connection, whatever the settings say.
    """

    folder: Path
    links: tuple[str, ...] = ()
    run: LocalSettings | None = None
    events: TextIO | None = None
    debug: bool = False

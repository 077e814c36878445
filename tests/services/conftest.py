"""Tests that read an engine through the services run on every poller, too."""

from tests.support.playing import play, play_once

__all__ = ["play", "play_once"]

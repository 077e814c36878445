"""The engine's tests run on every poller."""

from tests.support.playing import play

__all__ = ["play"]

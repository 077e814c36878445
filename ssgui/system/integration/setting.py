"""What every such setting looks like to us. Standard library only; calls block."""

from abc import ABC, abstractmethod
from enum import StrEnum


class IntegrationError(Exception):
    """The system could not be asked or changed; says what was tried and what came of it."""


class Feature(StrEnum):
    """What a system may have."""

    LOGIN = "login"  # it starts when the person logs in
    LINKS = "links"  # it opens ss:// links
    STORE_APPS = "store-apps"  # apps from Microsoft's store may connect to this computer's own ports


class SystemSetting(ABC):
    """One thing that is on or off for this person. Every method raises IntegrationError."""

    @abstractmethod
    def is_on(self) -> bool:
        """What the system says now."""

    @abstractmethod
    def turn(self, on: bool) -> None:
        """Set it, and look whether it took."""

    @abstractmethod
    def forget(self) -> None:
        """As if ssgui had never been here. What is another program's stays."""


Settings = dict[Feature, SystemSetting]


def turned(setting: SystemSetting, on: bool, otherwise: str) -> None:
    """IntegrationError with `otherwise` unless `setting` is now `on`: some systems take a change and do not keep it."""
    if setting.is_on() is not on:
        raise IntegrationError(otherwise)

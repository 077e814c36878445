"""What Qt hears of the network, for systems that have no rtnetlink: Windows and macOS."""

import sys
from typing import Protocol

from PySide6.QtCore import QObject, SignalInstance

from ssgui.services.awake import Awake


class Information(Protocol):
    """What of a QNetworkInformation is used."""

    @property
    def reachabilityChanged(self) -> SignalInstance: ...

    @property
    def transportMediumChanged(self) -> SignalInstance: ...

    def reachability(self) -> object: ...


def network_information(platform: str = sys.platform) -> Information | None:
    """Qt's, where it is wanted and works. On Linux it knows only the interfaces that NetworkManager manages."""
    if platform.startswith("linux"):
        return None
    from PySide6.QtNetwork import QNetworkInformation

    if not QNetworkInformation.loadDefaultBackend():
        return None
    return QNetworkInformation.instance()


class QtNetwork(QObject):
    """Passes on to `awake` what `information` tells."""

    def __init__(self, awake: Awake, information: Information, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._awake, self._information = awake, information
        information.reachabilityChanged.connect(self._changed)
        information.transportMediumChanged.connect(self._changed)
        self._changed()

    def _changed(self, *_: object) -> None:
        from PySide6.QtNetwork import QNetworkInformation

        reachability = QNetworkInformation.Reachability
        found = self._information.reachability()
        self._awake.outside({reachability.Unknown: None, reachability.Disconnected: False}.get(found, True))  # type: ignore[call-overload]
        self._awake.heard()

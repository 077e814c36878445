"""What Qt hears of the network reaches the header's state."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QNetworkInformation
from pytestqt.qtbot import QtBot

from ssgui.gui.network import QtNetwork, network_information
from ssgui.services.awake import Awake
from ssgui.system.network import NetworkState

Reachability = QNetworkInformation.Reachability


class Information(QObject):
    """A QNetworkInformation that a test speaks through."""

    reachabilityChanged = Signal(Reachability)
    transportMediumChanged = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.now = Reachability.Online

    def reachability(self) -> Reachability:
        return self.now

    def say(self, now: Reachability) -> None:
        self.now = now
        self.reachabilityChanged.emit(now)


def test_disconnected_is_offline_and_unknown_is_not(qtbot: QtBot) -> None:
    awake = Awake(lambda: "", lambda _: None, look=lambda _: NetworkState(frozenset({"192.0.2.7"})))
    information = Information()
    listening = QtNetwork(awake, information)
    states = []
    for now in (Reachability.Disconnected, Reachability.Unknown, Reachability.Disconnected, Reachability.Local):
        information.say(now)
        states.append(awake.online)
    assert states == [False, True, False, True]
    assert listening is not None


def test_linux_is_asked_itself() -> None:
    assert network_information("linux") is None

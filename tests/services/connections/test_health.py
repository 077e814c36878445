"""How all connections are doing."""

import pytest

from ssgui.engine.stages import Reason, Stage
from ssgui.services.connections import health
from ssgui.services.connections.health import LATELY, Failures, is_failure, standing
from ssgui.services.connections.records import Connection
from ssgui.services.connections.segments import SegmentKind as K


def at(stage: Stage, since: float, *, up: float | None = None, down: float | None = None) -> Connection:
    one = Connection(1, 1, "socks5", "127.0.0.1:5", since, stage=stage, timeline=[(stage, since)])
    one.first_up, one.first_down = up, down
    return one


def ended(when: float, reason: Reason | None) -> Connection:
    return Connection(1, 1, "socks5", "127.0.0.1:5", 0.0, ended=when, reason=reason)


def test_what_connections_are_at_and_which_of_them_for_long() -> None:
    live = [
        at(Stage.INIT, 90.0), at(Stage.ADDR, 99.0), at(Stage.DNS, 99.0), at(Stage.DNS, 94.9),
        at(Stage.CONNECTING, 90.0), at(Stage.CONNECTING, 91.0), at(Stage.CONNECTING, 95.1),
        at(Stage.STREAM, 10.0, up=99.0), at(Stage.STREAM, 10.0, up=94.0), at(Stage.STREAM, 10.0),
        at(Stage.STREAM, 10.0, up=20.0, down=21.0), at(Stage.STREAM, 10.0, down=21.0), at(Stage.UDP_ASSOC, 1.0),
    ]  # fmt: skip
    found = standing(live, 100.0)
    assert found.counts == {K.HANDSHAKE: 2, K.DNS: 2, K.CONNECTING: 3, K.WAIT: 2, K.STREAM: 3, K.UDP: 1}
    assert found.slow == {K.DNS: 1, K.CONNECTING: 2, K.WAIT: 1}
    assert sum(found.counts.values()) == len(live)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_a_failure_or_not(reason: Reason) -> None:
    ordinary = {"finished", "client-reset", "idle-timeout", "closed-by-user", "shutdown"}
    assert is_failure(reason) is (reason not in ordinary)


def test_reasons_of_the_last_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = Failures()
    for when, reason in (
        (1.0, Reason.DNS_FAILED), (2.0, Reason.FINISHED), (3.0, Reason.CONNECT_TIMEOUT), (4.0, Reason.CONNECT_TIMEOUT),
        (5.0, None), (6.0, Reason.CLIENT_RESET),
    ):  # fmt: skip
        failures.closed(ended(when, reason))
    assert failures.lately(10.0) == [(Reason.CONNECT_TIMEOUT, 2), (Reason.DNS_FAILED, 1)]
    assert failures.lately(LATELY + 2.5) == [(Reason.CONNECT_TIMEOUT, 2)]
    assert failures.lately(LATELY + 5) == []
    monkeypatch.setattr(health, "_MOST", 3)
    for when in range(5):
        failures.closed(ended(float(when), Reason.REPLAY))
    assert failures.lately(5.0) == [(Reason.REPLAY, 3)]

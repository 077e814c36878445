"""What is known of a server from real connections: shares, medians, rates, courses, and never too much of it."""

import pytest

from ssgui.engine.stages import Reason
from ssgui.services.connections.records import Connection
from ssgui.services.diagnosis.server_quality import (
    MOST_CONNECTIONS,
    MOST_SERVERS,
    Quality,
    ServerQuality,
    Spread,
    spread,
)
from tests.support.past import ended

TOKYO = "Tokyo 1"


def after(*connections: Connection) -> ServerQuality:
    quality = ServerQuality()
    for one in connections:
        quality.closed(one)
    return quality


def test_success_latency_and_their_courses() -> None:
    ones = [ended(number, connect=0.01 * number, wait=0.1 * number) for number in range(1, 6)]
    ones.append(ended(6, reason=Reason.CONNECT_TIMEOUT, down=0))
    ones.append(ended(7, reason=Reason.CLIENT_RESET, down=0))  # says nothing about the server
    found = after(*ones).of(TOKYO, 100.0)
    assert found.connections == 6
    assert found.succeeded == pytest.approx(5 / 6)
    assert found.connect == pytest.approx((0.03, 0.048))
    assert found.first_byte == pytest.approx((0.3, 0.48))
    assert found.connects == pytest.approx((0.01, 0.02, 0.03, 0.04, 0.05))
    assert found.successes == pytest.approx((1, 1, 1, 1, 1, 5 / 6))


def test_direct_connections_and_strangers_say_nothing() -> None:
    quality = after(ended(1, route="direct", server=""), ended(2, route="proxy", server=""))
    quality.flowed("", 1, 1, 5.0)
    assert quality.of("", 5.0) == Quality()
    assert quality.of(TOKYO, 5.0) == Quality()


def test_a_server_that_speaks_first_made_nobody_wait() -> None:
    one = ended(1)
    assert one.first_down is not None
    one.first_up = one.first_down + 1
    assert after(one).of(TOKYO, 100.0).first_byte is None


def test_throughput_is_the_fastest_five_seconds_of_an_hour() -> None:
    quality = ServerQuality()
    for tick in range(25):  # 5 s of 1 MB/s, looked at five times a second
        quality.flowed(TOKYO, 0, 200_000, 600.0 + tick / 5)
    quality.flowed(TOKYO, 0, 1_000_000, 760.0)
    found = quality.of(TOKYO, 800.0)
    assert found.throughput == pytest.approx(1e6)
    assert found.rates == pytest.approx((1e6, 0.0, 2e5, 0.0))
    assert quality.of(TOKYO, 600.0 + 3700).throughput == pytest.approx(2e5)  # the hour of the first is over
    assert quality.of(TOKYO, 1e6).rates == ()


def test_looking_does_not_change_what_is_seen() -> None:
    quality = ServerQuality()
    quality.flowed(TOKYO, 0, 500_000, 600.0)
    assert quality.of(TOKYO, 600.1).throughput == quality.of(TOKYO, 600.2).throughput == pytest.approx(1e5)
    quality.flowed(TOKYO, 0, 500_000, 601.0)
    assert quality.of(TOKYO, 601.0).throughput == pytest.approx(2e5)


def test_it_is_bounded_and_forgets() -> None:
    quality = ServerQuality()
    for number in range(MOST_CONNECTIONS + 50):
        quality.closed(ended(number))
    assert quality.of(TOKYO, 100.0).connections == MOST_CONNECTIONS
    for number in range(MOST_SERVERS):
        quality.closed(ended(number, server=f"server {number}"))
    assert quality.of(TOKYO, 100.0) == Quality()
    assert len(quality._servers) == MOST_SERVERS
    for minute in range(500):
        quality.flowed("server 7", 1, 1, minute * 60.0)
    assert len(quality._servers["server 7"].minutes) <= 60
    quality.forget("server 7")
    assert quality.of("server 7", 0.0) == Quality()


def test_a_spread_lies_between_its_values() -> None:
    assert spread([]) is None
    assert spread([0.2]) == Spread(0.2, 0.2)
    assert spread([0.3, 0.1]) == pytest.approx((0.2, 0.29))

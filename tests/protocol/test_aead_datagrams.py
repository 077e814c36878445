"""Datagrams of SIP004: the vectors, and that nothing else opens."""

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.protocol.aead_datagrams import AeadClientDatagrams, AeadServerDatagrams
from ssgui.protocol.errors import AuthenticationError, ReplayError
from ssgui.protocol.methods import METHODS
from ssgui.protocol.replay import SaltFilter
from tests.protocol.vectors import load

KEY = bytes(range(32))


@pytest.mark.parametrize("name", METHODS)
def test_a_packet_opens_at_the_other_end(name: str) -> None:
    method = METHODS[name]
    client = AeadClientDatagrams(method, KEY[: method.key_size], os.urandom, SaltFilter())
    server = AeadServerDatagrams(method, KEY[: method.key_size], os.urandom, SaltFilter())
    packet = client.seal(b"up")
    assert len(packet) == method.salt_size + 2 + 16
    opened = server.open(memoryview(packet), "somebody")
    assert (opened.session, opened.plain, opened.user) == ("somebody", b"up", "")
    assert client.open(server.seal("somebody", memoryview(b"down"))) == b"down"


def test_a_packet_opens_once_and_never_at_its_sender() -> None:
    method = METHODS["aes-128-gcm"]
    ours = AeadClientDatagrams(method, KEY[:16], os.urandom, SaltFilter())
    theirs = AeadServerDatagrams(method, KEY[:16], os.urandom, SaltFilter())
    packet = ours.seal(b"once")
    with pytest.raises(ReplayError):
        ours.open(packet)
    forged = packet[:-1] + bytes([packet[-1] ^ 1])
    with pytest.raises(AuthenticationError):
        theirs.open(forged, None)
    assert theirs.open(packet, None).plain == b"once"
    with pytest.raises(ReplayError):
        theirs.open(packet, None)


@given(st.binary(max_size=200))
def test_random_bytes_do_not_open(packet: bytes) -> None:
    with pytest.raises(AuthenticationError):
        AeadClientDatagrams(METHODS["aes-128-gcm"], KEY[:16], os.urandom, SaltFilter()).open(packet)


@given(st.data())
def test_a_packet_that_was_changed_does_not_open(data: st.DataObject) -> None:
    codec = AeadClientDatagrams(METHODS["aes-128-gcm"], KEY[:16], os.urandom, SaltFilter())
    packet = bytearray(codec.seal(b"seven bytes or more"))
    packet[data.draw(st.integers(0, len(packet) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(AuthenticationError):
        AeadClientDatagrams(METHODS["aes-128-gcm"], KEY[:16], os.urandom, SaltFilter()).open(bytes(packet))


@pytest.mark.parametrize("case", load("aead_sip004.json")["cases"], ids=lambda case: str(case["method"]))
@pytest.mark.parametrize("kind", ["udp_request", "udp_response"])
def test_vectors(case: Any, kind: str) -> None:
    packet, plain = bytes.fromhex(case[kind]["wire"]), bytes.fromhex(case[kind]["plain"])
    method = METHODS[case["method"]]
    salt = packet[: method.salt_size]
    codec = AeadClientDatagrams(method, bytes.fromhex(case["key"]), lambda size: salt[:size], SaltFilter())
    assert codec.open(packet) == plain
    assert codec.seal(plain) == packet

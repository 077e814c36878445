"""The datagrams of SIP022 and SIP023: the vectors, sessions, replays, and that nothing else opens."""

import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.protocol.codecs import OpenedDatagram
from ssgui.protocol.errors import (
    AuthenticationError,
    BadRequestError,
    ClockError,
    LocalProtocolError,
    RemoteProtocolError,
    ReplayError,
)
from ssgui.protocol.identity import Users
from ssgui.protocol.sip022 import METHODS_2022, Method2022, parse_keys
from ssgui.protocol.sip022_datagrams import ClientDatagrams2022, ServerDatagrams2022
from tests.protocol.sip022_wires import ADDRESS, AES_VECTORS, NOW, VECTORS, Clock, text, vector_name

DNS = b"\x01\x09\x09\x09\x09\x00\x35"
methods = pytest.mark.parametrize("method", METHODS_2022.values(), ids=lambda method: method.name)
vectors = pytest.mark.parametrize("case", VECTORS, ids=vector_name)


@dataclass
class Ends:
    """A client, a server, and their clocks."""

    method: Method2022
    keys: tuple[bytes, ...] = ()
    users: dict[str, bytes] = field(default_factory=dict)
    most: int = 100

    def __post_init__(self) -> None:
        self.keys = self.keys or (os.urandom(self.method.key_size),)
        self.clock, self.monotonic, self.heard = Clock(), Clock(), list[int]()
        self.client, self.server = self.new_client(), self.new_server()

    def new_client(self, keys: tuple[bytes, ...] = (), clock: Clock | None = None) -> ClientDatagrams2022:
        return ClientDatagrams2022(
            self.method, keys or self.keys, clock=clock or self.clock, monotonic=self.monotonic, random=os.urandom,
            heard_clock=self.heard.append,
        )  # fmt: skip

    def new_server(self) -> ServerDatagrams2022:
        users = Users(self.keys[0], self.users.items()) if self.users else None
        return ServerDatagrams2022(
            self.method, self.keys[0], clock=self.clock, monotonic=self.monotonic, random=os.urandom, users=users,
            most=self.most,
        )  # fmt: skip

    def up(self, packet: bytes) -> OpenedDatagram:
        return self.server.open(memoryview(packet), "somewhere")


def fixed(*values: bytes) -> Any:
    """A source of randomness that gives just these."""
    left = list(values)
    return lambda size: left.pop(0) if left else bytes(size)


# ---- vectors


@vectors
def test_a_request_of_the_vectors_opens(case: dict[str, Any]) -> None:
    method = METHODS_2022[case["method"]]
    ends = Ends(method, parse_keys(method, case["psk_base64"]))
    opened = ends.up(bytes.fromhex(case["udp_request"]["wire"]))
    assert bytes(opened.plain) == bytes.fromhex("017f4d000194c1") + b"udp ping"
    assert opened.user == ""


@vectors
def test_an_answer_of_the_vectors_opens(case: dict[str, Any]) -> None:
    method = METHODS_2022[case["method"]]
    client = ClientDatagrams2022(
        method, parse_keys(method, case["psk_base64"]), clock=Clock(), monotonic=Clock(),
        random=fixed(bytes.fromhex("1122334455667788")),
    )  # fmt: skip
    opened = client.open(memoryview(bytes.fromhex(case["udp_response"]["wire"])))
    assert bytes(opened) == bytes.fromhex("017f4d000194c1") + b"udp pong"


@pytest.mark.parametrize("count", ["one", "two"])
@pytest.mark.parametrize("case", AES_VECTORS, ids=vector_name)
def test_identity_headers_of_the_vectors(case: dict[str, Any], count: str) -> None:
    method, eih = METHODS_2022[case["method"]], case[f"eih_{count}_ipsk"]
    keys = parse_keys(method, eih["password_field"])
    if count == "one":
        ends = Ends(method, keys, {"ann": keys[-1], "bob": bytes(method.key_size)})
        opened = ends.up(bytes.fromhex(eih["udp_request_wire"]))
        assert (bytes(opened.plain[7:]), opened.user) == (b"udp ping", "ann")
    client = ClientDatagrams2022(
        method, keys, clock=Clock(), monotonic=Clock(), random=fixed(bytes.fromhex("1122334455667788"))
    )
    assert bytes(client.open(bytes.fromhex(eih["udp_response_wire"]))[7:]) == b"udp pong"
    # Everything in front of the body comes out as it stands there.
    end = 16 + 16 * (len(keys) - 1)
    assert client.seal(ADDRESS + b"x")[:end] == bytes.fromhex(eih["udp_request_wire"])[:end]


# ---- both ends


@methods
def test_both_ends(method: Method2022) -> None:
    ends = Ends(method)
    for number in range(3):
        opened = ends.up(ends.client.seal(ADDRESS + b"up %d" % number))
        assert bytes(opened.plain) == ADDRESS + b"up %d" % number
        answer = ends.server.seal(opened.session, memoryview(ADDRESS + b"down %d" % number))
        assert bytes(ends.client.open(memoryview(answer))) == ADDRESS + b"down %d" % number
    assert ends.heard == [0]
    assert len(ends.server) == 1


@pytest.mark.parametrize("name", [name for name in METHODS_2022 if "aes" in name])
def test_users_are_told_apart(name: str) -> None:
    method = METHODS_2022[name]
    server, ann, bob, eve = (os.urandom(method.key_size) for _ in range(4))
    ends = Ends(method, (server, ann), {"ann": ann, "bob": bob})
    other = ends.new_client((server, bob))
    for client, user in ((ends.client, "ann"), (other, "bob"), (ends.client, "ann")):
        opened = ends.up(client.seal(ADDRESS + b"up"))
        assert opened.user == user
        assert bytes(client.open(ends.server.seal(opened.session, ADDRESS + b"down")))[7:] == b"down"
    answer = ends.server.seal(opened.session, ADDRESS)
    with pytest.raises(AuthenticationError):
        other.open(answer)
    for keys in ((server, eve), (eve, ann), (server,), (ann,), (eve,)):
        with pytest.raises(AuthenticationError):
            ends.up(ends.new_client(keys).seal(ADDRESS + b"long enough for an identity header"))


def test_a_session_follows_its_client_from_place_to_place() -> None:
    ends = Ends(METHODS_2022["2022-blake3-aes-128-gcm"])
    sessions = {ends.server.open(ends.client.seal(ADDRESS), place).session for place in ("here", "there")}
    assert len(sessions) == 1
    assert ends.up(ends.new_client().seal(ADDRESS)).session not in sessions


@methods
def test_only_dns_is_padded(method: Method2022) -> None:
    ends = Ends(method)
    plain = len(ends.client.seal(ADDRESS + b"question"))
    assert {len(ends.client.seal(ADDRESS + b"question")) for _ in range(20)} == {plain}
    packets = [ends.client.seal(DNS + b"question") for _ in range(60)]
    sizes = {len(packet) for packet in packets}
    assert len(sizes) > 20
    assert min(sizes) > plain
    assert max(sizes) <= plain + 900
    for packet in packets:
        opened = ends.up(packet)
        assert bytes(opened.plain) == DNS + b"question"
        assert bytes(ends.client.open(ends.server.seal(opened.session, opened.plain))) == DNS + b"question"
    large = DNS + bytes(1200)
    assert len(ends.client.seal(large)) == plain + 1192


# ---- what must be dropped


def dropped(ends: Ends, packet: bytes, error: type[RemoteProtocolError]) -> None:
    with pytest.raises(error) as caught:
        ends.up(packet)
    assert type(caught.value) is error


@methods
def test_a_packet_that_comes_twice(method: Method2022) -> None:
    ends = Ends(method)
    packets = [ends.client.seal(ADDRESS + bytes((number,))) for number in range(5)]
    for number in (3, 0, 4, 1, 2):
        ends.up(packets[number])
    for packet in packets:
        dropped(ends, packet, ReplayError)
    session = ends.up(ends.client.seal(ADDRESS)).session
    answer = ends.server.seal(session, ADDRESS)
    ends.client.open(answer)
    with pytest.raises(ReplayError):
        ends.client.open(answer)


@methods
@pytest.mark.parametrize("offset", [-31, -30, 30, 31])
def test_times(method: Method2022, offset: int) -> None:
    ends = Ends(method)
    away = Clock(NOW + offset)
    client = ends.new_client(clock=away)
    packet = client.seal(ADDRESS)
    if abs(offset) > 30:
        dropped(ends, packet, ClockError)
        assert len(ends.server) == 0
        away.now = NOW
        session = ends.up(client.seal(ADDRESS)).session
        away.now = NOW + offset
        with pytest.raises(ClockError, match=r"^your clock is 31 s (behind|ahead of) the server's$") as caught:
            client.open(ends.server.seal(session, ADDRESS))
        assert caught.value.offset == -offset
    else:
        session = ends.up(packet).session
        client.open(ends.server.seal(session, ADDRESS))
    assert ends.heard == [-offset]


@methods
def test_a_packet_that_was_refused_for_its_time_is_not_used_up(method: Method2022) -> None:
    ends = Ends(method)
    ends.up(ends.client.seal(ADDRESS))
    ends.clock.now += 40
    packet = ends.client.seal(ADDRESS)
    ends.clock.now -= 40
    dropped(ends, packet, ClockError)
    ends.clock.now += 40
    ends.up(packet)


@methods
def test_packets_of_the_wrong_direction(method: Method2022) -> None:
    ends = Ends(method)
    packet = ends.client.seal(ADDRESS + b"long enough to be an answer")
    session = ends.up(packet).session
    answer = ends.server.seal(session, ADDRESS)
    dropped(ends, answer, BadRequestError)
    with pytest.raises(BadRequestError, match="type 0"):
        ends.client.open(packet)


@methods
def test_an_answer_to_another_session(method: Method2022) -> None:
    ends = Ends(method)
    session = ends.up(ends.client.seal(ADDRESS)).session
    with pytest.raises(BadRequestError, match="another session"):
        ends.new_client().open(ends.server.seal(session, ADDRESS))


@given(st.sampled_from(list(METHODS_2022.values())), st.binary(max_size=120))
def test_random_bytes(method: Method2022, data: bytes) -> None:
    ends = Ends(method)
    dropped(ends, data, AuthenticationError)
    with pytest.raises(AuthenticationError):
        ends.client.open(data)
    assert len(ends.server) == 0


@pytest.mark.parametrize(
    ("method", "users"),
    [(method, users) for method in METHODS_2022.values() for users in (False, method.has_identities)],
    ids=str,
)
def test_every_flipped_bit_and_every_cut(method: Method2022, users: bool) -> None:
    key, own = os.urandom(method.key_size), os.urandom(method.key_size)
    ends = Ends(method, (key, own), {"ann": own}) if users else Ends(method, (key,))
    packet = ends.client.seal(ADDRESS + b"payload")
    for place in range(len(packet)):
        changed = bytearray(packet)
        changed[place] ^= 1 << place % 8
        dropped(ends, bytes(changed), AuthenticationError)
        dropped(ends, packet[:place], AuthenticationError)
    assert len(ends.server) == 0
    assert bytes(ends.up(packet).plain) == ADDRESS + b"payload"


@methods
def test_padding_longer_than_its_packet(method: Method2022) -> None:
    ends = Ends(method)
    time = NOW.to_bytes(8, "big")
    for padding in (b"\x00\x01", b"\x00\x01\x00", b"\xff\xff" + ADDRESS, b"\x00\x00"):
        packet = ends.client._outgoing.seal(b"\0" + time + padding)
        dropped(ends, packet, BadRequestError)
        dropped(ends, packet, ReplayError)


# ---- sessions that come and go


@methods
def test_a_forgotten_session_is_remembered_as_long_as_it_could_be_played_again(method: Method2022) -> None:
    ends = Ends(method)
    ends.clock.now += 30
    packet = ends.client.seal(ADDRESS)
    ends.clock.now -= 30
    session = ends.up(packet).session
    ends.server.forget(session)
    for _ in range(61):
        dropped(ends, packet, ReplayError)
        ends.clock.now += 1
        ends.monotonic.now += 1
    dropped(ends, packet, ReplayError)
    ends.monotonic.now += 1
    other = ends.up(ends.new_client().seal(ADDRESS)).session
    ends.server.forget(other)
    assert len(ends.server) == 1
    dropped(ends, packet, ClockError)


@methods
def test_a_forgotten_session_that_goes_on_is_the_same(method: Method2022) -> None:
    ends = Ends(method)
    session = ends.up(ends.client.seal(ADDRESS)).session
    ends.client.open(ends.server.seal(session, ADDRESS))
    ends.server.forget(session)
    assert ends.up(ends.client.seal(ADDRESS)).session is session
    ends.client.open(ends.server.seal(session, ADDRESS))
    ends.server.forget(session)
    ends.server.forget(session)
    assert len(ends.server) == 1


@methods
def test_the_table_is_bounded_and_whoever_holds_a_session_can_still_answer(method: Method2022) -> None:
    ends = Ends(method, most=10)
    first = ends.up(ends.client.seal(ADDRESS)).session
    clients = [ends.new_client() for _ in range(50)]
    for client in clients:
        ends.up(client.seal(ADDRESS))
    assert len(ends.server) == 20
    assert bytes(ends.client.open(ends.server.seal(first, ADDRESS + b"late"))) == ADDRESS + b"late"
    again = ends.up(ends.client.seal(ADDRESS)).session
    assert again is not first
    ends.server.forget(first)
    assert ends.up(ends.client.seal(ADDRESS)).session is again


@methods
def test_the_sessions_of_a_server_that_is_started_anew(method: Method2022) -> None:
    """The client takes packets of two sessions at a time, so that the last of the old one still arrive."""
    ends = Ends(method)

    def answer() -> bytes:
        ends.server = ends.new_server()
        return ends.server.seal(ends.up(ends.client.seal(ADDRESS)).session, ADDRESS)

    first, late = answer(), ends.server.seal(ends.up(ends.client.seal(ADDRESS)).session, ADDRESS + b"late")
    ends.client.open(first)
    ends.client.open(answer())
    assert bytes(ends.client.open(late)) == ADDRESS + b"late"
    third = answer()
    ends.monotonic.now += 59
    with pytest.raises(BadRequestError, match="third"):
        ends.client.open(third)
    ends.monotonic.now += 3
    ends.client.open(third)


def test_only_a_session_of_ours_can_be_answered() -> None:
    with pytest.raises(LocalProtocolError, match="no session"):
        Ends(METHODS_2022["2022-blake3-aes-128-gcm"]).server.seal("somewhere", ADDRESS)


def test_a_password_of_the_vectors_is_made_of_its_keys() -> None:
    for case in AES_VECTORS:
        field = case["eih_two_ipsk"]["password_field"]
        assert text(*parse_keys(METHODS_2022[case["method"]], field)) == field

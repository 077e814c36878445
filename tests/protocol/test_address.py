"""The address header."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.protocol.address import Address, decode_address, encode_address, join_host_port, split_host_port
from ssgui.protocol.errors import BadRequestError, LocalProtocolError
from tests.protocol.vectors import load

VECTORS = load("address_header.json")


@pytest.mark.parametrize("case", VECTORS["ok"])
def test_good_vectors(case: dict[str, Any]) -> None:
    wire = bytes.fromhex(case["bytes"])
    address = Address(case["host"], case["port"])
    assert encode_address(*address) == wire
    for data in (wire, memoryview(wire), wire + b"payload"):
        assert decode_address(data) == (address, len(wire))
    for size in range(len(wire)):
        assert decode_address(wire[:size]) is None


@pytest.mark.parametrize("case", VECTORS["bad"])
def test_bad_vectors(case: dict[str, Any]) -> None:
    wire = bytes.fromhex(case["bytes"])
    if case["why"].startswith(("short", "empty")) and case["why"] != "empty host":
        assert decode_address(wire) is None
    else:
        with pytest.raises(BadRequestError):
            decode_address(wire)


@pytest.mark.parametrize("kind", [0x11, 0x13, 0x14])
def test_one_time_auth_is_named(kind: int) -> None:
    with pytest.raises(BadRequestError, match="One-Time Auth"):
        decode_address(bytes((kind, 1, 2)))


def test_the_one_time_auth_vector_is_refused() -> None:
    with pytest.raises(BadRequestError, match="One-Time Auth"):
        decode_address(bytes.fromhex(load("ota_legacy.json")["header"]))


def test_other_types_are_refused_at_their_first_byte() -> None:
    for kind in set(range(256)) - {1, 3, 4, 0x11, 0x13, 0x14}:
        with pytest.raises(BadRequestError, match=f"unknown address type {kind}$"):
            decode_address(bytes((kind,)))


def test_an_empty_name_is_refused_at_its_length() -> None:
    with pytest.raises(BadRequestError, match="empty"):
        decode_address(b"\x03\x00")


@pytest.mark.parametrize(
    ("host", "wire"),
    [
        ("[2001:db8::1]", b"\x04\x20\x01\x0d\xb8" + bytes(11) + b"\x01"),
        ("::1", b"\x04" + bytes(15) + b"\x01"),
        ("::ffff:1.2.3.4", b"\x04" + bytes(10) + b"\xff\xff\x01\x02\x03\x04"),
        ("255.255.255.255", b"\x01\xff\xff\xff\xff"),
        # What some resolvers take for an address is a name here: the far end decides.
        ("1.2.3", b"\x03\x051.2.3"),
        ("256.1.1.1", b"\x03\x09256.1.1.1"),
        ("01.2.3.4", b"\x03\x0801.2.3.4"),
        ("fe80::1%eth0", b"\x03\x0cfe80::1%eth0"),
        ("[::1", b"\x03\x04[::1"),
        ("[1.2.3.4]", b"\x03\x09[1.2.3.4]"),
        ("host7", b"\x03\x05host7"),
        ("a\x00b", b"\x03\x03a\x00b"),
    ],
)
def test_what_is_an_address_and_what_is_a_name(host: str, wire: bytes) -> None:
    assert encode_address(host, 0x0102) == wire + b"\x01\x02"


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("", 1, "1 to 255 bytes"),
        ("a" * 256, 1, "1 to 255 bytes"),
        ("müller.example", 1, "IDNA"),
        ("h", -1, "-1 is no port"),
        ("h", 65536, "65536 is no port"),
    ],
)
def test_what_does_not_fit(host: str, port: int, message: str) -> None:
    with pytest.raises(LocalProtocolError, match=message):
        encode_address(host, port)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (Address("example.com", 443), "example.com:443"),
        (Address("127.0.0.1", 0), "127.0.0.1:0"),
        (Address("::1", 80), "[::1]:80"),
        (Address("a\x1b[31m\nb", 1), "a\\x1b[31m\\x0ab:1"),
        (Address("\udcff\udc80", 1), "\\xff\\x80:1"),
        (Address("x\x7f", 1), "x\\x7f:1"),
    ],
)
def test_text_is_fit_for_a_screen(address: Address, text: str) -> None:
    assert str(address) == text


@given(st.binary(min_size=1, max_size=255), st.integers(0, 0xFFFF))
def test_any_bytes_of_a_name_come_back(name: bytes, port: int) -> None:
    wire = bytes((3, len(name))) + name + port.to_bytes(2, "big")
    found = decode_address(wire)
    assert found is not None
    address, size = found
    assert (size, address.port) == (len(wire), port)
    again = encode_address(*address)
    # A name that is the text of an address leaves as that address.
    assert again == wire or again[0] in (1, 4)
    str(address).encode("ascii")


@given(st.sampled_from([1, 4]), st.binary(min_size=18, max_size=18))
def test_any_ip_address_comes_back(kind: int, rest: bytes) -> None:
    wire = (bytes((kind,)) + rest)[: 7 if kind == 1 else 19]
    found = decode_address(wire)
    assert found is not None
    assert encode_address(*found[0]) == wire


@given(st.binary(max_size=300))
def test_random_bytes_crash_nothing(data: bytes) -> None:
    try:
        found = decode_address(data)
    except BadRequestError:
        assert data[0] not in (1, 4)
        return
    assert found == decode_address(memoryview(data))
    if found is not None:
        assert 5 <= found[1] <= len(data)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("example.com:443", ("example.com", 443)),
        ("[2001:db8::1]:80", ("2001:db8::1", 80)),
        ("[2001:db8::1]", ("2001:db8::1", 0)),
        ("2001:db8::80", ("2001:db8::80", 0)),
        ("example.com", ("example.com", 0)),
        ("example.com:", ("example.com:", 0)),
        ("example.com:65536", ("example.com:65536", 0)),
        ("example.com:\u0664", ("example.com:\u0664", 0)),
        ("", ("", 0)),
        ("[", ("[", 0)),
        ("]0:1", ("]0", 1)),
    ],
)
def test_a_place_is_taken_apart(text: str, found: tuple[str, int]) -> None:
    assert split_host_port(text) == found


@given(st.text(max_size=60), st.integers(0, 0xFFFF))
def test_a_place_is_put_together_again(host: str, port: int) -> None:
    if not (host.startswith("[") and (":" in host or host.endswith("]"))):  # its own brackets may be ours
        assert split_host_port(join_host_port(host, port)) == (host, port)
    assert 0 <= split_host_port(host)[1] <= 0xFFFF

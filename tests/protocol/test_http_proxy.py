"""Where an HTTP request to a proxy goes, what goes with it, and the pages for what fails."""

from base64 import b64encode

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.protocol.address import Address, encode_address
from ssgui.protocol.errors import BadRequestError
from ssgui.protocol.http_proxy import (
    MAX_FIELDS,
    Forward,
    TooManyFieldsError,
    check_framing,
    checked_head,
    connect_target,
    end_to_end,
    error_page,
    forward_target,
    head_end,
    is_authorised,
    request_headers,
    wants_upgrade,
)


@pytest.mark.parametrize(
    ("target", "address"),
    [
        (b"example.com:443", Address("example.com", 443)),
        (b"[2001:db8::1]:8443", Address("2001:db8::1", 8443)),
        (b"192.0.2.1:0", Address("192.0.2.1", 0)),
    ],
)
def test_connect(target: bytes, address: Address) -> None:
    assert connect_target(target) == address


@pytest.mark.parametrize(
    "target",
    [b"example.com", b":443", b"example.com:", b"example.com:65536", b"2001:db8::1:443", b"[::1:443", b"a b:1",
     b"ex\xffample:1", b"/path:1", b"a@b:1", b"a" * 256 + b":1", b"host:-1", b"host:1\xb2"],
)  # fmt: skip
def test_connect_to_nowhere(target: bytes) -> None:
    with pytest.raises(BadRequestError):
        connect_target(target)


@pytest.mark.parametrize(
    ("target", "forward"),
    [
        (b"http://example.com", Forward(Address("example.com", 80), b"/", b"example.com")),
        (b"HTTP://Example.com:8080/a?b=c", Forward(Address("example.com", 8080), b"/a?b=c", b"Example.com:8080")),
        (b"http://u:p@h/x", Forward(Address("h", 80), b"/x", b"h")),
        (b"http://[::1]:81/?", Forward(Address("::1", 81), b"/?", b"[::1]:81")),
        (b"http://h:80", Forward(Address("h", 80), b"/", b"h:80")),
        (b"http://h?q", Forward(Address("h", 80), b"/?q", b"h")),
        (b"http://h/a#b", Forward(Address("h", 80), b"/a", b"h")),
    ],
)
def test_absolute_form(target: bytes, forward: Forward) -> None:
    assert forward_target(target) == forward


def test_options_of_a_whole_server() -> None:
    assert forward_target(b"http://h", b"OPTIONS").path == b"*"
    assert forward_target(b"http://h/", b"OPTIONS").path == b"/"
    assert forward_target(b"http://h?a", b"OPTIONS").path == b"/?a"


@pytest.mark.parametrize(
    "target",
    [b"/", b"/proxy.pac", b"*", b"https://example.com/", b"ftp://x/", b"http://", b"http:///x", b"http://h:99999/",
     b"http://[::1/", b"example.com/x", b"http://h\x01/"],
)  # fmt: skip
def test_what_is_not_for_a_proxy(target: bytes) -> None:
    with pytest.raises(BadRequestError):
        forward_target(target)


@given(st.binary(max_size=80))
def test_any_target_is_an_address_or_an_error(target: bytes) -> None:
    for parse in (connect_target, forward_target):
        try:
            found = parse(target)
        except BadRequestError:
            continue
        address = found.address if isinstance(found, Forward) else found
        assert encode_address(address.host, address.port)


def test_hop_by_hop_headers_stay_here() -> None:
    headers = [
        (b"Host", b"other"), (b"Connection", b"close, X-Secret"), (b"X-Secret", b"1"), (b"Proxy-Connection", b"x"),
        (b"Proxy-Authorization", b"Basic eA=="), (b"TE", b"trailers"), (b"Keep-Alive", b"5"), (b"Upgrade", b"h2c"),
        (b"Accept", b"*/*"), (b"Content-Length", b"3"), (b"Transfer-Encoding", b"chunked"),
    ]  # fmt: skip
    assert request_headers(headers, b"example.com") == [
        (b"Host", b"example.com"), (b"Accept", b"*/*"), (b"Content-Length", b"3"), (b"Transfer-Encoding", b"chunked"),
    ]  # fmt: skip


def test_a_connection_header_cannot_take_the_framing_away() -> None:
    headers = [(b"Connection", b"content-length, transfer-encoding, host"), (b"Content-Length", b"3")]
    assert (b"Content-Length", b"3") in end_to_end(headers)


def test_an_upgrade_is_passed_on() -> None:
    headers = [(b"Connection", b"keep-alive, Upgrade"), (b"Upgrade", b"websocket")]
    assert wants_upgrade(headers)
    assert end_to_end(headers, upgrade=True) == [(b"Upgrade", b"websocket"), (b"Connection", b"Upgrade")]
    assert not wants_upgrade([(b"Upgrade", b"websocket")])
    assert not wants_upgrade([(b"Connection", b"Upgrade")])


@given(
    st.lists(st.tuples(st.sampled_from([b"Connection", b"X-A", b"X-B", b"Upgrade", b"Host"]), st.binary(max_size=9)))
)
def test_nothing_that_is_named_gets_through(headers: list[tuple[bytes, bytes]]) -> None:
    kept = {name.lower() for name, _ in end_to_end(headers)}
    named = {token.strip().lower() for name, value in headers if name == b"Connection" for token in value.split(b",")}
    assert not kept & ((named - {b"host"}) | {b"connection", b"upgrade"})


@pytest.mark.parametrize(
    ("value", "good"),
    [
        (b"Basic " + b64encode(b"me:secret"), True),
        (b"basic  " + b64encode(b"me:secret"), True),
        (b"Basic " + b64encode(b"me:wrong"), False),
        (b"Basic " + b64encode(b"you:"), False),
        (b"Basic " + b64encode(b"nopassword"), False),
        (b"Basic !!!", False),
        (b"Bearer x", False),
        (b"", False),
    ],
)
def test_passwords(value: bytes, good: bool) -> None:
    users = {b"me": b"secret", b"you": b""}
    assert is_authorised([(b"Proxy-Authorization", value)], users) is good
    assert is_authorised([], None)
    assert not is_authorised([], users)


@pytest.mark.parametrize("status", [400, 403, 407, 408, 431, 501, 502, 504])
def test_pages_are_whole_responses(status: int) -> None:
    for method, body in (("GET", True), ("HEAD", False)):
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method=method, target="/", headers=[("Host", "h")]))
        client.send(h11.EndOfMessage())
        client.receive_data(error_page(status, "why", body=body))
        response = client.next_event()
        assert isinstance(response, h11.Response)
        assert response.status_code == status
        assert dict(response.headers)[b"connection"] == b"close"
        assert (b"proxy-authenticate" in dict(response.headers)) is (status == 407)
        event = client.next_event()
        assert isinstance(event, h11.Data) is body


# ---- heads


def test_a_head_ends_with_a_blank_line() -> None:
    assert head_end(b"GET / HTTP/1.1\r\nA: b\r\n") == 0
    assert head_end(b"GET / HTTP/1.1\r\nA: b\r\n\r\nbody\r\n\r\n") == len(b"GET / HTTP/1.1\r\nA: b\r\n\r\n")
    assert head_end(b"GET / HTTP/1.1\n\nbody") == len(b"GET / HTTP/1.1\n\n")


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n"])).map(b"".join), st.data())
def test_where_a_head_ends_does_not_hang_on_the_split(data: bytes, draw: st.DataObject) -> None:
    seen = draw.draw(st.integers(0, len(data)))
    if not head_end(data[:seen]):
        assert head_end(data, seen) == head_end(data)


@given(st.text("GETHP/1. ab:?*\r\nhost", max_size=60))
def test_any_head_is_a_request_or_an_error(text: str) -> None:
    head = text.encode() + b"\r\n\r\n"
    try:
        checked = checked_head(head[: head_end(head)])
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(checked)
        request = connection.next_event()
        assert isinstance(request, h11.Request)
        check_framing(request.headers.raw_items(), request.http_version)
    except (BadRequestError, h11.RemoteProtocolError):
        pass


@pytest.mark.parametrize("more", [b"", b"X-Host: a\r\n", b"X: host:\r\n"])
def test_a_host_is_filled_in_where_there_is_none(more: bytes) -> None:
    head = b"GET http://x/ HTTP/1.1\r\n" + more + b"\r\n"
    assert checked_head(head) == b"GET http://x/ HTTP/1.1\r\nHost: -\r\n" + more + b"\r\n"
    for field in (b"Host: x\r\n", b"hOST : x\r\n"):
        there = b"GET http://x/ HTTP/1.1\r\n" + more + field + b"\r\n"
        assert checked_head(there) == there


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1", b"GET /proxy.pac HTTP/1.0", b"OPTIONS * HTTP/1.1", b"POST /a b"])
@pytest.mark.parametrize("fields", [b"", b"Host: a\r\n", b"Host: a\r\nHost: b\r\n", b"no field\r\n", b"X: y\r\n" * 999])
def test_origin_form_is_one_and_the_same_mistake(line: bytes, fields: bytes) -> None:
    with pytest.raises(BadRequestError, match=r"^this is a proxy, not a web server$"):
        checked_head(line + b"\r\n" + fields + b"\r\n")


def test_the_number_of_fields_is_bounded() -> None:
    line, field = b"GET http://x/ HTTP/1.1\r\n", b"X: y\r\n"
    assert checked_head(line + field * MAX_FIELDS + b"\r\n")
    with pytest.raises(TooManyFieldsError):
        checked_head(line + field * (MAX_FIELDS + 1) + b"\r\n")


@pytest.mark.parametrize(
    ("names", "version", "good"),
    [
        ([b"Content-Length"], b"1.1", True),
        ([b"Content-Length"], b"1.0", True),
        ([b"Transfer-Encoding"], b"1.1", True),
        ([b"Transfer-Encoding"], b"1.0", False),
        ([b"Transfer-Encoding", b"content-length"], b"1.1", False),
        ([], b"2.0", False),
    ],
)
def test_a_request_has_one_end(names: list[bytes], version: bytes, good: bool) -> None:
    fields = [(name, b"chunked" if name[:1] == b"T" else b"1") for name in names]
    if good:
        check_framing(fields, version)
    else:
        with pytest.raises(BadRequestError):
            check_framing(fields, version)

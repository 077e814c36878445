"""What managers say: what is taken of it, what is refused, and that nothing crashes it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.app.server.manager_protocol import (
    MAX_ANSWER,
    MAX_REQUEST,
    Add,
    Ask,
    Order,
    Remove,
    answer_to_list,
    answer_to_ping,
    parse_order,
)
from ssgui.config.models import ServerSettings, ServerUser
from ssgui.config.options import ServerEntry
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError

KEYS = ["server_port", "password", "method", "mode", "users", "plugin", "plugin_opts", "no_delay", "name", "x"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("data", "order"),
    [
        (b'add: {"server_port": 8001, "password":"p"}', Add(ServerEntry("", 8001, password=Secret("p")))),
        (b'add:{"server_port":"8001","password":"p"}\n', Add(ServerEntry("", 8001, password=Secret("p")))),
        (
            b'add: {"server_port": 8001, "password":"p", "method":"AES-256-GCM", "mode":"tcp_and_udp",'
            b' "plugin": "", "no_delay": true, "name": "somebody"}',
            Add(ServerEntry("", 8001, "aes-256-gcm", Secret("p"), udp=True)),
        ),
        (
            b'add: {"server_port": 8001, "password":"p", "users":[{"name":"ann","password":"k"}]}',
            Add(ServerEntry("", 8001, password=Secret("p"), users=(ServerUser("ann", Secret("k")),))),
        ),
        (b'remove: {"server_port": 8001}', Remove(8001)),
        (b'remove: {"server_port": "8001", "password": "whatever"}', Remove(8001)),
        (b"list", Ask("list")),
        (b"ping", Ask("ping")),
        (b"ping:", Ask("ping")),
        (b"ping\n\0", Ask("ping")),
        (b'stat: {"8001":5}', None),
        (b"nonsense", None),
        (b"", None),
        (b"\xff\xfe", None),
    ],
)
def test_orders(data: bytes, order: object) -> None:
    assert parse_order(data) == order


def test_a_nesting_without_end() -> None:
    """Python 3.13 follows it to the last bracket."""
    with pytest.raises(ConfigError, match=r"a nesting without end|Expecting value"):
        parse_order(b"add: " + b"[" * 9000)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"add", "line 1, column 1"),
        (b"add: nonsense", "line 1, column 2"),
        (b"add: []", "not one JSON object"),
        (b"add: {}", '"server_port" is missing'),
        (b'add: {"server_port": 8001}', '"password" is missing'),
        (b'add: {"server_port": 0, "password":"p"}', "\"server_port\": '0' is no port"),
        (b'add: {"server_port": true, "password":"p"}', '"server_port": must be a whole number'),
        (b'add: {"server_port": 8001, "password":"mypassword"}', "everybody knows"),
        (b'add: {"server_port": 8001, "password":"p", "method":"none"}', '"method": '),
        (b'add: {"server_port": 8001, "password":"p", "mode":"udp_only"}', '"mode": udp_only is not supported'),
        (b"remove: {}", '"server_port" is missing'),
        (b'add: {"server_port": ' + b"9" * 6000 + b"}", "a number or a nesting without end"),
        (b"x" * (MAX_REQUEST + 1), f"an order of {MAX_REQUEST + 1} bytes"),
    ],
)
def test_orders_that_are_wrong(data: bytes, why: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(why)):
        parse_order(data)


@pytest.mark.parametrize("key", ["plugin", "plugin_opts", "plugin_args", "executable", "acl", "manager_address"])
def test_a_manager_names_no_program_and_no_file(key: str) -> None:
    tree = {"server_port": 8001, "password": "p", key: "/bin/sh"}
    with pytest.raises(ConfigError, match=f'"{key}" is not for managers to say'):
        parse_order(b"add: " + json.dumps(tree).encode())


def test_a_manager_reads_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSGUI_TEST_SECRET", "hunter22")
    with pytest.raises(ConfigError) as caught:
        parse_order(b'add: {"server_port": 8001, "password": "${SSGUI_TEST_SECRET}"}')
    assert "hunter22" not in str(caught.value)


def order_or_complaint(data: bytes) -> Order | None:
    """What is asked for; None stands for what has no answer, and for what is wrong, which is said in a line."""
    order, complaint = None, "nothing"
    try:
        order = parse_order(data)
    except ConfigError as error:
        complaint = str(error)
    assert complaint
    assert "\n" not in complaint
    assert order is None or isinstance(order, Order)
    return order


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda data: b"add: " + data))
def test_any_bytes(data: bytes) -> None:
    order = order_or_complaint(data)
    assert order is None or data.lstrip().startswith((b"add", b"remove", b"list", b"ping"))


@given(st.sampled_from(["add", "remove"]), st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_any_object(word: str, tree: dict[str, object]) -> None:
    try:
        order = parse_order(f"{word}: {json.dumps(tree)}".encode())
    except ConfigError:
        return
    assert isinstance(order, Add | Remove)
    port = order.port if isinstance(order, Remove) else order.entry.port
    assert 0 < port < 65536
    if isinstance(order, Add):
        assert order.entry.plugin is None


@given(st.binary(min_size=1, max_size=4), st.integers(0, 60))
def test_any_flip(flip: bytes, at: int) -> None:
    data = bytearray(b'add: {"server_port": 8001, "password":"p", "method":"aes-128-gcm"}')
    data[at : at + len(flip)] = flip
    order = order_or_complaint(bytes(data))
    assert order is None or isinstance(order, Add)


# ---- answers


def server(port: int, password: str = "p", host: str = "127.0.0.1") -> ServerSettings:
    return ServerSettings(host, port, "aes-256-gcm", Secret(password))


def test_a_list_looks_as_libevs() -> None:
    assert list(answer_to_list([])) == [b"[\n]"]
    found = list(answer_to_list([server(8001, 'q"'), server(8002), server(8002, host="::1")]))
    assert found == [
        b'[\n\t{"server_port":"8001","password":"q\\"","method":"aes-256-gcm"},'
        b'\n\t{"server_port":"8002","password":"p","method":"aes-256-gcm"}\n]'
    ]
    assert json.loads(found[0])[0]["password"] == 'q"'


def test_a_long_list_comes_in_pieces_that_make_one() -> None:
    pieces = list(answer_to_list(server(port) for port in range(1, 3001)))
    assert len(pieces) > 3
    assert max(map(len, pieces)) <= MAX_ANSWER
    assert len(json.loads(b"".join(pieces))) == 3000


def test_bytes_by_port() -> None:
    assert list(answer_to_ping({})) == [b"stat: {}"]
    assert list(answer_to_ping({8001: 11370, 8002: 0})) == [b'stat: {"8001":11370,"8002":0}']
    pieces = list(answer_to_ping({port: port * 10**12 for port in range(1, 5001)}))
    assert len(pieces) > 3
    assert max(map(len, pieces)) <= MAX_ANSWER
    found: dict[str, int] = {}
    for piece in pieces:
        assert piece.startswith(b"stat: ")
        found |= json.loads(piece[6:])
    assert len(found) == 5000

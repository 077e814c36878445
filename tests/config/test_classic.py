"""The JSON of other Shadowsocks programs: what is taken, what is named, and that nothing crashes it."""

import json
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.config.classic import ClassicFile, parse_classic, read_classic
from ssgui.config.options import ServerEntry
from ssgui.config.secret import Secret
from ssgui.config.settings import local_settings, server_settings
from ssgui.config.values import ConfigError

ALL_KEYS = [
    "server", "server_port", "password", "port_password", "method", "servers", "local_address", "local_port", "timeout",
    "forbidden_ip", "prefer_ipv6", "dns_server", "nameserver", "verbose", "mode", "plugin", "users", "workers", "x",
    "address", "port", "remarks", "disabled",
]  # fmt: skip


def parse(tree: Any) -> ClassicFile:
    return parse_classic(json.dumps(tree).encode())


def test_the_usual_file() -> None:
    file = parse(
        {
            "server": "example.com", "server_port": 8388, "local_address": "127.0.0.1", "local_port": 1081,
            "password": "barfoo!", "timeout": 600, "method": "AES-256-GCM", "fast_open": False, "workers": 1,
            "mode": "tcp_only", "plugin": "", "_comment": "mine",
        }
    )  # fmt: skip
    assert file.warnings == ()
    settings = local_settings(file.options)
    (server,) = settings.servers
    assert (server.host, server.port, server.method) == ("example.com", 8388, "aes-256-gcm")
    assert server.password.reveal() == "barfoo!"
    assert (settings.bind_port, settings.timeout) == (1081, 600)


def test_lists_of_servers_and_ports() -> None:
    options = parse({"server": ["a", "[::1]:99", "b:7"], "server_port": [1, "2"], "password": 123456}).options
    assert options.hosts == ("a",)
    assert options.ports == (1, 2)
    assert options.servers == (ServerEntry("::1", 99), ServerEntry("b", 7))
    assert options.password == Secret("123456")


def test_servers_as_in_sip008() -> None:
    file = parse(
        {
            "version": 1,
            "servers": [
                {
                    "server": "a",
                    "server_port": 1,
                    "password": "p",
                    "method": "aes-128-gcm",
                    "remarks": "one",
                    "id": "x",
                },
                {"address": "b", "port": 2, "mode": "tcp_and_udp", "timeout": 60, "custom": 1},
                {"server": "c", "server_port": 3, "disabled": True, "plugin": "x"},
            ],
        }
    )
    assert file.options.servers == (
        ServerEntry("a", 1, "aes-128-gcm", Secret("p"), "one"),
        ServerEntry("b", 2),
    )
    assert [text for text in file.warnings if "timeout" in text and "entry 2" in text]


def test_port_password_has_the_last_word() -> None:
    file = parse({"server": "0.0.0.0", "port_password": {"8381": "a", "8382": 5}, "server_port": 1, "password": "z"})
    assert [(s.bind_port, s.password.reveal()) for s in server_settings(file.options)] == [(8381, "a"), (8382, "5")]
    assert len(file.warnings) == 1


def test_the_rest_of_what_is_honoured() -> None:
    options = parse(
        {
            "forbidden_ip": "10.0.0.0/8,::1",
            "prefer_ipv6": True,
            "dns_server": ["1.1.1.1"],
            "verbose": 1,
            "timeout": "60",
        }
    ).options
    assert options.forbidden == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert options.prefer_ipv6
    assert options.nameservers == ("1.1.1.1",)
    assert options.verbosity == 1
    assert options.timeout == 60
    assert parse({"forbidden_ip": ""}).options.forbidden == ()
    assert parse({"quiet": True, "nameserver": "8.8.8.8", "ipv6_first": True}).options.verbosity == -1


@pytest.mark.parametrize("key", ["fast_open", "manager_address", "user", "daemon", "log-file", "one_time_auth", "what"])
def test_what_has_no_effect_is_named(key: str) -> None:
    (warning,) = parse({key: "yes"}).warnings
    assert f'"{key}"' in warning


@pytest.mark.parametrize("key", ["plugin", "users", "acl", "key", "tunnel_remote"])
def test_what_would_change_the_way_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match=f'"{key}": '):
        parse({key: "yes"})
    with pytest.raises(ConfigError, match=f'entry 1: "{key}": '):
        parse({"servers": [{"server": "h", "server_port": 1, key: "yes"}]})


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"server_port": 70000}, "\"server_port\": '70000' is no port"),
        ({"server_port": True}, '"server_port": must be a whole number'),
        ({"server": 5}, '"server": must be text'),
        ({"server": ""}, '"server": the host is empty'),
        ({"method": "rot13"}, '"method": .*rot13'),
        ({"timeout": []}, '"timeout": must be a number'),
        ({"timeout": "soon"}, '"timeout": must be a number'),
        ({"password": True}, '"password": must be text'),
        ({"password": "mypassword"}, '"password": the password is the one of the sample'),
        ({"port_password": ["x"]}, '"port_password" must be an object'),
        ({"port_password": {"x": "y"}}, '"port_password" "x": \'x\' is no port'),
        ({"port_password": {"1": ""}}, '"port_password" "1": the password is empty'),
        ({"servers": {}}, '"servers" must be a list'),
        ({"servers": [5]}, '"servers" entry 1: must be an object'),
        ({"servers": [{"server": "h"}]}, '"servers" entry 1: "port" is missing'),
        ({"servers": [{"disabled": 1}]}, "every entry is disabled"),
        ({"mode": "udp_only"}, '"mode": udp_only'),
        ({"mode": 5}, '"mode" must be'),
        ({"forbidden_ip": "localhost"}, "\"forbidden_ip\": 'localhost' is no address"),
        ({"nameserver": "x"}, '"nameserver": '),
        ([], "one JSON object"),
    ],
)
def test_errors_say_what_and_where(tree: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(tree)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{\n  "server": "x",\n}', "line 3, column 1"),
        (b"", "line 1, column 1"),
        (b"{\xff}", "not UTF-8: byte 2"),
        (b"[" * 200_000, "without end"),
        (b'{"server_port": ' + b"9" * 5000 + b"}", "without end"),
        (b" " * (5 << 20), "too large"),
    ],
)
def test_broken_files(data: bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_classic(data)


def test_a_byte_order_mark_is_fine() -> None:
    assert parse_classic(b'\xef\xbb\xbf{"server": "h"}').options.hosts == ("h",)


def test_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "ss.json"
    with pytest.raises(ConfigError, match=r"ss\.json: No such file"):
        read_classic(str(path))
    path.write_text('{"server_port": "x"}')
    with pytest.raises(ConfigError, match=r'ss\.json: "server_port": '):
        read_classic(str(path))
    path.write_text('{"server": "h"}')
    assert read_classic(str(path)).options.hosts == ("h",)
    with pytest.raises(ConfigError, match="Is a directory"):
        read_classic(str(tmp_path))
    with pytest.raises(ConfigError, match="null byte"):
        read_classic("a\0b")


@pytest.mark.parametrize("key", ["password", "port_password"])
def test_no_message_repeats_a_password(key: str) -> None:
    for value in ["hunter22\udcff", ["hunter22"], {"1": {"hunter22": 1}}, {"1": "hunter22\udcff"}, 1.5]:
        try:
            shown = repr(parse({key: value}))
        except ConfigError as error:
            shown = f"{error!r} {error.__context__!r}"
        assert "hunter22" not in shown


def _complaint(work: Callable[[], object]) -> str:
    try:
        work()
    except ConfigError as error:
        return str(error)
    return ""


def _survives(data: bytes) -> None:
    if complaint := _complaint(lambda: parse_classic(data)):
        assert "\n" not in complaint
        return
    options = parse_classic(data).options
    assert "\n" not in _complaint(lambda: local_settings(options))
    assert "\n" not in _complaint(lambda: server_settings(options))


@given(st.binary())
def test_random_bytes_never_crash(data: bytes) -> None:
    _survives(data)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(ALL_KEYS) | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(ALL_KEYS), _json | st.integers(0, 70000) | st.sampled_from(["h", "80", "::1"])))
def test_random_json_never_crashes(tree: dict[str, Any]) -> None:
    _survives(json.dumps(tree).encode())

"""The JSON of other Shadowsocks programs: what is taken, what is named, and that nothing crashes it."""

import json
import re
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.config.classic import ClassicFile, parse_classic, read_classic
from ssgui.config.models import ManagerAddress, PluginSettings, ServerChoice, ServerUser, UpstreamProxy
from ssgui.config.options import Options, ServerEntry
from ssgui.config.secret import Secret
from ssgui.config.settings import local_settings, server_settings
from ssgui.config.values import ConfigError
from ssgui.protocol.address import Address

ALL_KEYS = [
    "server", "server_port", "password", "port_password", "method", "servers", "local_address", "local_port", "timeout",
    "forbidden_ip", "prefer_ipv6", "dns_server", "nameserver", "verbose", "mode", "plugin", "plugin_opts", "users",
    "workers", "x", "address", "port", "remarks", "disabled", "name", "locals", "protocol", "tunnel_address",
    "tunnel_remote", "forward_address", "upstream_proxy", "choose", "probe_url", "allow_legacy", "udp_timeout",
    "plugin_args", "segmented_header",
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
                {
                    "address": "b", "port": 2, "mode": "tcp_and_udp", "timeout": 60, "custom": 1, "plugin": "x",
                    "plugin_opts": "a;b=c", "plugin_args": ["-v"], "users": [{"name": "ann", "password": "key"}],
                },
                {"server": "c", "server_port": 3, "disabled": True, "plugin": 5},
            ],
        }
    )  # fmt: skip
    assert file.options.servers == (
        ServerEntry("a", 1, "aes-128-gcm", Secret("p"), "one"),
        ServerEntry(
            "b", 2, plugin=PluginSettings("x", "a;b=c", ("-v",)), users=(ServerUser("ann", Secret("key")),), udp=True
        ),
    )
    (warning,) = file.warnings
    assert warning == '"timeout" of "servers" entry 2 has no effect'


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
    file = parse(
        {
            "mode": "tcp_and_udp", "udp_timeout": 30, "fast_open": True, "mptcp": 1, "plugin": "obfs", "acl": "my.acl",
            "plugin_opts": "x", "choose": "auto", "probe_url": "http://h/", "bypass_lan": True, "no_delay": True,
            "segmented_header": False, "upstream_proxy": "http://u:p@h:1",
        }
    )  # fmt: skip
    assert file.warnings == ()
    assert file.options == Options(
        udp=True, udp_timeout=30, fast_open=True, mptcp=True, plugin=PluginSettings("obfs", "x"), acl="my.acl",
        choice=ServerChoice.AUTO, probe_url="http://h/", bypass_lan=True,
        segmented_header=False, upstream_proxy=UpstreamProxy("http", "h", 1, "u", Secret("p")),
    )  # fmt: skip
    assert parse({"mode": "tcp_only"}).options.udp is False
    assert parse({"quiet": True, "nameserver": "8.8.8.8", "ipv6_first": True}).options.verbosity == -1


def test_a_tunnel_as_each_program_names_it() -> None:
    target = Address("::1", 53)
    assert parse({"tunnel_address": "[::1]:53"}).options.tunnel == target
    assert parse({"tunnel_remote": "::1"}).options.tunnel == target
    assert parse({"tunnel_remote": "::1", "tunnel_remote_port": "54"}).options.tunnel == Address("::1", 54)
    assert parse({"protocol": "tunnel", "forward_address": "::1", "forward_port": 53}).options.tunnel == target


def test_locals_of_shadowsocks_rust() -> None:
    listed: list[dict[str, Any]] = [
        {"local_port": 1, "disabled": True},
        {"local_port": 53, "protocol": "tunnel", "forward_address": "8.8.8.8"},
        {"local_address": "::1", "local_port": 2, "protocol": "http", "mode": "tcp_and_udp", "x": 1},
        {"local_port": 3},
        {"local_port": 4, "protocol": "dns"},
    ]
    file = parse({"locals": listed})
    assert (file.options.bind_host, file.options.bind_port, file.options.udp) == ("::1", 2, True)
    assert [text.partition(":")[0] for text in file.warnings] == [
        '"locals" entry 2 has no effect', '"x" of "locals" entry 3 has no effect', '"locals" entry 4 has no effect',
        '"locals" entry 5 has no effect',
    ]  # fmt: skip
    assert parse({"local_port": 7, "locals": listed[3:4]}).options.bind_port == 7


def test_passwords_from_the_environment() -> None:
    environment = {"SS_KEY": "secret", "OTHER": "x"}
    text = json.dumps(
        {"password": "${SS_KEY}", "servers": [{"server": "h", "server_port": 1, "password": "${SS_KEY}"}]}
    )
    options = parse_classic(text.encode(), environment).options
    assert options.password == options.servers[0].password == Secret("secret")
    assert environment == {"OTHER": "x"}
    with pytest.raises(ConfigError, match="\"password\": there is no environment variable 'SS_KEY'"):
        parse_classic(text.encode(), environment)


def test_users_of_a_server() -> None:
    options = parse({"users": [{"name": "ann", "password": "a"}, {"name": "bob", "password": "b"}]}).options
    assert options.server_users == (ServerUser("ann", Secret("a")), ServerUser("bob", Secret("b")))


def test_what_is_for_a_servers_processes() -> None:
    for value in (4, "4"):
        assert parse({"workers": value}).options.workers == 4
    assert parse({"workers": 0}).options.workers is None
    for tree, address in (
        ({"manager_address": "/run/ssgui/manager.sock"}, ManagerAddress("/run/ssgui/manager.sock")),
        ({"manager_address": "manager.sock"}, ManagerAddress("manager.sock")),
        ({"manager_address": "127.0.0.1:6001"}, ManagerAddress("", "127.0.0.1", 6001)),
        ({"manager_address": "localhost", "manager_port": 6001}, ManagerAddress("", "127.0.0.1", 6001)),
        ({"manager_address": "::1", "manager_port": "6001"}, ManagerAddress("", "::1", 6001)),
    ):
        file = parse(tree)
        assert file.options.manager == address
        assert file.warnings == ()
    assert parse({"metrics": "127.0.0.1:9100"}).options.metrics == ("127.0.0.1", 9100)
    assert parse({"metrics": "[::1]:9100"}).options.metrics == ("::1", 9100)
    assert parse({"metrics": "9100"}).options.metrics == ("127.0.0.1", 9100)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"workers": 129}, '"workers": must be a number of processes'),
        ({"workers": "many"}, '"workers": must be a number of processes'),
        ({"workers": -1}, '"workers": must be a number of processes'),
        ({"manager_address": "0.0.0.0:6001"}, '"manager_address": must be an address of this computer alone'),
        ({"manager_address": "example.com:6001"}, '"manager_address": must be an address of this computer alone'),
        ({"manager_address": "192.0.2.1", "manager_port": 6001}, "must be an address of this computer alone"),
        ({"manager_address": "/" + "x" * 100}, '"manager_address": must be HOST:PORT or the path of a socket'),
        ({"manager_address": "/a\nb"}, '"manager_address": must be HOST:PORT or the path of a socket'),
        ({"metrics": "0.0.0.0:9100"}, '"metrics": must be an address of this computer alone'),
        ({"metrics": "127.0.0.1:0"}, "\"metrics\": '0' is no port"),
    ],
)
def test_what_a_servers_processes_cannot_have(tree: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse(tree)


@pytest.mark.parametrize("key", ["user", "daemon", "log-file", "udp_max_associations", "plugin_opts", "what"])
def test_what_has_no_effect_is_named(key: str) -> None:
    (warning,) = parse({key: "yes"}).warnings
    assert f'"{key}"' in warning


@pytest.mark.parametrize("key", ["key", "one_time_auth", "auth"])
def test_what_would_change_the_way_is_refused(key: str) -> None:
    assert parse({key: False}).warnings == ()
    with pytest.raises(ConfigError, match=f'"{key}": '):
        parse({key: "yes"})
    with pytest.raises(ConfigError, match=f'entry 1: "{key}": '):
        parse({"servers": [{"server": "h", "server_port": 1, key: "yes"}]})


def test_one_time_auth_has_its_reason() -> None:
    with pytest.raises(ConfigError, match="replaced by the AEAD methods"):
        parse({"one_time_auth": True})


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
        ({"servers": [{"server": "h", "server_port": 1, "mode": 1}]}, '"servers" entry 1: "mode" must be'),
        ({"servers": [{"server": "h", "server_port": 1, "acl": "x"}]}, '"servers" entry 1: "acl": one access'),
        ({"plugin": 5}, '"plugin": must be text'),
        ({"plugin": "x", "plugin_opts": 5}, '"plugin_opts": must be text'),
        ({"plugin": "x", "plugin_args": [5]}, '"plugin_args": must be text'),
        ({"plugin": "a\0b"}, '"plugin", .* has a NUL'),
        ({"users": "ann"}, '"users": must be a list'),
        ({"users": [5]}, '"users": entry 1: must be an object'),
        ({"users": [{"name": "", "password": "x"}]}, '"users": entry 1: "name" must be'),
        ({"users": [{"name": "a\n", "password": "x"}]}, '"users": entry 1: "name" must be'),
        ({"users": [{"name": "a"}]}, '"users": entry 1: "password": must be text'),
        ({"users": [{"name": "a", "password": "x"}] * 2}, '"users": entry 2: "name": another user'),
        ({"udp_timeout": "soon"}, '"udp_timeout": must be a number'),
        ({"tunnel_address": "h"}, '"tunnel_address": must be HOST:PORT'),
        ({"tunnel_remote": "h", "tunnel_remote_port": 0}, '"tunnel_remote_port": '),
        ({"upstream_proxy": "ftp://h:1"}, '"upstream_proxy": must be socks5'),
        ({"outbound_proxy": ["socks5://h:1"] * 2}, '"outbound_proxy": only one'),
        ({"choose": "best"}, '"choose" must be'),
        ({"choose": ["best"]}, '"choose" must be'),
        ({"probe_url": "https://h"}, '"probe_url": must be'),
        ({"allow_legacy": ["rot13"]}, '"allow_legacy": '),
        ({"allow_legacy": "AES-256-GCM"}, '"allow_legacy": aes-256-gcm is no old method'),
        ({"acl": "a\nb"}, '"acl": must be the name'),
        ({"locals": {}}, '"locals" must be a list'),
        ({"locals": [5]}, '"locals" entry 1: must be an object'),
        ({"locals": [{"socks5_auth_config_path": "x"}]}, '"locals" entry 1: "socks5_auth_config_path": --user'),
        ({"locals": [{"local_port": -1}]}, '"local_port": '),
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
        (b'{\n  "server": "x",\n,}', "line 3, column 2|line 2, column 16"),  # Python 3.13 points to the comma
        (b'{\n  "server": /* // */ x // "', "line 2, column 22"),
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


def test_comments_and_a_last_comma_are_fine() -> None:
    text = b"""// "quoted" ,}
    {
      "server": ["http://x/*,]", "a\\",/\\"b", ], /* and
      more */ "server_port": 8388, // ,}
    }  /* open"""
    with pytest.raises(ConfigError, match=r'"server": .*http'):
        parse_classic(text)
    options = parse_classic(text.replace(b'"http://x/*,]"', b'"h"').replace(b'"a\\",/\\"b"', b'"i"')).options
    assert (options.hosts, options.ports) == (("h", "i"), (8388,))


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

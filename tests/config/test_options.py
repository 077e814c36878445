"""Flags over a file, and the settings that result."""

import base64
from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest

from ssgui.config.advice import local_warnings, server_warnings
from ssgui.config.keys import check_allowed
from ssgui.config.models import (
    DEFAULT_FORBIDDEN,
    DEFAULT_METHOD,
    LocalSettings,
    PluginSettings,
    ServerProfile,
    ServerSettings,
    ServerUser,
    UpstreamProxy,
)
from ssgui.config.options import Options, ServerEntry, overlay, with_password, with_proxy
from ssgui.config.secret import Secret
from ssgui.config.settings import local_settings, server_settings, tunnel_settings
from ssgui.config.values import ConfigError
from ssgui.protocol.address import Address

PASSWORD = Secret("a")
OTHER = Secret("b")
ONE = Options(hosts=("h",), ports=(1,), password=PASSWORD)


def test_a_client_of_one_server() -> None:
    settings = local_settings(ONE)
    (server,) = settings.servers
    assert (server.host, server.port, server.method, server.password) == ("h", 1, DEFAULT_METHOD, PASSWORD)
    assert (settings.bind_host, settings.bind_port, settings.timeout) == ("127.0.0.1", 1080, 300)


def test_every_host_with_every_port_and_entries() -> None:
    entry = ServerEntry("e", 9, "aes-128-gcm", OTHER, "mine")
    options = Options(hosts=("h", "i"), ports=(1, 2), servers=(entry,), password=PASSWORD, method="aes-256-gcm")
    servers = local_settings(options).servers
    assert [(s.host, s.port, s.method) for s in servers] == [
        *((host, port, "aes-256-gcm") for host in "hi" for port in (1, 2)),
        ("e", 9, "aes-128-gcm"),
    ]
    assert servers[-1].password == OTHER
    assert servers[-1].remarks == "mine"


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        (Options(), "no server:"),
        (Options(ports=(1,), password=PASSWORD), "no server:"),
        (Options(hosts=("h",), password=PASSWORD), "no server port"),
        (Options(hosts=("h",), ports=(1,)), "no password"),
        (Options(servers=(ServerEntry("h", 1),)), "no password"),
    ],
)
def test_a_client_says_what_is_missing(options: Options, missing: str) -> None:
    with pytest.raises(ConfigError, match=missing):
        local_settings(options)


def test_a_server_needs_nothing() -> None:
    (server,) = server_settings(Options())
    assert (server.bind_host, server.bind_port, server.method) == ("0.0.0.0", 8388, DEFAULT_METHOD)
    assert not server.password
    assert server.forbidden == DEFAULT_FORBIDDEN


def test_a_server_listens_on_every_port() -> None:
    options = Options(port_passwords=((1, PASSWORD), (2, OTHER)), forbidden=(), timeout=0.0)
    servers = server_settings(options)
    assert [(s.bind_port, s.password) for s in servers] == [(1, PASSWORD), (2, OTHER)]
    assert servers[0].forbidden == ()
    assert servers[0].timeout == 0
    assert [s.bind_port for s in server_settings(Options(ports=(3, 4)))] == [3, 4]


def test_a_server_of_entries_listens_only_there() -> None:
    assert [s.bind_port for s in server_settings(Options(servers=(ServerEntry("::1", 7),)))] == [7]


def test_the_usual_pair_of_wildcards_is_one_dual_stack_listener() -> None:
    assert [s.bind_host for s in server_settings(Options(hosts=("::0", "0.0.0.0"), ports=(1,)))] == ["::0"]


def test_the_same_port_twice_is_named() -> None:
    with pytest.raises(ConfigError, match="port 5 of h is there twice"):
        server_settings(Options(hosts=("h",), ports=(5, 5)))
    assert len(server_settings(Options(hosts=("h",), ports=(0, 0)))) == 2


def test_flags_win_one_by_one() -> None:
    file = Options(
        hosts=("h",), ports=(1,), method="aes-128-gcm", password=PASSWORD, bind_port=5, bind_host="b", timeout=50.0,
        users=(("u", PASSWORD),), prefer_ipv6=True, forbidden=(), nameservers=("1.1.1.1",), verbosity=1,
    )  # fmt: skip
    assert overlay(Options(), file) == file
    flags = Options(
        hosts=("x",), ports=(2,), method="aes-256-gcm", password=OTHER, bind_port=0, bind_host="c", timeout=0.0,
        users=(("v", OTHER),), prefer_ipv6=False, forbidden=(ip_network("10.0.0.0/8"),), nameservers=("8.8.8.8",),
        verbosity=-1,
    )  # fmt: skip
    assert overlay(flags, file) == flags


def test_a_server_flag_replaces_the_list() -> None:
    file = Options(servers=(ServerEntry("e", 9),), ports=(1,), password=PASSWORD)
    assert [s.host for s in local_settings(overlay(Options(hosts=("x",)), file)).servers] == ["x"]


def test_other_flags_are_for_every_entry_of_the_list() -> None:
    file = Options(servers=(ServerEntry("e", 9, "aes-128-gcm", PASSWORD, "r"), ServerEntry("f", 8)))
    flags = Options(ports=(7,), method="aes-256-gcm", password=OTHER)
    assert overlay(flags, file).servers == (
        ServerEntry("e", 7, "aes-256-gcm", OTHER, "r"),
        ServerEntry("f", 7, "aes-256-gcm", OTHER),
    )
    assert [s.bind_port for s in server_settings(overlay(Options(ports=(7,)), Options(servers=file.servers[:1])))] == [
        7
    ]


def test_a_port_flag_picks_from_port_password() -> None:
    file = Options(port_passwords=((1, PASSWORD), (2, OTHER)))
    assert [(s.bind_port, s.password) for s in server_settings(overlay(Options(ports=(2,)), file))] == [(2, OTHER)]
    chosen = server_settings(overlay(Options(ports=(3,), password=OTHER), file))
    assert [(s.bind_port, s.password) for s in chosen] == [(3, OTHER)]
    with pytest.raises(ConfigError, match="no password"):
        local_settings(overlay(Options(hosts=("h",), ports=(3,)), file))


def test_a_password_for_what_has_none() -> None:
    assert with_password(ONE, OTHER) == ONE
    assert with_password(Options(), OTHER).password == OTHER
    servers = local_settings(
        with_password(Options(servers=(ServerEntry("e", 9), ServerEntry("f", 8, None, PASSWORD))), OTHER)
    ).servers
    assert [s.password for s in servers] == [OTHER, PASSWORD]


def test_warnings_of_the_original() -> None:
    assert local_warnings(local_settings(ONE), ONE) == []
    wide = local_settings(overlay(Options(bind_host="0.0.0.0", timeout=10.0), ONE))
    assert [text.split(":")[0] for text in local_warnings(wide, ONE)] == [
        "the timeout of 10 s is short",
        "listening on 0.0.0.0",
    ]
    guarded = local_settings(overlay(Options(bind_host="0.0.0.0", users=(("u", PASSWORD),)), ONE))
    assert local_warnings(guarded, ONE) == []
    options = Options(hosts=("127.0.0.1",), timeout=601.0)
    assert len(server_warnings(server_settings(options), options)) == 2
    assert server_warnings(server_settings(Options(timeout=0.0)), Options()) == []


KEY = base64.b64encode(bytes(16)).decode()
USERS = (ServerUser("ann", Secret(KEY)),)


def test_keys_are_checked_before_anything_starts() -> None:
    short = Options(hosts=("::1",), ports=(1,), password=Secret("pw"), method="2022-blake3-aes-128-gcm")
    with pytest.raises(ConfigError, match=r"server \[::1\]:1: the password .*needs a key of 16 bytes"):
        local_settings(short)
    with pytest.raises(ConfigError, match="needs a key of 16 bytes"):
        server_settings(short)
    good = overlay(Options(password=Secret(f"{KEY}:{KEY}")), short)
    assert local_settings(good).servers[0].method == "2022-blake3-aes-128-gcm"


@pytest.mark.parametrize(
    ("method", "users", "message"),
    [
        ("aes-128-gcm", USERS, "aes-128-gcm cannot have users"),
        ("2022-blake3-chacha20-poly1305", USERS, "2022-blake3-chacha20-poly1305 cannot have users"),
        ("2022-blake3-aes-256-gcm", USERS, "the key of the user 'ann' has 16 bytes"),
        ("2022-blake3-aes-128-gcm", (ServerUser("bob", Secret("?")),), "the key of the user 'bob' is no base64"),
    ],
)
def test_only_2022_has_users(method: str, users: tuple[ServerUser, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=f"server 0.0.0.0:8388: {message}"):
        server_settings(Options(method=method, server_users=users))


def test_users_are_a_servers_own_or_the_common_ones() -> None:
    own = (ServerUser("bob", Secret(KEY)),)
    entries = (ServerEntry("h", 1, users=own), ServerEntry("h", 2))
    options = Options(method="2022-blake3-aes-128-gcm", password=Secret(KEY), server_users=USERS, servers=entries)
    assert [server.users for server in server_settings(options)] == [own, USERS]


def test_a_tunnel_needs_a_target() -> None:
    with pytest.raises(ConfigError, match="no target: give -L"):
        tunnel_settings(ONE)
    options = overlay(Options(tunnel=Address("t", 53)), ONE)
    assert tunnel_settings(options).tunnel == Address("t", 53)
    settings = local_settings(options)
    assert settings.tunnel is None
    (warning,) = local_warnings(settings, options)
    assert "ssgui --headless tunnel" in warning


def test_plugins_are_laid_over_each_other() -> None:
    one, two = PluginSettings("one"), PluginSettings("two")
    file = Options(servers=(ServerEntry("h", 1, plugin=one), ServerEntry("h", 2)), plugin=two, password=PASSWORD)
    assert [server.plugin for server in local_settings(file).servers] == [one, two]
    three = Options(plugin=PluginSettings("three"))
    assert [server.plugin for server in local_settings(overlay(three, file)).servers] == [PluginSettings("three")] * 2
    none = Options(plugin=PluginSettings(""))
    assert [server.plugin for server in local_settings(overlay(none, file)).servers] == [None, None]


def test_each_server_has_its_own_mode() -> None:
    file = Options(servers=(ServerEntry("h", 1, udp=True), ServerEntry("h", 2, udp=False), ServerEntry("h", 3)))
    assert [server.udp for server in server_settings(file)] == [True, False, False]
    assert [server.udp for server in server_settings(overlay(Options(udp=True), file))] == [True] * 3


def test_a_proxy_of_the_environment_comes_last() -> None:
    one, two = UpstreamProxy("http", "h", 1), UpstreamProxy("socks5", "h", 1)
    assert with_proxy(Options(), one).upstream_proxy == one
    assert with_proxy(Options(upstream_proxy=two), one).upstream_proxy == two


def test_udp_goes_beside_a_plugin() -> None:
    entries = (ServerEntry("h", 1, udp=False), ServerEntry("h", 2))
    options = Options(servers=entries, password=PASSWORD, plugin=PluginSettings("obfs"), udp=True, server_users=USERS)
    warnings = local_warnings(local_settings(options), options)
    assert [text for text in warnings if "'obfs' carries TCP only" in text]
    assert [text for text in warnings if '"mode" of one of "servers"' in text]
    assert [text for text in warnings if '"users" has no effect' in text]
    assert len(warnings) == 3
    plain = msgspec.structs.replace(options, server_users=())
    assert [text for text in server_warnings(server_settings(plain), plain) if "'obfs' carries TCP only" in text]


def test_bad_lines_of_an_access_list_are_told_once(tmp_path: Path) -> None:
    path = tmp_path / "my.acl"
    path.write_text("(\n192.0.2.0/24\n")
    options = overlay(Options(acl=str(path)), Options(hosts=("h",), ports=(1, 2), password=PASSWORD))
    for warnings in (
        local_warnings(local_settings(options), options),
        server_warnings(server_settings(options), options),
    ):
        assert len([text for text in warnings if "line 1" in text]) == 1


def test_old_methods_are_for_who_allows_them() -> None:
    old = Options(hosts=("h",), ports=(1,), password=PASSWORD, method="aes-256-cfb")
    for make in (local_settings, server_settings):
        with pytest.raises(ConfigError, match=r"server h:1: aes-256-cfb is an old method .*--allow-legacy aes-256-cfb"):
            make(old)
    check_allowed("aes-256-cfb", ("aes-256-cfb",))
    with pytest.raises(ConfigError):
        check_allowed("rc4-md5", ("aes-256-cfb",))


def test_old_methods_are_warned_about_at_each_start() -> None:
    profiles = tuple(ServerProfile("h", 1, method, PASSWORD) for method in ("rc4-md5", "aes-256-gcm", "rc4-md5"))
    (warning,) = local_warnings(LocalSettings(profiles), Options())
    assert warning.startswith("rc4-md5 is an old method: ")
    servers = (ServerSettings("h", 1, "bf-cfb", PASSWORD), ServerSettings("h", 2, "rc4-md5", PASSWORD))
    assert [text.split()[0] for text in server_warnings(servers, Options())] == ["bf-cfb", "rc4-md5"]


def test_fast_open_through_a_proxy_is_warned_about() -> None:
    proxy = UpstreamProxy("http", "h", 1)
    settings = LocalSettings((ServerProfile("h", 1, "aes-256-gcm", PASSWORD),), fast_open=True, upstream_proxy=proxy)
    assert local_warnings(settings, Options()) == ["TCP Fast Open has no effect through an upstream proxy"]

"""Documents of every format: what is taken, what is named, and that nothing is dropped without a word."""

import json
import plistlib
import re
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.config.documents import FORMATS, MAX_DOCUMENT, Imported, Severity, read_document
from ssgui.config.documents.yaml_text import parse_yaml
from ssgui.config.values import ConfigError
from ssgui.protocol.links import encode_link
from tests.config.documents import samples
from tests.protocol.vectors import load

READABLE = {name: data for name, data in samples.ALL.items() if name != "outline-error"}
Fact = tuple[str, int, str, str, str]


def facts(document: Imported) -> list[Fact]:
    return [(one.host, one.port, one.method, one.password.reveal(), one.remarks) for one in document.profiles]


def said(document: Imported, severity: Severity) -> list[str]:
    return [str(note) for note in document.noted(severity)]


def about(document: Imported, severity: Severity) -> list[str]:
    return [note.where for note in document.noted(severity)]


def test_gui_config() -> None:
    document = read_document(samples.GUI_CONFIG)
    assert document.format == "gui-config"
    assert facts(document) == [
        ("example.com", 8388, "chacha20-ietf-poly1305", "pw", "HK 1"), ("192.0.2.3", 443, "aes-256-cfb", "pw", ""),
    ]  # fmt: skip
    first, second = document.servers
    assert first.group == "https://sub.example/x"
    plugin = second.profile.plugin
    assert plugin is not None
    assert (plugin.program, plugin.options, plugin.arguments) == ("plugins\\obfs-local.exe", "obfs=tls", ("-v", "a b"))
    assert about(document, Severity.SKIPPED) == ["entry 1", "entry 4", "entry 6"]
    assert said(document, Severity.MERGED) == ["entry 5: the same server as entry 2"]
    assert about(document, Severity.SETTING) == ['"pacUrl"', '"hotkey"']
    remarks = " ".join(said(document, Severity.REMARK))
    assert "insecure" in remarks
    assert "asks before it is started" in remarks
    settings = document.settings
    assert (settings.local_port, settings.mode, settings.share, settings.current) == (1081, "pac", True, 0)
    assert settings.subscriptions == ("https://sub.example/x",)


def test_sip008() -> None:
    document = read_document(samples.SIP008)
    assert facts(document) == [("example.com", 8388, "chacha20-ietf-poly1305", "example", "one")]
    assert document.servers[0].identity == "27b8a625-4f4b-4428-9f0f-8a2317db7c79"
    assert document.servers[0].custom == {"x_tier": "gold"}
    assert document.extras == {"bytes_used": 1, "bytes_remaining": 2, "x_custom": True}
    assert said(document, Severity.REMARK) == ['entry 1: "x_tier" is kept, but has no effect']


def test_the_vectors_of_sip008() -> None:
    vectors = load("sip008.json")
    good = read_document(json.dumps(vectors["ok"]).encode())
    assert len(good.servers) == 1
    assert not good.notes
    for case in vectors["bad"]:
        try:
            bad = read_document(json.dumps(case["doc"]).encode())
        except ConfigError:
            continue
        assert not bad.servers
        assert bad.notes, case["why"]


@pytest.mark.parametrize("data", [samples.NG_XML, samples.NG_BINARY])
def test_shadowsocksx_ng(data: bytes) -> None:
    document = read_document(data)
    assert facts(document) == [
        ("192.0.2.1", 8388, "aes-128-gcm", "test", "one"), ("2001:db8::1", 443, "rc4-md5", "test", "two"),
    ]  # fmt: skip
    assert [one.identity for one in document.servers] == ["A", "B"]
    settings = document.settings
    assert (settings.local_port, settings.mode, settings.udp, settings.current) == (1086, "pac", True, 1)
    assert about(document, Severity.SETTING) == ['"GFWListURL"', '"LocalHTTP.ListenPort"']


def test_classic_files() -> None:
    document = read_document(samples.CLASSIC)
    assert facts(document) == [
        ("192.0.2.1", 8388, "aes-128-gcm", "test", ""), ("192.0.2.2", 99, "aes-128-gcm", "test", ""),
    ]  # fmt: skip
    assert (document.settings.local_port, document.settings.udp) == (1082, True)
    assert about(document, Severity.SETTING) == ['"fast_open"']
    document = read_document(samples.CLASSIC_PORTS)
    assert [(port, password) for _, port, _, password, _ in facts(document)] == [(1, "a"), (2, "b")]
    assert about(document, Severity.SKIPPED) == ['server, port "x"']
    document = read_document(samples.CLASSIC_SERVERS)
    assert [port for _, port, _, _, _ in facts(document)] == [1, 2]
    assert [text for text in said(document, Severity.REMARK) if "16 bytes" in text]
    assert about(document, Severity.SKIPPED) == ["entry 3"]
    assert document.settings.local_port == 1083
    assert document.settings.subscriptions == ("https://sub.example/y",)


def test_android() -> None:
    document = read_document(samples.ANDROID)
    assert document.format == "android"
    assert facts(document) == [("192.0.2.1", 8388, "aes-128-gcm", "test", "one")]
    assert set(document.servers[0].custom) == {"route", "remote_dns", "ipv6", "proxy_apps"}
    assert said(document, Severity.SKIPPED) == ["entry 2: it has no password"]


def test_outline() -> None:
    for data in (samples.OUTLINE, samples.OUTLINE_YAML):
        document = read_document(data)
        assert document.format == "outline"
        assert len(document.servers) == 1
        assert "prefix" in said(document, Severity.REMARK)[0]
    assert facts(document) == [("2001:db8::1", 443, "chacha20-ietf-poly1305", "test", "")]
    with pytest.raises(ConfigError, match=r"its provider says: Quota is used up\. See https://help\.example/"):
        read_document(samples.OUTLINE_ERROR)
    document = read_document(b'{"transport": {"$type": "tcpudp", "tcp": {"$type": "shadowsocks", "endpoint": '
                             b'{"$type": "websocket"}}, "udp": {}}}')  # fmt: skip
    assert "websocket" in said(document, Severity.SKIPPED)[0]


def test_clash() -> None:
    document = read_document(samples.CLASH)
    assert facts(document) == [
        ("192.0.2.1", 443, "aes-128-gcm", "0123", "\u9999\u6e2f"),
        ("h.example", 443, "chacha20-ietf-poly1305", "1e5", "obfs"),
        ("h.example", 444, "aes-128-gcm", "yes", "ws"),
    ]
    plugins = [one.plugin for one in document.profiles if one.plugin]
    assert [(one.program, one.options) for one in plugins] == [
        ("obfs-local", "obfs=tls;obfs-host=bing.example"),
        ("v2ray-plugin", r"tls;host=h.example;path=/a\;b;mux=0"),
    ]
    assert about(document, Severity.SKIPPED) == ['entry 4 ("vm")', 'entry 5 ("st")']
    assert any("skip-cert-verify" in text for text in said(document, Severity.REMARK))
    assert document.settings.subscriptions == ("https://sub.example/z",)
    assert (document.settings.local_port, document.settings.mode) == (7890, "rules")


def test_links_and_lists_of_links() -> None:
    document = read_document(samples.LINKS)
    assert [one.remarks for one in document.profiles] == ["one", "two"]
    assert about(document, Severity.SKIPPED) == ["link 3 (line 4)"]
    assert document.settings.subscriptions == ("https://sub.example/k",)
    packed = read_document(samples.PACKED)
    assert facts(packed) == facts(document)
    lines = b"\r\n".join(samples.PACKED[at : at + 20].rstrip(b"=") for at in range(0, len(samples.PACKED), 20))
    assert facts(read_document(lines)) == facts(document)
    assert facts(read_document(json.dumps([samples.LINK, samples.OTHER]).encode())) == facts(document)


def test_our_own_and_what_is_like_none() -> None:
    own = read_document(samples.OWN)
    assert [one.port for one in own.profiles] == [2]
    assert "sealed" in said(own, Severity.SKIPPED)[0]
    assert (own.settings.current, own.settings.mode, own.settings.local_port) == (0, "rules", 1090)
    assert [one.port for one in read_document(samples.JSON_LINES).profiles] == [1, 2]
    elsewhere = read_document(samples.ELSEWHERE)
    assert [one.remarks for one in elsewhere.profiles] == ["n"]
    assert about(elsewhere, Severity.SKIPPED) == ["data.nodes entry 2", "data.nodes entry 3"]


@pytest.mark.parametrize("flag", ["one_time_auth", "auth", "OTA"])
def test_one_time_auth_is_refused(flag: str) -> None:
    entry = {"server": "192.0.2.1", "server_port": 1, "method": "aes-256-cfb", "password": "hunter2"}
    for item in ({**entry, flag: True}, {**entry, "method": "aes-256-cfb-auth"}):
        document = read_document(json.dumps({"version": 1, "servers": [item]}).encode())
        assert not document.servers
        assert "One-Time Auth" in said(document, Severity.SKIPPED)[0]


def test_the_password_that_everybody_knows_is_taken_and_remarked() -> None:
    link = encode_link("h.example", 1, "aes-128-gcm", "mypassword")
    entry = '{"server": "h.example", "server_port": 1, "method": "aes-128-gcm", "password": "mypassword"}'
    for text in (link, entry):
        document = read_document(text.encode())
        assert len(document.servers) == 1
        assert "everybody knows" in said(document, Severity.REMARK)[0]


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\0" * 5000, "zero bytes"),
        (b"ss://a\0b", "zero byte in it"),
        (samples.GUI_CONFIG[:200], "a part is missing"),
        (b'{"configs": [}', "line 1, column 14"),
        (b"\xff\xfe\x00", "UTF-16"),
        (b"{\"a\": \"\xff\"}", "UTF-8: byte 8"),
        (b"\x89PNG\r\n", "picture"),
        (b"<html>", "web page"),
        (b"bplist00garbage", "damaged property list"),
        (b"[General]\nconfigs=@Variant(x)", "gui-config.json"),
        (b"hello", "no format that is known"),
        (b"[]", "no server in it"),
        (b"{}", "no server in it"),
        (b"[" * 100_000, "without end|a part is missing"),
        (b"x" * (MAX_DOCUMENT + 1), "too large"),
        (b"proxies:\n  - [", "line"),
        (b"proxies: " + b"[" * 100_000, "nest"),  # newer parsers say it before we do
        (b"proxies: &a [*a]", "reference"),
        (b"proxies: [!!python/object/apply:os.system [x]]\n---\nproxies: []", "second document"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(data: bytes, word: str) -> None:
    with pytest.raises(ConfigError, match=word) as caught:
        read_document(data)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("encode", [
    lambda text: "\ufeff".encode() + text.encode(), lambda text: text.encode("utf-16"),
    lambda text: b"\xfe\xff" + text.encode("utf-16-be"), lambda text: text.encode() + b"\0\0",
])  # fmt: skip
@pytest.mark.parametrize("name", ["gui-config", "classic", "clash", "links", "packed"])
def test_other_encodings(name: str, encode: Any) -> None:
    assert facts(read_document(encode(READABLE[name].decode()))) == facts(read_document(READABLE[name]))


@pytest.mark.timeout(30)
def test_references_that_unfold_without_end() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 30))
    entry = "{type: ss, server: h, port: 1, cipher: aes-128-gcm, password: p, x: *l29}"
    bomb = f"l0: &l0 [x]\n{levels}proxies:\n  - {entry}\n"
    document = read_document(bomb.encode())
    assert len(document.servers) == 1
    assert not document.servers[0].custom
    assert any("too large" in text for text in said(document, Severity.REMARK))
    merges = "m0: &m0 {" + ", ".join(f"k{n}: v" for n in range(1000)) + "}\n"
    merges += "".join(f"m{n}: &m{n} {{<<: [{', '.join(['*m0'] * 100)}]}}\n" for n in range(1, 30))
    with pytest.raises(ConfigError, match="merged"):
        parse_yaml(merges)
    shared: list[Any] = ["x"]
    for _ in range(30):
        shared = [shared] * 10
    tree = {"ServerProfiles": [{"ServerHost": "h", "ServerPort": 1, "Method": "x", "Password": "p", "X": shared}]}
    if len(data := plistlib.dumps(tree, fmt=plistlib.FMT_BINARY)) < MAX_DOCUMENT:
        assert not read_document(data).servers[0].custom


def test_yaml_is_text_and_merges() -> None:
    tree = parse_yaml("a: &a {x: 1, y: 0x10}\nb: {<<: *a, y: no}\nc: [~, '~', '', 2001-01-01, !!int 3]\n")
    assert tree == {"a": {"x": "1", "y": "0x10"}, "b": {"y": "no", "x": "1"}, "c": [None, "~", "", "2001-01-01", "3"]}


@pytest.mark.timeout(40)
@pytest.mark.parametrize("data", [
    b'{"servers": [' + b"{}," * 1_000_000 + b"{}]}", b"[" + b'{"server": 1, "port": 1},' * 100_000 + b"0]",
    b"ss://a\n" * 500_000, b"proxies:\n" + b"- a\n" * 300_000, b"{" * 1_000_000, b'{"a": ' * 100_000, b"A" * (4 << 20),
    b'["' + b"/*" * 1_000_000, b"[" + b"/*" * 1_000_000, b"[" + b", " * 1_000_000,
])  # fmt: skip
def test_large_documents_end_soon(data: bytes) -> None:
    try:
        notes = len(read_document(data).notes)
    except ConfigError:
        notes = 0
    assert notes < 50_000


@pytest.mark.parametrize(
    "name", ["gui-config", "sip008", "classic", "servers", "android", "outline", "own", "elsewhere"]
)
def test_no_password_shows(name: str) -> None:
    data, changed = re.subn(rb'("password": )"[^"]+"', rb'\1"hunter2"', READABLE[name])
    assert changed
    document = read_document(data)
    assert "hunter2" in [one.password.reveal() for one in document.profiles]
    assert "hunter2" not in repr(document)
    for wrong in (rb'\1["hunter2"]', rb'\1{"hunter2": 1}', rb'\1"hunter2\\ud800"'):
        notes = read_document(re.sub(rb'("password": )"[^"]+"', wrong, READABLE[name])).notes
        assert Severity.SKIPPED in [note.severity for note in notes]
        assert "hunter2" not in repr(notes)


# ---- anything at all

BYTES = st.one_of(
    st.binary(max_size=200), st.text(max_size=80).map(lambda text: text.encode("utf-8", "replace")),
    st.text(max_size=40).map(lambda text: b64encode(text.encode("utf-8", "replace"))),
)  # fmt: skip
PREFIXES = st.sampled_from([
    b"", b"{", b"[", b"bplist00", b"<?xml version='1.0'?><plist>", b"proxies:\n- ", b"transport: ", b"ss://",
    b"\xff\xfe",
])  # fmt: skip


def read_or_refuse(data: bytes) -> None:
    try:
        document = read_document(data)
    except ConfigError as error:
        text = str(error)
    else:
        text = ""
    if text:
        return
    assert document.servers or document.notes or document.settings.subscriptions
    for one in document.profiles:
        encode_link(one.host, one.port, one.method, one.password.reveal(), "", one.remarks)
    json.dumps([one.custom for one in document.servers])


@given(PREFIXES, BYTES)
def test_any_bytes(prefix: bytes, data: bytes) -> None:
    read_or_refuse(prefix + data)


@given(st.sampled_from(sorted(samples.ALL)), st.integers(0), st.integers(0, 255), st.booleans())
def test_a_changed_byte_or_a_cut(name: str, place: int, value: int, cut: bool) -> None:
    data = samples.ALL[name]
    place %= len(data)
    read_or_refuse(data[:place] if cut else data[:place] + bytes([value]) + data[place + 1 :])


NAMES = (
    "server server_port port password method plugin plugin_opts plugin_args remarks id servers configs proxies type "
    "cipher plugin-opts transport $type tcp udp endpoint error prefix route ServerProfiles port_password locals "
    "local_port index onlineConfigSource proxy-providers settings subscriptions mode disabled one_time_auth options "
    "custom"
)
KEYS = st.sampled_from(NAMES.split())
TREES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
        st.sampled_from(["ss", "h.example", "aes-128-gcm", "8388", "pw", "v2ray-plugin", "tcpudp", samples.LINK]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


@given(TREES)
def test_any_tree(tree: Any) -> None:
    read_or_refuse(json.dumps(tree).encode())


@given(st.dictionaries(KEYS, TREES, max_size=8))
def test_any_entry(entry: dict[str, Any]) -> None:
    good = {"server": "h.example", "server_port": 1, "method": "aes-128-gcm", "password": "pw", "type": "ss"}
    mixed = {**good, **entry}
    for tree in (mixed, [mixed], {"servers": [mixed]}, {"configs": [mixed]}, {"proxies": [{**mixed, "cipher": "x"}]}):
        read_or_refuse(json.dumps(tree).encode())


def test_every_format_has_a_sample() -> None:
    assert {read_document(data).format for data in READABLE.values()} == {one.name for one in FORMATS}

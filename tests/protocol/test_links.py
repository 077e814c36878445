"""`ss://` links, one by one and in texts of any kind."""

from base64 import b64encode, urlsafe_b64encode
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.links import (
    MAX_LINK,
    MAX_LINKS,
    LinkError,
    ServerLink,
    decode_link,
    encode_link,
    find_links,
    online_config,
    split_plugin,
)
from tests.protocol.vectors import load

VECTORS = load("uri.json")
# These are the ones that are written just as they stand.
CANONICAL = [
    case
    for case in VECTORS["ok"]
    if case["name"].startswith(("sip002", "2022 with"))
    and "padding" not in case["name"]
    and "ignored" not in case["uri"]
]


@pytest.mark.parametrize("case", CANONICAL, ids=lambda case: case["name"])
def test_vectors(case: dict[str, Any]) -> None:
    parsed = case["parsed"]
    plugin = ";".join(part for part in (parsed.get("plugin"), parsed.get("plugin_opts")) if part)
    link = encode_link(
        parsed["host"], parsed["port"], parsed["method"], parsed["password"], plugin, parsed.get("tag", "")
    )
    assert link == case["uri"]


def test_there_are_vectors_of_each_kind() -> None:
    assert {case["name"] for case in CANONICAL} == {
        "sip002 base64url userinfo", "sip002 plugin escapes", "sip002 ipv6 + utf8 tag", "2022 with identity PSKs",
    }  # fmt: skip


def test_a_password_of_any_kind_is_safe_in_a_link() -> None:
    link = encode_link("[::1]", 1, "aes-256-gcm", "a@b:/?#\u00ff~~~???")
    assert link.startswith("ss://")
    assert set(link.removeprefix("ss://").partition("@")[0]) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )
    assert link.endswith("@[::1]:1")


@pytest.mark.parametrize(("host", "port"), [("", 1), ("[]", 1), ("h", 0), ("h", 65536)])
def test_what_no_link_can_be_made_of(host: str, port: int) -> None:
    with pytest.raises(LocalProtocolError, match="no link") as caught:
        encode_link(host, port, "aes-256-gcm", "secret")
    assert "secret" not in str(caught.value)


# ---- reading one


def packed(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize("case", VECTORS["ok"], ids=lambda case: case["name"])
def test_vectors_are_read(case: dict[str, Any]) -> None:
    parsed = case["parsed"]
    link = decode_link(case["uri"])
    assert link == ServerLink(
        parsed["host"], parsed["port"], parsed["method"], parsed["password"],
        parsed.get("plugin", ""), parsed.get("plugin_opts", ""), parsed.get("tag", ""),
    )  # fmt: skip
    assert decode_link(link.encode()) == link
    assert parsed["password"] not in repr(link) or len(parsed["password"]) < 5


@pytest.mark.parametrize("link", VECTORS["bad"])
def test_bad_vectors_are_refused(link: str) -> None:
    with pytest.raises(LinkError):
        decode_link(link)


SECRET = "aes-256-gcm:se>>>c???~~~r\u00ff@t:/#"


@pytest.mark.parametrize(
    "user",
    [
        packed(SECRET),
        packed(SECRET).rstrip("="),
        quote(packed(SECRET), safe=""),
        urlsafe_b64encode(SECRET.encode()).decode(),
        urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        quote(SECRET, safe=""),
        quote(SECRET, safe=":"),
    ],
)
@pytest.mark.parametrize(("place", "host"), [("h.example", "h.example"), ("[2001:db8::1]", "2001:db8::1")])
def test_every_way_to_write_method_and_password(user: str, place: str, host: str) -> None:
    link = decode_link(f"ss://{user}@{place}:8388/#a+b%20c")
    assert f"{link.method}:{link.password}" == SECRET
    assert (link.host, link.port, link.remarks) == (host, 8388, "a+b c")


def test_there_are_both_alphabets_in_it() -> None:
    assert set("+/=") <= set(packed(SECRET))


@pytest.mark.parametrize("password", ["p@ss/w", "p#ss@w", "a:b", "x@y:z@w", "a?b"])
def test_a_password_that_nobody_escaped(password: str) -> None:
    link = decode_link(f"ss://aes-256-gcm:{password}@192.0.2.1:1#me@home")
    assert (link.password, link.host, link.remarks) == (password, "192.0.2.1", "me@home")


def test_an_address_without_brackets() -> None:
    link = decode_link("ss://aes-256-gcm:p@2001:db8::1:443")
    assert (link.host, link.port) == ("2001:db8::1", 443)


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("", "", ""),
        ("obfs-local", "obfs-local", ""),
        ("obfs-local;", "obfs-local", ""),
        ("obfs-local;obfs=http;obfs-host=x", "obfs-local", "obfs=http;obfs-host=x"),
        (r"v2ray-plugin;path=/a\;b;host=x\\y", "v2ray-plugin", r"path=/a\;b;host=x\\y"),
        (r"odd\;name;tls", "odd;name", "tls"),
        (r"C:\bin\obfs.exe;tls", r"C:\bin\obfs.exe", "tls"),
        (r"ends\\;tls", "ends\\", "tls"),
    ],
)
def test_a_plugin_in_two(text: str, name: str, options: str) -> None:
    assert split_plugin(text) == (name, options)


def test_a_plugin_that_nobody_escaped() -> None:
    link = decode_link("ss://aes-256-gcm:p@h:1?plugin=obfs-local;obfs=http;obfs-host=a@b:2#n")
    assert (link.plugin, link.plugin_opts, link.remarks) == ("obfs-local", "obfs=http;obfs-host=a@b:2", "n")


def test_what_has_no_effect_is_named() -> None:
    link = decode_link("ss://aes-256-gcm:p@h:1/?outline=1&prefix=%16%03%01&uot=1&%00=x")
    assert [text.split()[0] for text in link.ignored] == ["outline", "prefix", "uot", "a"]


def test_an_old_program_put_the_name_inside() -> None:
    link = decode_link("ss://" + packed("aes-256-cfb:pw@h.example:443?Remark=Prism&OTA=false"))
    assert (link.method, link.host, link.remarks) == ("aes-256-cfb", "h.example", "Prism")


@pytest.mark.parametrize(
    "link",
    [
        "ss://" + packed("aes-256-cfb:pw@h.example:443?OTA=true"),
        "ss://" + packed("aes-256-cfb-auth:pw@h.example:443"),
        "ss://aes-256-cfb!:pw@h:1",
    ],
)
def test_one_time_auth_is_refused(link: str) -> None:
    with pytest.raises(LinkError, match="One-Time Auth"):
        decode_link(link)


@pytest.mark.parametrize(
    ("link", "word"),
    [
        ("", "begin with ss://"),
        ("hello", "begin with ss://"),
        ("ssr://abc", "ssr:// are not supported"),
        ("VMESS://abc", "vmess:// are not supported"),
        ("https://h/x", "web address"),
        ("ssconf://u:hunter2@h.example/hunter2#hunter2", "https from 'h.example'"),
        ("ss://" + "a" * MAX_LINK, "longer"),
        ("ss://aes-256-gcm:hunter2@h:x", "port"),
        ("ss://aes-256-gcm:hunter2@h:0", "port"),
        ("ss://aes-256-gcm:hunter2@h:\u0661", "port"),
        ("ss://aes-256-gcm:hunter2@h", "port is missing"),
        ("ss://aes-256-gcm:x@hunter2:hunter2", "port"),
        ("ss://aes-256-gcm:hunter2@:1", "address is empty"),
        ("ss://aes-256-gcm:hunter2@a%20b:1", "host name"),
        ("ss://aes-256-gcm:hunter2@[h]:1", "IPv6"),
        ("ss://aes-256-gcm:hunter2@[::1:1", "no server address"),
        ("ss://aes-256-gcm:@h:1", "no password"),
        ("ss://:hunter2@h:1", "no method"),
        ("ss://aes-256-gcm:hunter2%ff@h:1", "UTF-8"),
        ("ss://aes-256-gcm:hunter2\udc80@h:1", "UTF-8"),
        ("ss://" + b64encode(b"aes-256-gcm:hunter2\xff@h:1").decode(), "UTF-8"),
        ("ss://" + packed("aes-256-gcm:hunter2"), "no server address"),
        ("ss://aes-256-gcm:hunter2@h:1?plugin=%3Btls", "plugin has no name"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(link: str, word: str) -> None:
    with pytest.raises(LinkError, match=word) as caught:
        decode_link(link)
    chain: BaseException | None = caught.value
    while chain is not None:
        assert "hunter2" not in str(chain)
        chain = chain.__context__
    assert str(caught.value).isprintable()


def test_an_online_configuration() -> None:
    assert online_config("ssconf://h.example/key?x=1#name") == "https://h.example/key?x=1"
    assert not online_config("ssconf://#x")
    assert not online_config("ss://aes-256-gcm:p@h:1")


# ---- reading many

A = "ss://YWVzLTEyOC1nY206dGVzdA@192.0.2.1:1"
B = "ss://YWVzLTEyOC1nY206dGVzdA@192.0.2.2:2#two"


@pytest.mark.parametrize(
    "text",
    [
        f"{A}\n{B}",
        f"{A} {B}",
        f"{A},{B}",
        f"{A}, {B};",
        f"\ufeff{A}\r\n\r\n\t{B}\r\n",
        f"try ({A}). or else <{B}>, good luck",
        f'{{"links": ["{A}", "{B}"]}}',
        f"\u8282\u70b9\uff1a{A}\uff0c\u8282\u70b9\uff1a{B}\u3002",
    ],
)
def test_links_in_a_text(text: str) -> None:
    found = [link.server for link in find_links(text)]
    assert [(link.port, link.remarks) for link in found if link] == [(1, ""), (2, "two")]
    assert len(found) == 2


def test_names_with_blanks_in_a_list() -> None:
    found = list(find_links(f"{A}#HK 1 (fast), new\n  {A}#t.me: https://t.me/x\nsee {A}#x y\n{A}#1 ssr://a {A}#2 b."))
    assert [link.server.remarks if link.server else link.error.split()[4] for link in found] == [
        "HK 1 (fast), new", "t.me: https://t.me/x", "x", "1", "ssr://", "2",
    ]  # fmt: skip
    assert [link.line for link in found] == [1, 2, 3, 4, 4, 4]
    assert [link.number for link in found] == [1, 2, 3, 4, 5, 6]


def test_what_cannot_be_read_keeps_its_number() -> None:
    found = list(find_links(f"{A}\n\nss://x\nssconf://h.example/k"))
    assert [(link.number, link.line, bool(link.server), bool(link.online), bool(link.error)) for link in found] == [
        (1, 1, True, False, False),
        (2, 3, False, False, True),
        (3, 4, False, True, False),
    ]


def test_the_number_of_links_is_bounded() -> None:
    found = list(find_links("ss://x\n" * (MAX_LINKS + 5)))
    assert len(found) == MAX_LINKS + 1
    assert "more than" in found[-1].error


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "part", ["ss://", "ss://a@", "ss://a#", "ss://@:", "s", "s://", "ss:// ", "()", ")", "ss://.ss://\n", ":"]
)
def test_a_hostile_text_takes_no_time(part: str) -> None:
    text = part * ((1 << 20) // len(part))
    assert len(list(find_links(text))) <= MAX_LINKS + 1
    assert len(list(find_links("ss://" + text))) <= MAX_LINKS + 1


# ---- anything at all

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
HOSTS = st.sampled_from(["h.example", "192.0.2.1", "2001:db8::1", "fe80::1%eth0", "\u4f8b.example", "a_b-c"])
METHODS = st.one_of(
    st.sampled_from(["aes-256-gcm", "2022-blake3-aes-128-gcm", "rc4-md5", "none"]),
    TEXT.map(lambda text: "".join(c for c in text if c.isprintable() and c != ":").strip()),
)
LINKS = st.builds(
    ServerLink, HOSTS, st.integers(1, 65535), METHODS, TEXT.filter(bool), TEXT.filter(bool), TEXT, TEXT
).filter(lambda link: link.method and not link.method.lower().endswith(("-auth", "!")))


@given(LINKS)
def test_what_is_written_is_read(link: ServerLink) -> None:
    text = link.encode()
    assert decode_link(text) == link
    assert text.isascii()
    (found,) = find_links(f"Here: {text}, and\n")
    if not link.remarks.endswith("."):
        assert found.server == link


@given(st.one_of(TEXT, st.text(st.sampled_from("ss:/@#?%;=[]aA1+-._ \n\\"), max_size=60)))
def test_anything_is_read_or_refused(text: str) -> None:
    for link in (text, f"ss://{text}", f"ss://{packed(text)}", f"ss://{packed(text)}@{text}", f"ss://a:b@h:1?{text}"):
        try:
            again = decode_link(link)
        except LinkError:
            continue
        assert decode_link(again.encode()) == again
    for found in find_links(text):
        assert bool(found.server) + bool(found.online) + bool(found.error) == 1


@given(st.sampled_from([case["uri"] for case in VECTORS["ok"]]), st.integers(0), st.characters())
def test_a_changed_character_is_read_or_refused(link: str, place: int, character: str) -> None:
    place %= len(link)
    for text in (link[:place], link[:place] + character + link[place + 1 :]):
        try:
            decode_link(text).encode()
        except LinkError as error:
            said = str(error)
        else:
            said = ""
        assert said.isprintable()


def test_a_full_stop_at_the_end_is_the_plugins_own() -> None:
    link = encode_link("h.example", 1, "aes-128-gcm", "pw", plugin="obfs-local;host=a.")
    (found,) = find_links(f"Use {link}.")
    assert found.server is not None
    assert found.server.plugin_opts == "host=a."

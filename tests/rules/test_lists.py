"""Lists in every other format, and how they are told apart."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.rules.acl import Route
from ssgui.rules.geosite import GeositeError, dlc_groups, is_dlc, parse_dlc, parse_geosite
from ssgui.rules.model import Kind
from ssgui.rules.plain_lists import parse_plain
from ssgui.rules.reader import ListError, read_list

TEXTS = {
    "big": "domain:example.com @cn\nexample.org # a comment\nfull:www.example.net @ads\nkeyword:tracker @cn @ads\n"
           "regexp:^ads?\\d+\\.example\\.\n&nothing\n",
    "some": "include:big @cn @-ads\ninclude:missing\n",
    "round": "include:round\nfull:x.y\n",
}  # fmt: skip


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def dlc(**groups: list[tuple[int, str, list[str]]]) -> bytes:
    """A dlc.dat."""
    whole = b""
    for name, entries in groups.items():
        body = field(1, name.upper().encode())
        for kind, value, attributes in entries:
            marks = b"".join(field(3, field(1, mark.encode()) + field(2, 1)) for mark in attributes)
            body += field(2, (field(1, kind) if kind else b"") + field(2, value.encode()) + marks)
        whole += field(1, body)
    return whole


DLC = dlc(
    cn=[(2, "example.com", ["cn"]), (3, "www.example.org", []), (1, r"^a\d+\.b$", []), (0, "key", ["ads", "cn"])],
    google=[(2, "google.com", []), (1, "(?P<x>bad)", [])],
)


def test_geosite_text() -> None:
    found = parse_geosite(TEXTS["big"], "big", Route.DIRECT)
    assert [(rule.kind, rule.pattern, rule.line) for rule in found.rules] == [
        (Kind.SUFFIX, "example.com", 1), (Kind.SUFFIX, "example.org", 2), (Kind.HOST, "www.example.net", 3),
        (Kind.KEYWORD, "tracker", 4), (Kind.HOST_REGEX, r"^ads?\d+\.example\.", 5),
    ]  # fmt: skip
    assert [problem.line for problem in found.problems] == [6]
    assert found.action is Route.DIRECT


def test_geosite_lists_include_each_other_by_attribute() -> None:
    found = parse_geosite(TEXTS["some"], "some", read=TEXTS.get)
    assert [rule.pattern for rule in found.rules] == ["example.com"]
    assert [(problem.line, problem.why) for problem in found.problems if "there" in problem.why] == [
        (2, "this list is not there")
    ]
    around = parse_geosite(TEXTS["round"], "round", read=TEXTS.get)
    assert [rule.pattern for rule in around.rules] == ["x.y"]
    assert "include each other" in around.problems[0].why


def test_dlc() -> None:
    assert is_dlc(DLC)
    assert dlc_groups(DLC) == {"cn": 4, "google": 2}
    found = parse_dlc(DLC, "cn")
    assert [rule.kind for rule in found.rules] == [Kind.SUFFIX, Kind.HOST, Kind.HOST_REGEX, Kind.KEYWORD]
    assert [rule.pattern for rule in parse_dlc(DLC, "cn@cn@-ads").rules] == ["example.com"]
    assert is_dlc(field(1, field(1, b"GEOLOCATION-!CN") + field(2, field(2, b"a.b"))))
    (problem,) = parse_dlc(DLC, "google").problems
    assert (problem.line, problem.text) == (2, "(?P<x>bad)")
    with pytest.raises(GeositeError, match="no list 'us'"):
        parse_dlc(DLC, "us")


def test_plain_lists() -> None:
    text = (
        "# names\nexample.com\n.a.example\n*.b.example\n0.0.0.0 ads.example localhost\n127.0.0.1\n"
        "server=/c.example/d.example/114.114.114.114\n192.0.2.0/24\n2001:db8::/32\n198.51.100.7\nnot a name\n"
        "1.2.3.4/99\n"
    )
    found = parse_plain(text)
    assert [(rule.kind, rule.pattern) for rule in found.rules] == [
        (Kind.SUFFIX, "example.com"), (Kind.SUFFIX, "a.example"), (Kind.SUFFIX, "b.example"),
        (Kind.HOST, "ads.example"), (Kind.SUFFIX, "c.example"), (Kind.SUFFIX, "d.example"),
    ]  # fmt: skip
    assert [str(network) for network, _ in found.networks] == [
        "127.0.0.1/32", "192.0.2.0/24", "2001:db8::/32", "198.51.100.7/32",
    ]  # fmt: skip
    assert [problem.line for problem in found.problems] == [11, 12]


def test_formats_are_told_apart() -> None:
    assert read_list(b"[AutoProxy]\n||a.com").rules[0].kind is Kind.SUFFIX
    assert read_list(b"full:a.com\nb.com").rules[0].kind is Kind.HOST
    assert read_list(b"a.com\nb.com").rules[0].kind is Kind.SUFFIX
    assert read_list(b"192.0.2.0/24\n").networks
    assert read_list(b"\n#\n\n# much like a dlc.dat\n\na.com").rules[0].kind is Kind.SUFFIX
    assert [rule.line for rule in read_list(b"a.com\r# old\rb.com\r").rules] == [1, 3]
    assert len(read_list("# \u6ce8\u91ca\na.com\n".encode("gbk")).rules) == 1
    assert len(read_list("a.com\nb.com\n".encode("utf-16")).rules) == 2
    assert len(read_list(DLC, group="google").rules) == 1


def test_geosite_lists_as_they_are_published() -> None:
    found = read_list(b"domain:a.com:@cn\nfull:b.com:@ads,@cn\nregexp:^c\\.com$\nregexp:[[:alpha:]]\\.com\n")
    assert [(rule.kind, rule.pattern) for rule in found.rules] == [
        (Kind.SUFFIX, "a.com"), (Kind.HOST, "b.com"), (Kind.HOST_REGEX, r"^c\.com$"),
    ]  # fmt: skip
    assert [problem.line for problem in found.problems] == [4]
    part = parse_geosite("include:x @ads", read=lambda _: "full:b.com:@ads,@cn\na.com:@cn")
    assert [rule.pattern for rule in part.rules] == ["b.com"]


def test_rule_sets_of_clash_and_surge() -> None:
    found = read_list(
        b"payload:\n  - '+.a.com'\n  - 'b.com'\n  - DOMAIN-SUFFIX,c.com\n  - 192.0.2.0/24 # x\n"
        b"DOMAIN,d.com,PROXY\nDOMAIN-KEYWORD,eee\nIP-CIDR,198.51.100.0/24,no-resolve\nPROCESS-NAME,f\n"
    )
    assert [(rule.kind, rule.pattern) for rule in found.rules] == [
        (Kind.SUFFIX, "a.com"), (Kind.HOST, "b.com"), (Kind.SUFFIX, "c.com"), (Kind.HOST, "d.com"),
        (Kind.KEYWORD, "eee"),
    ]  # fmt: skip
    assert [(str(network), line) for network, line in found.networks] == [
        ("192.0.2.0/24", 5), ("198.51.100.0/24", 8),
    ]  # fmt: skip
    assert [(problem.line, problem.why) for problem in found.problems] == [
        (9, "'PROCESS-NAME' is no kind of rule that is known here")
    ]


@given(st.text(alphabet="ab.:/,-'+* 0129#\r\n", max_size=80), st.integers(0, 2))
def test_a_damaged_line_of_a_plain_list_harms_no_other(text: str, place: int) -> None:
    lines = ["one.example", "192.0.2.0/24"]
    lines.insert(place, text.replace("\n", " "))
    found = parse_plain("\n".join(lines))
    assert ("one.example", 1 + (place == 0)) in [(rule.pattern, rule.line) for rule in found.rules]
    assert ("192.0.2.0/24", 2 + (place < 2)) in [(str(network), line) for network, line in found.networks]
    assert {problem.line for problem in found.problems} <= {place + 1}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b" \n", "it is empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\xff\xfe\x00", "not text"),
        (b"abc\0def", "not text"),
        (bytes(range(256)), "not text"),
        (b"\xe4\xf6\xfc\xdf\n", "not text"),
        (b'{"message": "Not Found"}', "no rule in it is understood: line 1"),
        (b"404: Not Found", "no rule in it is understood: line 1"),
        (b"! only\n! comments\n||a b\n", "no rule in it is understood: line 3"),
        (DLC, "2 lists in it: say which"),
        (DLC[:-1], "cut off"),
    ],
)
def test_what_is_no_list(data: bytes, why: str) -> None:
    with pytest.raises(ListError, match=why):
        read_list(data, group="google" if data == DLC[:-1] else "")


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    try:
        found = read_list(data, group="cn")
    except ListError:
        return  # the only way to fail
    assert found.rules or found.networks


@given(st.integers(0, len(DLC) - 1), st.integers(1, 255), st.integers(0, len(DLC)))
def test_a_damaged_dlc(place: int, flip: int, cut: int) -> None:
    data = bytearray(DLC)
    data[place] ^= flip
    for one in (bytes(data), DLC[:cut]):
        try:
            for group in dlc_groups(one):
                parse_dlc(one, group)
        except GeositeError:
            continue  # the only way to fail


@given(st.text(alphabet="abc.:@&-# \nfulmdoinceregxpkywt*/\\(", max_size=200))
def test_any_geosite_text(text: str) -> None:
    parse_geosite(text, "x", read=lambda _: text)
    parse_plain(text)


def test_the_wheel_takes_the_template_along() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert 'pac = "ssgui/_assets/pac"' in text

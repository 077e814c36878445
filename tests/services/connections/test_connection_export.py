"""Connections as CSV, JSON, HAR and shell lines: whatever strangers call themselves is read back and does no harm."""

import csv
import io
import json
import re
import shlex
import subprocess
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssgui.engine.stages import Reason, Stage
from ssgui.protocol.address import split_host_port
from ssgui.services.connections.export import csv_text, curl_line, json_text, to_csv, to_har, to_json
from ssgui.services.connections.records import Connection, Moment
from tests.support import sample
from tests.support.programs import require

NASTY = (
    "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "x;=1", "\uff1d1", '"=1', "a\x00b",
    "\x1b[2J", "\u202egnp.exe", "a\u2028b", "\ud800", "\ufeffx", "[red]x[/red]", "'; rm -rf ~; '", "$(id)", "`id`",
    "a,b", 'say "x"', "a\r\nb", "", "-", "--output=x", "{a,b}", "[1-9]", "%0a", "é", "\\x1b",
)  # fmt: skip
texts = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(NASTY)
# What must not come out anywhere: control characters but the line's own end, directions, halves of characters.
TURNS = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff"
LEAK, HARMFUL = re.compile(f"[\x00-\x09\x0b\x0c\x0e-\x1f{TURNS}]"), re.compile(f"[\x00-\x1f{TURNS}]")
FORMULA = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
WALL = 1_764_000_000.0

times = st.floats(0, 1e5)


@st.composite
def connections(draw: st.DrawFn) -> Connection:
    """Any connection: all texts are anybody's."""
    opened = draw(times)
    gaps = draw(st.lists(st.floats(0, 50), min_size=5, max_size=5))
    one = Connection(draw(st.integers(0, 1 << 40)), draw(st.integers(0, 1 << 40)), draw(texts), draw(texts), opened)
    stages = [Stage.INIT, Stage.ADDR, Stage.DNS, Stage.CONNECTING, Stage.STREAM][: draw(st.integers(1, 5))]
    at = opened
    for stage, gap in zip(stages, gaps, strict=False):
        one.timeline.append((stage, at))
        at += gap
    one.stage = stages[-1]
    one.target, one.route, one.rule, one.server = draw(texts), draw(texts), draw(texts), draw(texts)
    one.program, one.user, one.detail, one.pid = draw(texts), draw(texts), draw(texts), draw(st.integers(0, 1 << 22))
    one.up, one.down = draw(st.integers(0, 1 << 50)), draw(st.integers(0, 1 << 50))
    one.first_up, one.first_down = draw(st.none() | times), draw(st.none() | times)
    one.moments = [(at, draw(st.sampled_from(Moment)))]
    if draw(st.booleans()):
        one.ended, one.reason, one.stage = at, draw(st.none() | st.sampled_from(Reason)), Stage.DESTROYED
        one.timeline.append((Stage.DESTROYED, at))
    return one


rows = st.lists(connections(), max_size=4)


def cells(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter))


# ---- CSV


@given(rows)
@settings(max_examples=60, deadline=None)
def test_any_row_makes_a_table_without_formulas(given_rows: list[Connection]) -> None:
    text = to_csv(given_rows, WALL, 2e5)
    table = cells(text)
    assert len(table) == len(given_rows) + 1
    assert {len(line) for line in table} == {len(table[0])}
    assert not [cell for line in table for cell in line if cell.startswith(FORMULA)]
    assert not LEAK.search(text)
    assert text.count("\r\n") == text.count("\n") == text.count("\r") == len(table)
    text.encode()
    down = table[0].index("down")
    assert [int(line[down]) for line in table[1:]] == [one.down for one in given_rows]


@given(st.lists(st.lists(texts, min_size=3, max_size=3), max_size=5))
def test_no_cell_of_any_table_calculates(given_rows: list[list[str]]) -> None:
    text = csv_text(("a", "b", "c"), given_rows)
    assert not [cell for line in cells(text) for cell in line if cell.strip(" \"'").startswith(FORMULA)
                and not cell.startswith("'")]  # fmt: skip
    # a spreadsheet that parts by semicolons, and knows no quotes inside of a cell
    pieces = [piece.strip(' "') for piece in re.split(r"[;\r\n]", text)]
    assert not [piece for piece in pieces if piece.startswith(FORMULA)]


def test_what_a_table_says() -> None:
    one = next(one for one in sample.connections().ended.values() if one.reason is Reason.FINISHED)
    heads, line = cells(to_csv([one], WALL))
    row = dict(zip(heads, line, strict=True))
    assert (row["target"], row["reason"]) == ("fonts.gstatic.com:443", "finished")
    assert (row["up"], row["down"]) == ("1100", "38200")
    assert datetime.fromisoformat(row["started"]).timestamp() == pytest.approx(WALL + one.opened, abs=0.001)
    assert (row["dns"], row["connecting"]) == ("0.04", "0.06")
    assert csv_text(("a",), [[None], [0.5], [3], [float("nan")], [-1.0], ['x"y']]) == (
        'a\r\n""\r\n0.5\r\n3\r\n""\r\n\'-1\r\n"x""y"\r\n'
    )


# ---- JSON and HAR


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in (key, *strings(one))]
    return [text for one in value for text in strings(one)] if isinstance(value, list) else []


@given(rows)
@settings(max_examples=60, deadline=None)
def test_any_row_makes_json_and_har(given_rows: list[Connection]) -> None:
    for text in (to_json(given_rows, WALL, 2e5), to_har(given_rows, WALL, 2e5)):
        text.encode()
        tree = json.loads(text, parse_constant=lambda name: pytest.fail(name))
        assert not LEAK.search(text)
        assert not [one for one in strings(tree) if LEAK.search(one) or "\n" in one or "\r" in one]
    assert len(json.loads(to_json(given_rows, WALL, 2e5))) == len(given_rows)
    check_har(json.loads(to_har(given_rows, WALL, 2e5)))


def test_times_that_are_no_times_are_left_out() -> None:
    one = Connection(1, 1, "socks5", "127.0.0.1:5", 0.0)
    one.timeline, one.target, one.up_rate = [(Stage.INIT, 0.0)], "example.com:443", float("inf")
    one.first_up = float("nan")
    assert json.loads(to_json([one], float("nan"), 1.0))[0]["started"] == "1970-01-01T00:00:00.000Z"
    assert json.loads(to_json([one], 1e300, 1.0))[0]["started"].startswith("9999-")
    assert json.loads(json_text({"a": [float("inf"), (1, 2)], "b\x00": None})) == {"a": [None, [1, 2]], "b\ufffd": None}


ENTRY = {"startedDateTime": str, "time": (int, float), "request": dict, "response": dict, "cache": dict,
         "timings": dict}  # fmt: skip
REQUEST = {"method": str, "url": str, "httpVersion": str, "cookies": list, "headers": list, "queryString": list,
           "headersSize": int, "bodySize": int}  # fmt: skip
RESPONSE = {"status": int, "statusText": str, "httpVersion": str, "cookies": list, "headers": list, "content": dict,
            "redirectURL": str, "headersSize": int, "bodySize": int}  # fmt: skip
PHASES = ("blocked", "dns", "connect", "send", "wait", "receive")
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def check_object(value: dict[str, Any], fields: dict[str, Any], optional: set[str]) -> None:
    """All that HAR 1.2 requires, and nothing that it does not know; names of ours begin with an underscore."""
    for name, kind in fields.items():
        assert isinstance(value[name], kind), name
    assert not {name for name in value if not name.startswith("_")} - set(fields) - optional


def check_har(tree: dict[str, Any]) -> None:
    log = tree["log"]
    check_object(log, {"version": str, "creator": dict, "entries": list}, set())
    assert log["version"] == "1.2"
    check_object(log["creator"], {"name": str, "version": str}, set())
    for entry in log["entries"]:
        check_object(entry, ENTRY, {"connection", "comment", "serverIPAddress", "pageref"})
        assert ISO.fullmatch(entry["startedDateTime"])
        datetime.fromisoformat(entry["startedDateTime"])
        check_object(entry["request"], REQUEST, {"postData", "comment"})
        assert urlsplit(entry["request"]["url"]).scheme in ("http", "https", "tcp", "udp")
        assert entry["request"]["url"].isascii()
        assert entry["request"]["url"].isprintable()
        check_object(entry["response"], RESPONSE, {"comment"})
        check_object(entry["response"]["content"], {"size": int, "mimeType": str}, {"text", "encoding", "compression"})
        timings = entry["timings"]
        check_object(timings, dict.fromkeys(PHASES, (int, float)), {"ssl", "comment"})
        assert all(timings[name] >= 0 for name in ("send", "wait", "receive"))
        assert all(timings[name] >= 0 or timings[name] == -1 for name in PHASES)
        total = sum(value for value in timings.values() if value > 0)
        assert entry["time"] == pytest.approx(total, abs=0.01)


def test_where_the_time_of_a_har_entry_went() -> None:
    one = Connection(7, 3, "socks5", "127.0.0.1:5", 10.0)
    one.timeline = [(Stage.INIT, 10.0), (Stage.ADDR, 10.01), (Stage.DNS, 10.02), (Stage.CONNECTING, 10.05),
                    (Stage.STREAM, 10.15), (Stage.DESTROYED, 12.0)]  # fmt: skip
    one.first_up, one.first_down, one.ended = 10.2, 10.4, 12.0
    one.target, one.route, one.server, one.reason = "example.com:443", "proxy", "Tokyo", Reason.FINISHED
    one.stage, one.up, one.down = Stage.DESTROYED, 517, 48_213
    tree = json.loads(to_har([one, Connection(8, 8, "socks5", "127.0.0.1:6", 11.0)], WALL))
    check_har(tree)
    (entry,) = tree["log"]["entries"]  # the other has no target yet
    assert entry["timings"] == pytest.approx(
        {"blocked": 20, "dns": 30, "connect": 100, "send": 50, "wait": 200, "receive": 1600, "ssl": -1}, abs=0.01
    )
    assert entry["time"] == pytest.approx(2000, abs=0.01)
    assert entry["request"]["url"] == "https://example.com/"
    assert (entry["response"]["status"], entry["response"]["statusText"]) == (200, "finished")
    assert entry["_ssgui"]["server"] == "Tokyo"
    assert entry["_ssgui"]["first_down"] == pytest.approx(0.4)
    one.down, one.reason = 0, Reason.NO_ANSWER
    (entry,) = json.loads(to_har([one], WALL))["log"]["entries"]
    assert (entry["response"]["status"], entry["response"]["_error"]) == (0, "no-answer")


# ---- the line for a shell


def target(text: str, stage: Stage = Stage.STREAM) -> Connection:
    one = Connection(1, 1, "socks5", "127.0.0.1:5", 0.0, target=text)
    one.timeline.append((stage, 0.0))
    return one


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("example.com:443", "https://example.com/"),
        ("example.com:80", "http://example.com/"),
        ("example.com:8443", "http://example.com:8443/"),
        ("192.0.2.7:443", "https://192.0.2.7/"),
        ("a b;$(id):443", "https://a%20b%3B%24%28id%29/"),
        ("-o:443", "https://-o/"),
    ],
)
def test_a_line_for_curl(text: str, url: str) -> None:
    line = curl_line(target(text), "127.0.0.1:1080")
    assert shlex.split(line) == ["curl", "-v", "-x", "socks5h://127.0.0.1:1080", url]


def test_a_line_for_curl_and_an_ipv6_address() -> None:
    line = curl_line(target("[2001:db8::1]:22"), "[::1]:1080")
    assert shlex.split(line) == ["curl", "-v", "-g", "-x", "socks5h://[::1]:1080", "http://[2001:db8::1]:22/"]


def test_there_is_no_line_where_there_is_nothing_to_ask_for() -> None:
    assert curl_line(target(""), "127.0.0.1:1080") == ""
    assert curl_line(target("example.com:443"), "") == ""
    assert curl_line(target("example.com:443", Stage.UDP_ASSOC), "127.0.0.1:1080") == ""


@given(texts, st.integers(0, 0xFFFF))
def test_no_host_gets_out_of_its_word(host: str, port: int) -> None:
    line = curl_line(target(f"{host}:{port}"), "127.0.0.1:1080")
    if not line:
        return
    assert line.isascii()
    assert line.isprintable()
    words = shlex.split(line)
    assert words[:2] == ["curl", "-v"]
    assert words[-1].startswith(("http://", "https://"))
    assert not set(words[-1]) & set(" {}\\\"'`$<>|;&*?!#@")
    assert len(words) == 5 + ("-g" in words)
    if not HARMFUL.search(host):
        named = unquote(words[-1].partition("//")[2].removesuffix("/"))
        without_port = named.rpartition(":")[0]
        known = (named, named.strip("[]"), without_port, without_port.strip("[]"))
        assert split_host_port(f"{host}:{port}")[0] in known


def test_a_shell_reads_one_command_and_runs_nothing() -> None:
    for word in NASTY:
        line = curl_line(target(f"{word}x:443"), "127.0.0.1:1080")
        script = f"curl() {{ printf '%s\\n' \"$@\"; }}; {line}"
        shown = subprocess.run([require("sh"), "-c", script], capture_output=True, text=True, timeout=10)
        assert shown.stdout.splitlines() == shlex.split(line)[1:], word
        assert not shown.stderr

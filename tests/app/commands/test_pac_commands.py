"""`ssgui pac build`, `explain` and `update`: what they print, what they leave on the disk, and their exit codes."""

import io
import json
import stat
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssgui.app.commands import pac_sources, pac_update
from ssgui.cli import main
from ssgui.config.addresses import parse_pac_result
from ssgui.config.app_config import STARTER, AppConfig, RuleSource, Settings
from ssgui.config.secret import Secret
from ssgui.config.store import Store
from ssgui.config.values import ConfigError
from ssgui.rules import pac_compiler
from ssgui.rules.model import PolicyMode
from ssgui.services.control.channel import InstanceLock
from ssgui.services.fetching import fetch
from ssgui.services.rules.lists import ListState, RuleFolder, geosite
from tests.rules.pac_engine import as_browser, qt
from tests.services.test_fetching import Provider, reply

Run = Callable[..., tuple[int, str, str]]
LIST = "[AutoProxy 0.2.9]\n||listed.example\n@@||free.listed.example\n|https://never.example/path\n"
USER = "||mine.example\n203.0.113.0/24\n@@||listed.example/x\n"
MUCH = "[AutoProxy]\n" + "".join(f"||site{n}.example\n" for n in range(60))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("SSGUI_HOME", str(tmp_path / "home"))

    def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = main(["pac", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """Lists on a site of https that is trusted."""
    one = Provider(tmp_path)
    for module in (pac_sources, pac_update):
        monkeypatch.setattr(module, "fetch", partial(fetch, trust=one.trust))
    yield one
    one.close()


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "list.txt").write_text(LIST)
    (tmp_path / "mine.txt").write_text(USER)
    return str(tmp_path / "list.txt"), str(tmp_path / "mine.txt")


def chosen(folder: Path, *lists: RuleSource, **settings: Any) -> None:
    Store(folder).save(AppConfig(rule_lists=lists, settings=Settings(**settings)))


def answers(pac: str, *urls: str) -> list[str]:
    return qt(pac.encode("ascii"), [as_browser(url) for url in urls])


# ---- build


def test_build_of_files(run: Run, files: tuple[str, str], tmp_path: Path) -> None:
    one, mine = files
    code, pac, err = run("build", "--list", one, "--user", mine)
    assert code == 0
    urls = ["https://www.listed.example/", "https://free.listed.example/", "https://mine.example/", "https://x.example/",
            "http://listed.example/x"]  # fmt: skip
    proxy = "PROXY 127.0.0.1:1080"
    assert answers(pac, *urls) == [proxy, "DIRECT", proxy, "DIRECT", "DIRECT"]
    wrong, networks = err.splitlines()
    assert wrong.startswith("ssgui: list.txt: line 4: |https://never.example/path: it never matches: of an https URL ")
    assert networks == "ssgui: user: 1 network is left out: a browser would have to ask a name server"
    out = tmp_path / "made.pac"
    code, printed, err = run("build", "--list", one, "--user", mine, "-o", str(out))
    assert (code, printed) == (0, "")
    assert out.read_text() == pac
    assert stat.S_IMODE(out.stat().st_mode) == 0o644 or sys.platform == "win32"  # for a web server
    assert f"{out}: {len(pac):,} bytes, of 4 rules" in err
    assert not (tmp_path / "home").exists()


def test_build_in_every_mode(run: Run, files: tuple[str, str]) -> None:
    urls = ("https://listed.example/", "https://other.example/", "https://mine.example/")
    for mode, routes in (("list", "pdp"), ("bypass", "dpp"), ("global", "ppp")):
        more = ("--proxy", "proxy 192.0.2.1:3128;SOCKS5 [2001:db8::1]:1080 ; direct")
        code, pac, _ = run("build", "--list", files[0], "--user", files[1], "--mode", mode, *more)
        assert code == 0
        proxy = "PROXY 192.0.2.1:3128; SOCKS5 [2001:db8::1]:1080; DIRECT"
        assert answers(pac, *urls) == [{"p": proxy, "d": "DIRECT"}[one] for one in routes]


def test_build_of_standard_input_and_of_a_dlc(run: Run, tmp_path: Path) -> None:
    code, pac, _ = run("build", "--list", "-", stdin=LIST)
    assert code == 0
    assert answers(pac, "https://listed.example/")[0].startswith("PROXY")
    row = b"\x08\x02\x12\x09a.example"
    body = b"\x0a\x01A\x12" + bytes([len(row)]) + row
    (tmp_path / "dlc.dat").write_bytes(b"\x0a" + bytes([len(body)]) + body)
    dlc = str(tmp_path / "dlc.dat")
    assert answers(run("build", "--list", f"{dlc}#a")[1], "https://b.a.example/")[0].startswith("PROXY")
    code, _, err = run("build", "--list", dlc)
    assert (code, err) == (
        2,
        "ssgui: dlc.dat: it has 1 lists in it: say which, as in dlc.dat#cn or dlc.dat#openai,docker\n",
    )
    assert run("build", "--list", f"{dlc}#b")[2] == "ssgui: dlc.dat: there is no list 'b' in it\n"


def test_build_of_what_the_app_has(run: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    off = RuleSource(id="off", name="off", url=Secret("https://lists.example/off"), enabled=False)
    gone = RuleSource(id="gone", name="gone", url=Secret("https://lists.example/gone"))
    bad = RuleSource(id="bad", name="bad", url=Secret("https://lists.example/bad"))
    direct = RuleSource(id="direct", name="direct", url=Secret("https://lists.example/direct"), direct=True)
    chosen(home, STARTER, off, gone, bad, direct, local_port=1099, rules_mode=PolicyMode.BYPASS, fail_open=True)
    kept = RuleFolder(home)
    kept.keep(off, b"||off.example\n")
    kept.keep(bad, b"<html>")
    kept.keep(direct, b"direct.example\n")
    kept.save_user("@@||mine.example\n")
    before = sorted(path.name for path in home.rglob("*"))
    code, pac, err = run("build")
    assert code == 0
    proxy = "PROXY 127.0.0.1:1099; DIRECT"
    urls = ("https://direct.example/", "https://mine.example/", "https://off.example/")
    assert answers(pac, *urls) == ["DIRECT", "DIRECT", proxy]
    assert err.splitlines() == [
        "ssgui: gone: it was never fetched (ssgui pac update); it is left out",
        "ssgui: bad: it is a web page, not a list; it is left out",
    ]
    assert answers(run("build", "--proxy", "PROXY 192.0.2.1:1")[1], urls[2]) == ["PROXY 192.0.2.1:1"]
    assert sorted(path.name for path in home.rglob("*")) == before  # it only looked


def test_build_of_nothing_chosen_is_of_the_starter_rules(run: Run, tmp_path: Path) -> None:
    code, pac, err = run("build")
    assert (code, err) == (0, "")
    assert answers(pac, "https://www.youtube.com/", "https://example.com/") == ["PROXY 127.0.0.1:1080", "DIRECT"]
    assert not (tmp_path / "home").exists()


def test_a_pac_that_browsers_would_refuse_is_not_written(
    run: Run, files: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "made.pac"
    out.write_text("the last one")
    monkeypatch.setattr(pac_compiler, "MAX_BYTES", 6000)
    code, printed, err = run("build", "--list", files[0], "-o", str(out))
    assert (code, printed, out.read_text()) == (2, "", "the last one")
    assert "the list 'list.txt' is too big" in err


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("build", "--list", "{tmp}/none.txt"), 2, "none.txt: No such file or directory"),
        (("build", "--list", "{tmp}"), 2, "Is a directory"),
        (("build", "--user", "{tmp}/none.txt"), 2, "none.txt: No such file or directory"),
        (("build", "--list", "{tmp}/page.html"), 2, "page.html: it is a web page, not a list"),
        (("build", "--list", "{tmp}/empty.txt"), 2, "empty.txt: it is empty"),
        (("build", "--list", "http://lists.example/x"), 2, "http is not encrypted"),
        (("build", "--list", "ftp://lists.example/x"), 2, "this is no https address"),
        (("build", "--list", "https://127.0.0.1:1/x"), 1, "127.0.0.1 cannot be reached"),
        (("build", "--mode", "some"), 2, "'some' is not one of"),
        (("build", "-o", "{tmp}"), 2, "it is no file"),
        (("build", "-o", "{tmp}/no/such/dir.pac"), 2, "No such file or directory"),
        (("build", "--proxy", "HTTP 127.0.0.1:1"), 2, "--proxy: HTTP: Chromium goes directly for it"),
        (("build", "stray"), 2, "unexpected extra argument"),
        (("explain",), 2, "Missing argument"),
        (("explain", "http://"), 2, "not a URL: it has no host"),
        (("explain", "a b"), 2, "not a URL: it has an impossible host"),
        (("explain", "x", "--list", "{tmp}/page.html"), 2, "it is a web page"),
        (("update", "stray"), 2, "unexpected extra argument"),
        (("refresh",), 2, "No such command"),
        ((), 2, "Missing command"),
    ],
)
def test_mistakes_are_one_line_and_an_exit_code(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, why: str
) -> None:
    (tmp_path / "page.html").write_text("<!DOCTYPE html><p>log in")
    (tmp_path / "empty.txt").write_text(" \n")
    found, out, err = run(*(one.format(tmp=tmp_path) for one in arguments))
    assert (found, out) == (code, "")
    assert why in err
    assert len(err.splitlines()) == 1


def test_a_damaged_configuration_is_said_and_stays(run: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.json").write_text("{")
    for command in (("build",), ("explain", "x.example"), ("update",)):
        code, out, err = run(*command)
        assert (code, out) == (2, "")
        assert err.startswith("ssgui: config.json: line 1, column 2: ")
    assert [path.name for path in home.iterdir()] == ["config.json"]


def test_not_every_line_that_is_wrong_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("||good.example\n" + "/(open/\n" * 30)
    _, _, err = run("build", "--list", str(tmp_path / "list.txt"))
    assert len(err.splitlines()) == 11
    assert err.splitlines()[-1] == "ssgui: list.txt: 20 more lines are not understood"


# ---- explain


def test_explain(run: Run, files: tuple[str, str]) -> None:
    given_ = ("--list", files[0], "--user", files[1])
    code, out, _ = run("explain", "http://listed.example/x", *given_)
    assert code == 0
    assert json.loads(out) == {
        "url": "http://listed.example/x", "action": "direct", "rule": "@@||listed.example/x", "list": "user", "line": 3,
        "also": [{"action": "proxy", "rule": "||listed.example", "list": "list.txt", "line": 2}],
        "differ": True,
        "rules_mode": {"action": "direct", "rule": "@@||listed.example/x", "list": "user", "line": 3},
        "by_host": {"action": "proxy", "rule": "||listed.example", "list": "list.txt", "line": 2},
    }  # fmt: skip
    found = json.loads(run("explain", "203.0.113.9", *given_)[1])
    assert (found["action"], found["rule"], found["list"], found["line"]) == ("direct", None, "default", None)
    assert found["rules_mode"] == {"action": "proxy", "rule": "203.0.113.0/24", "list": "user", "line": 2}
    found = json.loads(run("explain", "printer", *given_)[1])
    assert (found["action"], found["list"], found["differ"]) == ("direct", "local", False)
    found = json.loads(run("explain", "LISTED.example.", *given_, "--mode", "bypass")[1])
    assert (found["url"], found["action"]) == ("https://listed.example/", "direct")
    found = json.loads(run("explain", "https://www.youtube.com/")[1])
    assert (found["action"], found["rule"], found["list"]) == ("proxy", "||youtube.com", "ssgui starter rules")


# ---- fetching


def test_lists_are_fetched(run: Run, provider: Provider) -> None:
    provider.replies["/one.txt"] = reply(LIST.encode())
    code, out, err = run("explain", "listed.example", "--list", f"{provider.url}/one.txt")
    assert code == 0
    assert json.loads(out)["list"] == "127.0.0.1/one.txt"
    assert f"127.0.0.1/one.txt: {len(LIST)} bytes, fetched directly, for no app runs here" in err
    for path, answer, wanted, why in (
        ("/404", reply(b"no", 404), 1, "127.0.0.1 answers 404 Not Found"),
        ("/page", reply(b"<html>log in"), 2, "127.0.0.1/page: it is a web page, not a list"),
        ("/big", reply(b"x" * ((16 << 20) + 1)), 1, "the list of 127.0.0.1 is larger than 16 MiB"),
        ("/away", reply(b"", 302, Location="http://127.0.0.1/x"), 1, "http is not encrypted"),
        ("/round", reply(b"", 302, Location="/round?token=hunter2"), 1, "without end"),
        ("/moved", reply(b"", 302, Location="/one.txt"), 0, "bytes, fetched directly"),
    ):
        provider.replies[f"{path}?token=hunter2"] = answer
        code, out, err = run("build", "--list", f"{provider.url}{path}?token=hunter2")
        assert (code, bool(out)) == (wanted, not wanted), path
        assert why in err
        assert "hunter2" not in err


def test_update_says_what_came_of_each(run: Run, provider: Provider, tmp_path: Path) -> None:
    home = tmp_path / "home"
    names = ("good", "same", "page", "less", "gone")
    sources = [RuleSource(id=one, name=one, url=Secret(f"{provider.url}/{one}")) for one in names]
    kept = RuleFolder(home)
    sources[1] = RuleSource(id="same", name="same", url=sources[1].url, etag='"tag"', updated=86400.0 * 10)
    sources[3] = RuleSource(id="less", name="less", url=sources[3].url, updated=86400.0 * 10)
    chosen(home, STARTER, *sources, RuleSource(id="off", name="off", url=Secret("https://x/"), enabled=False))
    kept.keep(sources[1], b"||same.example\n192.0.2.0/24\n")
    kept.keep(sources[3], MUCH.encode())
    provider.replies |= {
        "/good": reply(LIST.encode(), ETag='"one"'), "/same": reply(b"", 304), "/page": reply(b"<html>"),
        "/less": reply(LIST.encode()), "/gone": reply(b"", 404),
    }  # fmt: skip
    code, out, err = run("update")
    assert code == 1  # of some there is nothing new to be had
    assert out.splitlines() == [
        "ssgui starter rules: 97 rules, comes with ssgui",
        "good: 2 rules, up to date, 1 line not understood",
        "same: 1 rule, 1 network, up to date",
        "page: it is a web page, not a list",
        "less: it has 2 rules, the last one had 60; the copy of 1970-01-11 stays (60 rules)",
        "gone: 127.0.0.1 answers 404 Not Found",
        "off: off, not updated",
    ]
    assert err == "ssgui: fetched directly, for no app runs here\n"
    config = Store(home).load().config
    good, same, page = config.rule_lists[1:4]
    assert (good.etag, good.error, good.updated > 86400.0 * 365) == ('"one"', "", True)
    assert (same.etag, same.error) == ('"tag"', "")
    assert page.error == "it is a web page, not a list"
    assert provider.headers[1]["If-None-Match"] == '"tag"'
    assert kept.body(sources[3]) == MUCH.encode()
    provider.replies |= {"/good": reply(b"", 304), "/page": reply(LIST.encode()), "/less": reply(MUCH.encode())}
    provider.replies["/gone"] = reply(LIST.encode())
    assert run("update")[0] == 0


def test_update_of_nothing_leaves_nothing(run: Run, tmp_path: Path) -> None:
    code, out, err = run("update")
    assert (code, out, err) == (0, "ssgui starter rules: 97 rules, comes with ssgui\n", "")
    assert not (tmp_path / "home").exists()


def test_update_beside_an_app_that_starts_leaves_it_its_configuration(
    run: Run, provider: Provider, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    chosen(home, RuleSource(id="one", name="one", url=Secret(f"{provider.url}/one")))
    provider.replies["/one"] = reply(LIST.encode(), ETag='"one"')
    lock = InstanceLock(home)
    assert lock.take()  # it has no control channel yet
    try:
        code, out, err = run("update")
    finally:
        lock.release()
    assert (code, out) == (0, "one: 2 rules, up to date, 1 line not understood\n")
    assert "looks after its lists itself" in err
    assert Store(home).load().config.rule_lists[0].etag == ""


def test_update_does_not_wait_for_ever(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = ListState(RuleSource(id="one", url=Secret("https://x/")), "one", 5, progress=0.5)
    asked: list[str] = []

    async def ask(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request["do"])
        return {"ok": True, "lists": [slow.told()]}

    monkeypatch.setattr(pac_update, "ask", ask)
    monkeypatch.setattr(pac_update, "SECONDS", 0.3)
    code, out, _ = run("update")
    assert (code, out) == (1, "one: the app is still fetching it; the last copy stays (5 rules)\n")
    assert asked[0] == "update-lists"
    assert len(asked) > 2


def test_update_where_nothing_can_be_written(run: Run, provider: Provider, tmp_path: Path) -> None:
    home = tmp_path / "home"
    chosen(home, RuleSource(id="one", name="one", url=Secret(f"{provider.url}/one")))
    provider.replies["/one"] = reply(LIST.encode())
    (home / "lists").write_text("in the way")
    code, out, _ = run("update")
    assert code == 1
    assert out == "one: it cannot be kept: File exists\n"
    (home / "config.json").unlink()
    (home / "config.json").mkdir()
    code, _, err = run("update")
    assert (code, err) == (2, f"ssgui: {home}/config.json: Is a directory\n")


# ---- the result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("PROXY 127.0.0.1:1080", "PROXY 127.0.0.1:1080"),
        (" proxy  a.example:3128 ;; socks5 [::1]:1080;Direct; ", "PROXY a.example:3128; SOCKS5 [::1]:1080; DIRECT"),
        ("HTTPS proxy.example:443", "HTTPS proxy.example:443"),
        ("", "browsers would go directly"),
        (" ; ", "browsers would go directly"),
        ("SOCKS 127.0.0.1:1080", "looks names up itself"),
        ("SOCKS4 127.0.0.1:1080", "looks names up itself"),
        ("SOCKS5://127.0.0.1:1080", "is not PROXY"),
        ("SOCKS5H 127.0.0.1:1080", "is not PROXY"),
        ("PROXY 127.0.0.1", "HOST:PORT"),
        ("PROXY ::1:1080", "HOST:PORT"),
        ("PROXY 127.0.0.1:0", "no port"),
        ("PROXY bücher.example:1", "ASCII"),
        ('PROXY a":1', "no host name"),
        ("DIRECT 127.0.0.1:1", "is not PROXY"),
    ],
)  # fmt: skip
def test_what_browsers_may_be_told(text: str, result: str) -> None:
    try:
        found = parse_pac_result(text)
    except ConfigError as error:
        found = f"refused: {error}"
    assert result in found
    assert found == result or found.startswith("refused: ")


@given(st.one_of(st.text(max_size=60), st.text("PROXYSCK5DIRET ;:.1[]\"'\\", max_size=40)))
def test_any_text_is_a_result_or_a_mistake(text: str) -> None:
    try:
        found = parse_pac_result(text)
    except ConfigError:
        return
    assert found.isascii()
    assert found.isprintable()
    assert not set(found) & set("\"'\\")
    assert parse_pac_result(found) == found


def test_groups_are_of_a_source() -> None:
    assert geosite(["cn"]).groups == ("cn",)

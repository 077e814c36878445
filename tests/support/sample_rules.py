"""Rules of every kind, as a page shows them."""

import msgspec

from ssgui.app.context import AppContext
from ssgui.config.app_config import STARTER, RuleSource
from ssgui.config.secret import Secret
from ssgui.engine.pages import Fetched
from ssgui.services.rules.lists import CATALOGUE, geosite
from ssgui.services.rules.pac_pages import PATH

TEXT = """! 工作 · work
||gitlab.company.example
@@||intranet.company.example
||youtube.com
||googlevideo.com
|https://www.bbc.com/
! 新闻
||news.ycombinator.com
/^https?:\\/\\/[a-z]+\\.wiki(pedia|data)\\.org\\//
/(unclosed[/
||m.youtube.com
.example-video.com
||例え.jp
@@||exa mple.com
||docs.python.org
"""
WRONG = """|https://files.company.example/private/path
/(a+)+b/
example.com##.banner
||exa mple\u202e.com
"""
DAY = 86_400.0
NOW = 1_767_000_000.0  # Unix seconds
_HITS = {
    "||gitlab.company.example": 2108, "@@||intranet.company.example": 641, "||youtube.com": 312,
    "||googlevideo.com": 1977, "|https://www.bbc.com/": 18, "||news.ycombinator.com": 44, "||例え.jp": 3,
    "/^https?:\\/\\/[a-z]+\\.wiki(pedia|data)\\.org\\//": 96, "||docs.python.org": 27,
}  # fmt: skip


def sources(now: float) -> tuple[RuleSource, ...]:
    """Lists in every state."""
    by_id = {source.id: source for source in CATALOGUE}
    failing = RuleSource(
        id="company", name="lists.company.example/proxy.txt", url=Secret("https://lists.company.example/proxy.txt"),
        updated=now - 20 * DAY, error="lists.company.example answers 404 Not Found",
    )  # fmt: skip
    return (
        msgspec.structs.replace(by_id["gfwlist"], updated=now - 2 * DAY),
        msgspec.structs.replace(geosite(["openai", "docker"]), updated=now - 20 * 3600),
        STARTER,
        msgspec.structs.replace(by_id["chnroutes"], enabled=False, updated=now - 3 * 3600),
        failing,
    )


def fill(context: AppContext) -> None:
    """Put them into `context`, whose data directory is a test's."""
    rules, chosen = context.rules, sources(NOW)
    bodies = {
        "gfwlist": "[AutoProxy 0.2.9]\n" + "".join(f"||site{n}.example\n" for n in range(4349)) + "||youtube.com\n",
        chosen[1].id: "".join(f"||service{n}.example\n" for n in range(37)) + "||youtube.com\n",
        "chnroutes": "".join(f"11.{n // 200}.{n % 200}.0/24\n" for n in range(3912)),
        "company": "[AutoProxy]\n||tools.company.example\n||wiki.company.example\n" + WRONG,
    }
    for source in chosen:
        if source.id in bodies:
            rules.folder.keep(source, bodies[source.id].encode())
    context.config = msgspec.structs.replace(context.config, rule_lists=chosen)
    rules.own.text, rules._read_yet = TEXT, True
    rules.made = rules._make(context.config, TEXT)
    rules.progress["gfwlist"] = 0.62
    names = [state.name for state in rules.lists]
    rules.hits.lists.update(dict(zip(names, (1204, 86, 9, 0, 150), strict=True)))
    rules.hits.rules.update(_HITS)
    rules.hits.ever.update(dict.fromkeys(_HITS, rules.hits.day))
    pages = rules.pac_pages
    pages.begin(6, "0" * 16)
    pages.serve(rules.made.pac, ("127.0.0.1", 1080), Secret("secret"), shared=False, fail_open=False)
    for agent, version in (
        ("pacrunner", "?"),
        ("Mozilla Firefox/128.0", "0" * 16),
        ("Chrome/130.0 Safari/537", pages.digest),
    ):
        pages.pages.fetched(Fetched("127.0.0.1", agent, PATH, version))

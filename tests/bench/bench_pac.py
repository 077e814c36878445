"""Rules: how long it takes to read, to decide by, and to compile them, and what a call of the PAC costs.

    python -m tests.bench.bench_pac

With the real lists beside the repository, and 26,000 made entries of a geosite list. `node --jitless` runs a PAC as
browsers do; beside it the same rules as a list of regular expressions, tried one after the other. Beside each figure
stands what was asked for; the matcher has seen no address before. Times are those of the processor.
"""

import json
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ssgui.assets import asset
from ssgui.rules.autoproxy import parse_autoproxy
from ssgui.rules.geosite import parse_geosite
from ssgui.rules.matcher import Matcher
from ssgui.rules.model import Kind, Policy, Rule, RuleList
from ssgui.rules.pac_compiler import compile_pac
from ssgui.rules.rule_tests import text_regex

DATA = Path(__file__).parents[3] / "shared" / "data"
ROUNDS = 5
_SCRIPT = """
const fs = require("fs"), [pac, list] = process.argv.slice(1, 3).map(name => fs.readFileSync(name, "utf8"));
const urls = JSON.parse(list).slice(0, +process.argv[3]), find = new Function(pac + ";return FindProxyForURL")();
let best = Infinity;
for (let round = 0; round < 3; round++) {
  const start = process.cpuUsage();
  for (const [url, host] of urls) find(url, host);
  const took = process.cpuUsage(start);
  best = Math.min(best, (took.user + took.system) / urls.length);
}
console.log(best);
"""


def geosite(count: int) -> str:
    """A list like geolocation-!cn: suffixes mostly, some full names, a few patterns."""
    dice = random.Random(1)
    names = [
        f"{''.join(dice.choices('abcdefghijklmnop', k=8))}.{dice.choice(['com', 'net', 'org', 'jp'])}"
        for _ in range(count)
    ]
    kinds = ["domain:{}"] * 94 + ["full:www.{}"] * 5 + ["regexp:(^|\\.)cdn\\d+\\.{}$"]
    chosen = [(dice.choice(kinds), name) for name in names]
    return "\n".join(
        kind.format(re.escape(name) if kind.startswith("regexp") else name) for kind, name in chosen
    )  # fmt: skip


def best(work: Callable[[], object]) -> float:
    """Milliseconds, the shortest of a few."""
    found = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        found.append((time.process_time() - start) * 1000)
    return min(found)


def linear(rules: RuleList) -> bytes:
    """A PAC as it was made once: every rule a regular expression on the URL."""
    lines = ",".join(f"/{_of(rule)}/i" for rule in rules.rules if not rule.exception)
    code = "for(var i=0;i<R.length;i++)if(R[i].test(url))return 'PROXY 127.0.0.1:1080';return 'DIRECT'"
    return f"var R=[{lines}];function FindProxyForURL(url,host){{{code}}}".encode()


def _of(rule: Rule) -> str:
    if rule.kind is Kind.SUFFIX:
        pattern = r"^[\w-]+:\/+(?!\/)(?:[^\/]+\.)?" + re.escape(rule.pattern)
    elif rule.kind is Kind.TEXT:
        pattern = text_regex(rule.pattern)
    elif rule.kind in (Kind.PREFIX, Kind.HOST, Kind.KEYWORD):
        pattern = re.escape(rule.pattern)
    else:
        pattern = rule.pattern
    return re.sub(r"(?<!\\)/", r"\\/", pattern)


def call(pac: bytes, urls: Path, count: int) -> float:
    """Microseconds a call, the shortest of a few runs."""
    with tempfile.NamedTemporaryFile(suffix=".pac") as file:
        file.write(pac)
        file.flush()
        command = ["node", "--jitless", "-e", _SCRIPT, file.name, str(urls), str(count)]
        runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(ROUNDS)]
    return min(float(run.stdout) for run in runs)


def show(what: str, figure: float, unit: str, limit: float = 0.0, *, least: bool = False) -> None:
    """Print a figure; `limit` is the most, or the `least`, that was asked for, 0 for none."""
    good = figure >= limit if least else figure <= limit
    asked = f"{'at least' if least else 'at most'} {limit:g} {unit}  {'ok' if good else 'MISSED'}" if limit else ""
    print(f"{what:54} {figure:8.2f} {unit:3} {asked}".rstrip())


def main() -> None:
    if not DATA.exists():
        print(f"the real lists are not in {DATA}: nothing is measured")
        return
    template, urls = asset("pac/template.js").read_text(), DATA / "pac-bench-urls.json"
    texts = {"gfwlist": (DATA / "gfwlist-2026-08.txt").read_text(), "geosite": geosite(26_000)}
    gfwlist, made = parse_autoproxy(texts["gfwlist"], "gfwlist"), parse_geosite(texts["geosite"], "geosite")
    one, two = Policy(lists=(gfwlist,)), Policy(lists=(gfwlist, made))
    loading = best(lambda: Matcher(Policy(lists=(parse_autoproxy(texts["gfwlist"]), parse_geosite(texts["geosite"])))))
    show(f"read gfwlist and {len(made.rules):,} of geosite, and be ready", loading, "ms", 300)
    show("compile gfwlist", best(lambda: compile_pac(one, template)), "ms", 50)
    pairs = json.loads(urls.read_text())
    matcher = Matcher(two)
    show("decide a URL", best(lambda: [matcher.decide(url) for url, _ in pairs]) / len(pairs) * 1000, "us", 5)
    targets = best(lambda: [matcher.decide_target(host, 443) for _, host in pairs]) / len(pairs) * 1000
    show("decide a target", targets, "us", 5)
    old = Policy(lists=(parse_autoproxy((DATA / "gfwlist-2019-decoded.txt").read_text(), "gfwlist of 2019"),))
    plain, http = Matcher(old), [url.replace("https://", "http://") for url, _ in pairs]
    show(
        "decide an http URL by 3,606 texts", best(lambda: [plain.decide(url) for url in http]) / len(http) * 1000, "us"
    )
    if shutil.which("node") is None:
        print("node is not on PATH: calls of the PAC are not measured")
        return
    ours, slow = call(compile_pac(one, template), urls, len(pairs)), call(linear(gfwlist), urls, 300)
    show("a call of gfwlist's PAC in node --jitless", ours, "us", 3)
    show("  so many times as fast as one by one", slow / ours, "x", 200, least=True)
    show("a call with geosite too", call(compile_pac(two, template), urls, len(pairs)), "us")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump([[url, host] for url, (_, host) in zip(http, pairs, strict=True)], file)
        file.flush()
        show(
            "a call of an http URL with 3,606 texts", call(compile_pac(old, template), Path(file.name), len(http)), "us"
        )


if __name__ == "__main__":
    main()

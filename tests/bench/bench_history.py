"""How long questions to a history of 100,000 connections take, and what it takes to keep one.

python -m tests.bench.bench_history
"""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

from ssgui.config.app_config import HistoryHosts, Settings
from ssgui.services.connections.records import Connection
from ssgui.services.history.file import HistoryFile
from ssgui.services.history.queries import Answer, Query, View, answer
from ssgui.services.history.recorder import History
from tests.support.past import NOW, ended, many

COUNT = 100_000
ROUNDS = 7


def best(work: Callable[[], object]) -> float:
    """Milliseconds of this thread: what others do meanwhile does not count."""
    times = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        work()
        times.append((time.thread_time() - began) * 1000)
    return min(times)


def reopen(file: HistoryFile) -> None:
    file.close()
    file.begin(HistoryHosts.CLEAR)


def listen(history: History, ones: list[Connection]) -> None:
    for one in ones:
        history.closed(one)


def main() -> None:
    out = sys.stdout.write
    with tempfile.TemporaryDirectory() as name:
        file = HistoryFile(Path(name), wall=lambda: NOW)
        rows = list(many(COUNT))
        began = time.perf_counter()
        for at in range(0, COUNT, 500):
            file.add(rows[at : at + 500], HistoryHosts.CLEAR)
        took = time.perf_counter() - began
        out(f"{COUNT} connections: written in {took:.2f} s ({took / COUNT * 1e6:.0f} us each), "
            f"{file.bytes() / 1e6:.1f} MB ({file.bytes() / COUNT:.0f} bytes each)\n")  # fmt: skip
        today = date.fromtimestamp(NOW).toordinal()
        for view in View:
            for text in ("", "host-01"):
                query = Query(view, today - 40, today, text)
                ask = partial(file.ask, lambda db, naming, query=query: answer(db, naming, query),  # type: ignore[misc]
                              HistoryHosts.CLEAR, Answer())  # fmt: skip
                out(f"  {view:12} {text or 'all':8} {best(ask):6.1f} ms\n")
        for what, work in (
            ("hourly tidying", lambda: file.tidy(40, 50)),
            ("opening", partial(reopen, file)),
        ):
            out(f"  {what:21} {best(work):6.1f} ms\n")
        began = time.perf_counter()
        file.rename(HistoryHosts.HASHED)
        out(f"  hashing what is there {(time.perf_counter() - began) * 1000:6.1f} ms\n")
        file.close()
        history = History(Path(name), lambda: Settings())
        history.follow()
        ones = [ended(number) for number in range(1000)]
        out(f"  to listen, on the loop {best(partial(listen, history, ones)):5.2f} us a connection\n")


if __name__ == "__main__":
    main()

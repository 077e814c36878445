"""A history for pictures, and the pages that show it; asked at once, without a loop."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication, QWidget

from ssgui.config.app_config import HistoryHosts
from ssgui.services.history.queries import Answer, Query, View, answer
from tests.support import sample
from tests.support.past import NOW, ended, many, row

if TYPE_CHECKING:
    from tests.support.screens import Screens

TODAY = date.fromtimestamp(NOW).toordinal()
_STRANGERS = ("=cmd.example", "abc.\u202egnp.example", "<b>bold</b>.example", "xn--efvw92b.xn--fiqs8s")


def fill(screens: "Screens") -> None:
    """A month of connections, the window's answers to them, and how those of now fare."""
    context, page = screens.context, screens.presenter.past.page
    file = context.history.file
    names = {"Tokyo 1": sample.TOKYO, "Frankfurt": "Frankfurt · v2ray-plugin"}
    rows = [one._replace(server=names.get(one.server, one.server)) for one in many(1500)]
    rows += [row(number, f"{host}:443", server=sample.TOKYO) for number, host in enumerate(_STRANGERS)]
    file.add(rows, HistoryHosts.CLEAR)
    page._today = lambda: TODAY

    def ask(query: Query) -> None:
        hosts = context.config.settings.history_hosts
        found = file.ask(lambda db, naming: answer(db, naming, query), hosts, Answer())
        page.show_answer(query, found)

    page.asked.disconnect()
    page.asked.connect(ask)
    for number in range(40):
        slow = 1 + (number % 7) / 9
        context.quality.closed(ended(number, server=sample.TOKYO, connect=0.037 * slow, wait=0.118 * slow,
                                     down=0 if number == 22 else 5000))  # fmt: skip
    clock = screens.presenter.states._clock()
    for minute in range(40):
        amount = 4_000_000 + 900_000 * (minute * 7 % 11)
        context.quality.flowed(sample.TOKYO, 0, amount, clock - (39 - minute) * 60)


def pages(screens: "Screens") -> Iterator[tuple[str, QWidget]]:
    """Every table of the history, and what stands in their place."""
    ways, context = screens.presenter.past, screens.context
    context.change_settings(history_hosts=HistoryHosts.CLEAR)
    for view in View:
        ways.show()
        ways.page.set_view(view)
        QApplication.processEvents()
        yield f"history-{view}", screens.window
    ways.page.set_view(View.HOSTS)
    ways.page.chart.choose(TODAY - 3)
    ways.page.search.setText("host-00")
    ways.page.ask()
    QApplication.processEvents()
    yield "history-searched", screens.window
    ways.page.search.setText("nothing like this")
    ways.page.ask()
    QApplication.processEvents()
    yield "history-nothing", screens.window
    ways.page.show_all()
    context.change_settings(history_hosts=HistoryHosts.NONE)
    ways.page.show_answer(ways.page.query(), Answer(days=ways.page.answer.days))
    QApplication.processEvents()
    yield "history-nameless", screens.window
    context.change_settings(keep_history=False)
    ways.page.show_answer(ways.page.query(), Answer())
    QApplication.processEvents()
    yield "history-off", screens.window
    context.change_settings(keep_history=True)
    ways.leave()

"""Numbers as the window writes them: short, in units that stay the same in every language."""

from PySide6.QtCore import QDate, QDateTime, QLocale

from ssgui.gui.texts import tr
from ssgui.services.units import age, amount, rate, span

__all__ = ["age", "amount", "day", "rate", "said", "span"]


def said(figure: tuple[str, str]) -> str:
    """A duration or an age inside of a sentence: there its unit is a word."""
    digits, unit = figure
    words = {"s": tr("{count} s"), "min": tr("{count} min"), "h": tr("{count} h")}
    return words.get(unit, f"{{count}} {unit}").format(count=digits)


def day(when: float) -> str:
    """A date, Unix seconds; without the year if it is this one."""
    date = QDateTime.fromSecsSinceEpoch(int(min(when, 1 << 40))).date()
    form = tr("d MMM") if date.year() == QDate.currentDate().year() else tr("d MMM yyyy")
    return QLocale(QLocale.Language.English).toString(date, form)

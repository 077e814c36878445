"""Rules, lists and who fetched a PAC, in words."""

import re
from datetime import datetime
from typing import Final

from ssgui.engine.own_machine import is_loopback
from ssgui.gui.frame.painting import harmless
from ssgui.gui.frame.spans import Span, filled
from ssgui.gui.reasons import reason
from ssgui.gui.texts import tr
from ssgui.gui.units import age, day, said
from ssgui.rules.acl import Problem, Route
from ssgui.rules.matcher import DEFAULT, LOCAL
from ssgui.rules.model import Found
from ssgui.services.rules.lists import STARTER_NAME, USER, ListState
from ssgui.services.rules.pac_pages import PacFetch

_AGENTS: Final = (
    ("Edg/", "Edge"), ("OPR/", "Opera"), ("Chromium/", "Chromium"), ("Chrome/", "Chrome"), ("Firefox/", "Firefox"),
    ("WinHttp", "Windows"), ("CFNetwork", "macOS"), ("Safari/", "Safari"), ("pacrunner", "GNOME"), ("gvfs", "GNOME"),
    ("libproxy", "GNOME"), ("KIO", "KDE"), ("curl/", "curl"),
)  # fmt: skip
_FIRST_WORD: Final = re.compile(r"[\w.+-]{1,24}")
_STATUS: Final = re.compile(r" answers (\d{3})\b")  # the name above says who
_MOST_IN_TIP: Final = 10
_DAY: Final = 86_400.0


def list_name(name: str) -> str:
    """What people call a list."""
    return {USER: tr("My rules"), STARTER_NAME: tr("ssgui starter rules")}.get(name, name)


def route_words(route: Route) -> str:
    """Where something goes."""
    return tr("Direct") if route is Route.DIRECT else tr("Through the proxy")


def because(found: Found) -> list[Span]:
    """Why it goes there."""
    plain = Span("")
    if found.list == LOCAL:
        return [plain._replace(text=tr("because it is in the local network"))]
    if found.list == DEFAULT:
        return [plain._replace(text=tr("because no rule knows it"))]
    return filled(
        tr("because of {rule} in {list}, line {line}"), plain,
        rule=Span(found.text, "text", monospace=True), list=list_name(found.list), line=f"{found.line:,}",
    )  # fmt: skip


def also(found: tuple[Found, ...], more: int) -> list[Span]:
    """The other rules that would match."""
    plain, made = Span("", "text2", pixels=12), []
    for number, one in enumerate(found):
        rule = Span(one.text, "text", monospace=True, pixels=12)
        made += [plain._replace(text=" · ")] if number else []
        place = {"list": list_name(one.list), "line": f"{one.line:,}"}
        made += filled(tr("{rule} in {list}, line {line}"), plain, rule=rule, **place)
    more_text = " · " + tr("{count} more", count=more) if more else ""
    return [plain._replace(text=tr("Would also match") + "  "), *made, plain._replace(text=more_text)]


def rules_text(count: int) -> str:
    """So many rules."""
    return tr("1 rule") if count == 1 else tr("{count} rules", count=f"{count:,}")


def list_parts(state: ListState, now: float) -> tuple[list[str], str]:
    """What stands below a list's name, what matters most first, and its colour."""
    if state.progress is not None:
        return [tr("Updating… {percent} %", percent=int(state.progress * 100))], "text2"
    if state.error:
        found = _STATUS.search(state.error)
        why = found[1] if found else reason(state.error)
        copy = [tr("copy of {date}", date=day(state.source.updated))] if state.there and state.source.updated else []
        return [tr("Update failed: {why}", why=why), *copy], "err"
    if not state.there:
        return [tr("Not fetched yet")], "text2"
    parts = [rules_text(state.rules)] if state.rules or not state.networks else []
    parts += [tr("{count} ranges, Rules mode only", count=f"{state.networks:,}")] if state.networks else []
    parts += [not_understood(len(state.problems))] if state.problems else []
    parts += [tr("direct")] if state.source.direct else []
    parts.append(_age(now - state.source.updated) if state.source.url else tr("comes with ssgui"))
    return parts, "text2"


def not_understood(count: int) -> str:
    """So many lines."""
    return tr("1 line not understood") if count == 1 else tr("{count} lines not understood", count=f"{count:,}")


def list_line(state: ListState, now: float) -> str:
    """All of it."""
    return " · ".join(list_parts(state, now)[0])


def _age(seconds: float) -> str:
    if seconds < 2 * _DAY:
        return tr("updated {age} ago", age=said(age(max(60.0, seconds))))
    return tr("updated {age} ago", age=tr("{count} days", count=int(seconds // _DAY)))


def list_sentence(state: ListState, now: float) -> str:
    """A row in words, for who listens to the screen."""
    on = tr("On") if state.source.enabled else tr("Off")
    hits = tr("{count} hits today", count=state.hits_today)
    return ", ".join((list_name(state.name), on, list_line(state, now), hits))


def list_tip(state: ListState, now: float) -> str:
    """All that stands in its row, where it comes from, and the first lines that were not understood."""
    lines = [list_name(state.name), state.source.url.reveal(), list_line(state, now)]
    lines += [reason(state.error)] if state.error else []
    lines += [problem_line(problem) for problem in state.problems[:_MOST_IN_TIP]]
    return "\n".join(harmless(line) for line in lines if line)


def problem_line(problem: Problem) -> str:
    """A line that was not understood, and why."""
    return f"{tr('line {line}', line=f'{problem.line:,}')}: {problem.text}: {reason(problem.why)}"


def program(fetch: PacFetch) -> str:
    """Who it was, as far as it says so."""
    name = next((name for mark, name in _AGENTS if mark in fetch.agent), "")
    if not name:
        word = _FIRST_WORD.match(fetch.agent)
        name = word[0] if word is not None else tr("A program")
    return name if is_loopback((fetch.client, 0)) else f"{name} · {fetch.client}"


def fetch_line(fetch: PacFetch, version: int) -> tuple[str, str, str]:
    """When and which version; its icon and its colour."""
    when = datetime.fromtimestamp(fetch.at).strftime("%H:%M:%S")
    if fetch.version == version:
        return f"{when} · v{version}", "ok", "text2"
    if not fetch.version:
        return tr("{time} · an old one", time=when), "warning", "warn"
    return tr("{time} · v{version}, still the old one", time=when, version=fetch.version), "warning", "warn"

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
from ssgui.rules.acl import Route
from ssgui.rules.matcher import DEFAULT, LOCAL
from ssgui.rules.model import Found
from ssgui.services.pac_pages import PacFetch
from ssgui.services.rule_lists import STARTER_NAME, USER, ListState

_AGENTS: Final = (
    ("Edg/", "Edge"), ("OPR/", "Opera"), ("Chromium/", "Chromium"), ("Chrome/", "Chrome"), ("Firefox/", "Firefox"),
    ("WinHttp", "Windows"), ("CFNetwork", "macOS"), ("Safari/", "Safari"), ("pacrunner", "GNOME"), ("gvfs", "GNOME"),
    ("libproxy", "GNOME"), ("KIO", "KDE"), ("curl/", "curl"),
)  # fmt: skip
_FIRST_WORD: Final = re.compile(r"[\w.+-]{1,24}")
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


def list_line(state: ListState, now: float) -> tuple[str, str]:
    """What stands below a list's name, and its colour."""
    if state.progress is not None:
        return tr("Updating… {percent} %", percent=int(state.progress * 100)), "text2"
    if state.error:
        why = reason(state.error.rpartition(" answers ")[2])  # the name above says who
        if not state.there:
            return tr("Update failed: {why}", why=why), "err"
        return tr("Update failed: {why} · copy of {date}", why=why, date=day(state.source.updated)), "err"
    if not state.there:
        return tr("Not fetched yet"), "text2"
    parts = [rules_text(state.rules)] if state.rules or not state.networks else []
    parts += [tr("{count} ranges, Rules mode only", count=f"{state.networks:,}")] if state.networks else []
    parts += [tr("direct")] if state.source.direct else []
    parts.append(_age(now - state.source.updated) if state.source.url else tr("comes with ssgui"))
    if state.problems:
        parts.append(tr("{count} lines not understood", count=f"{len(state.problems):,}"))
    return " · ".join(parts), "text2"


def _age(seconds: float) -> str:
    if seconds < 2 * _DAY:
        return tr("updated {age} ago", age=said(age(max(60.0, seconds))))
    return tr("updated {age} ago", age=tr("{count} days", count=int(seconds // _DAY)))


def list_sentence(state: ListState, now: float) -> str:
    """A row in words, for who listens to the screen."""
    on = tr("On") if state.source.enabled else tr("Off")
    hits = tr("{count} hits today", count=state.hits_today)
    return ", ".join((list_name(state.name), on, list_line(state, now)[0], hits))


def list_tip(state: ListState) -> str:
    """Where it comes from, and the first lines that were not understood."""
    lines = [list_name(state.name), state.source.url.reveal() or tr("comes with ssgui")]
    lines += [
        f"{tr('line {line}', line=problem.line)}: {problem.text}: {reason(problem.why)}"
        for problem in state.problems[:10]
    ]
    return "\n".join(harmless(line) for line in lines)


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

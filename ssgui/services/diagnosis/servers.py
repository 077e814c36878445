"""What is wrong with a server, or with the way there: it holds for all that goes through it."""

from dataclasses import dataclass
from typing import Final

from ssgui.engine.stages import Reason
from ssgui.services.diagnosis.clock import Clock, ClockState
from ssgui.services.diagnosis.evidence import Evidence, Verdict, count_unanswered, fell_silent, is_suspect
from ssgui.services.diagnosis.finding import Finding, FindingKind
from ssgui.services.diagnosis.outcomes import How
from ssgui.services.diagnosis.server_facts import ServerFacts, looks_made_up

_DIRECT_SECONDS: Final = 60.0
_UNREACHED: Final = {
    Reason.DNS_FAILED: FindingKind.SERVER_DNS,
    Reason.CONNECT_REFUSED: FindingKind.SERVER_REFUSED,
    Reason.CONNECT_TIMEOUT: FindingKind.SERVER_TIMEOUT,
    Reason.UNREACHABLE: FindingKind.SERVER_UNREACHABLE,
    Reason.PLUGIN_FAILED: FindingKind.PLUGIN_DEAD,
}
_WHYS: Final = {
    "key": FindingKind.WRONG_KEY,
    "key-or-clock": FindingKind.KEY_OR_CLOCK,
    "clock": FindingKind.CLOCK_OFF,
    "unreadable": FindingKind.UNREADABLE,
    "plugin": FindingKind.PLUGIN_SILENT,
}
_ACTIONS: Final = {
    FindingKind.SERVER_DNS: "open-server",
    FindingKind.WAY_FAILED: "open-settings",
    FindingKind.PLUGIN_DEAD: "restart-plugin",
    FindingKind.WRONG_KEY: "open-server",
    FindingKind.KEY_OR_CLOCK: "check-clock",
    FindingKind.CLOCK_OFF: "check-clock",
    FindingKind.UNREADABLE: "open-server",
    FindingKind.PLUGIN_SILENT: "open-server",
}


@dataclass(frozen=True, slots=True)
class ServerCase:
    """A server that is looked at now, by the name that events give it. `direct` is the evidence of direct targets."""

    name: str
    now: float
    evidence: Evidence
    facts: ServerFacts | None
    clock: ClockState
    direct: Evidence

    @property
    def place(self) -> str:
        """Where it is."""
        return self.facts.place if self.facts is not None else ""


def suspicion(case: ServerCase) -> str:
    """What may be wrong with a server that takes bytes and never gave one back: a `why` of `Verdict`."""
    hows = {how for _, how in case.evidence.unanswered}
    if How.CLOCK in hows:
        return "clock"
    if How.UNREADABLE in hows:
        return "unreadable"
    facts = case.facts
    if facts is None:
        return "key"
    if facts.plugin is not None:
        return "plugin"
    if not facts.needs_clock:
        return "key"
    return "clock" if case.clock.clock is Clock.OFF else "key-or-clock"  # where ours is right, the server's may not be


def refined(verdict: Verdict, case: ServerCase) -> Verdict:
    """`verdict`, with why its server is suspicious: so that the header says what the findings say."""
    if verdict.kind != "suspicious":
        return verdict
    why = suspicion(case)
    seconds = case.clock.ahead or 0.0 if why == "clock" else 0.0
    return Verdict(verdict.kind, verdict.server, seconds, verdict.count, verdict.attempts, verdict.reason, why)


def key_finding(case: ServerCase) -> Finding:
    """Of a server that takes bytes and never gave one back."""
    kind, evidence, clock = _WHYS[suspicion(case)], case.evidence, case.clock
    plugin = case.facts.plugin if case.facts is not None else None
    about_clock = kind in (FindingKind.CLOCK_OFF, FindingKind.KEY_OR_CLOCK)
    is_right = kind is FindingKind.KEY_OR_CLOCK and clock.clock in (Clock.RIGHT, Clock.DRIFTING)
    return Finding(
        kind,
        "err" if evidence.confirmed is not None or kind is FindingKind.CLOCK_OFF else "warn",
        "open-server" if is_right else _ACTIONS[kind],
        case.name,
        case.place,
        count=count_unanswered(evidence, case.now),
        size=evidence.sent + sum(one.acked or 0 for one in evidence.silent(case.now)),
        ahead=clock.ahead if about_clock else None,
        source=clock.source if about_clock else "",
        synchronised=clock.synchronised if about_clock else None,
        name=plugin.name if plugin is not None else "",
        words=_last(plugin.last_words) if plugin is not None else "",
        confirmed=evidence.confirmed is not None,
    )


def _last(words: tuple[str, ...]) -> str:
    return words[-1] if words else ""


def unreached(
    case: ServerCase, reason: Reason, *, seconds: float, by_way: bool = False, words: str = "", ongoing: bool = False
) -> Finding:
    """Of a server that could not be reached, after `seconds`; `by_way` because of the proxy before it."""
    evidence, facts = case.evidence, case.facts
    kind = FindingKind.WAY_FAILED if by_way else _UNREACHED[reason]
    addresses = facts.addresses if facts is not None else ()
    dialled = kind in (FindingKind.SERVER_REFUSED, FindingKind.SERVER_TIMEOUT, FindingKind.SERVER_UNREACHABLE)
    if dialled and facts is not None and not facts.hidden and looks_made_up(facts.host, addresses):
        kind = FindingKind.SERVER_ADDRESS
    name = facts.way if facts is not None and by_way else ""
    if facts is not None and facts.plugin is not None and kind is FindingKind.PLUGIN_DEAD:
        name, words = facts.plugin.name, _last(facts.plugin.last_words)
    return Finding(
        kind,
        "warn" if ongoing else "err",
        _ACTIONS.get(kind, "test-server"),
        case.name,
        case.place,
        seconds=seconds,
        count=len(evidence.failures),
        attempts=max(len(evidence.failures), evidence.attempts),
        others=case.direct.others("", case.now - _DIRECT_SECONDS) if evidence.failures or ongoing else 0,
        name=name,
        words=words,
        addresses=addresses if kind is FindingKind.SERVER_ADDRESS else (),
        ongoing=ongoing,
    )


def silent(case: ServerCase, reason: Reason) -> Finding:
    """Of a server that did answer, and does not any more."""
    evidence, facts = case.evidence, case.facts
    age = case.now - evidence.last_byte if evidence.last_byte is not None else 0.0
    count = count_unanswered(evidence, case.now)
    if reason is Reason.CLOCK_SKEW or _is_off(case):
        clock = case.clock
        return Finding(
            FindingKind.CLOCK_OFF, "err", "check-clock", case.name, case.place, count=count, seconds=age,
            ahead=clock.ahead, source=clock.source, synchronised=clock.synchronised,
        )  # fmt: skip
    kind = FindingKind.SERVER_RESETS if reason is Reason.SERVER_RESET else FindingKind.SERVER_SILENT
    plugin = facts.plugin.name if facts is not None and facts.plugin is not None else ""
    return Finding(kind, "err", "test-server", case.name, case.place, seconds=age, count=count, name=plugin)


def _is_off(case: ServerCase) -> bool:
    return case.facts is not None and case.facts.needs_clock and case.clock.clock is Clock.OFF


def of_server(case: ServerCase, verdict: Verdict) -> Finding | None:
    """What `verdict`, which the header shows of this server, comes from; None where nothing is wrong."""
    evidence, facts, clock = case.evidence, case.facts, case.clock
    match verdict.kind:
        case "suspicious":
            return key_finding(case)
        case "failing" if verdict.reason in _UNREACHED or verdict.why == "way":
            assert verdict.reason is not None
            by_way, seconds = verdict.why == "way", evidence.failures[-1].seconds if evidence.failures else 0.0
            return unreached(case, verdict.reason, seconds=seconds, by_way=by_way)
        case "failing":
            return silent(case, verdict.reason or Reason.NO_ANSWER)
        case "on" | "ready" | "connecting" if facts is not None and facts.needs_clock:
            if clock.clock is Clock.DRIFTING and evidence.proven:
                return Finding(
                    FindingKind.CLOCK_DRIFTS, "warn", "check-clock", case.name, case.place,
                    ahead=clock.ahead, source=clock.source, synchronised=clock.synchronised,
                )  # fmt: skip
    return None


def not_answering(case: ServerCase) -> Finding | None:
    """What is wrong with a server that takes bytes, as far as it is the server; None while others are answered."""
    if is_suspect(case.evidence, case.now):
        return key_finding(case)
    reason = fell_silent(case.evidence, case.now)
    return silent(case, reason) if reason is not None else None

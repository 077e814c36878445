"""What is wrong with one connection, in words."""

from collections.abc import Callable, Mapping
from typing import Final

from ssgui.gui.connections.finding_parts import (
    Words,
    attempts,
    host_of,
    joined,
    name_of,
    others,
    size_of,
    time_of,
    waits,
)
from ssgui.gui.reasons import reason
from ssgui.gui.texts import tr
from ssgui.services.diagnosis.finding import Finding, FindingKind

K = FindingKind


def _target_dns(finding: Finding) -> Words:
    host = host_of(finding.target)
    if finding.ongoing:
        return tr("The name {host} is still being looked up.", host=host), attempts(finding)
    return tr("{host} does not resolve.", host=host), attempts(finding)


def _target_refused(finding: Finding) -> Words:
    return tr("{host} refuses connections.", host=host_of(finding.target)), attempts(finding)


def _target_timeout(finding: Finding) -> Words:
    host = host_of(finding.target)
    fact = tr("{host} has not answered yet.", host=host) if finding.ongoing else tr(
        "Connections to {host} time out.", host=host
    )  # fmt: skip
    return fact, attempts(finding)


def _target_unreachable(finding: Finding) -> Words:
    return tr("There is no way from here to {host}.", host=host_of(finding.target)), attempts(finding)


def _target_silent(finding: Finding) -> Words:
    host, sent, time = host_of(finding.target), size_of(finding.size), time_of(finding.seconds)
    if finding.ongoing:
        fact = tr("{host} does not answer.", host=host)
        detail = tr("{size} sent, and nothing back for {time}.", size=sent, time=time)
    else:
        fact = tr("{host} ended it without an answer.", host=host)
        detail = tr("{size} sent, and nothing back in {time}.", size=sent, time=time)
    return fact, joined(detail, others(finding))


def _target_stuck(finding: Finding) -> Words:
    return tr("{host} takes no more.", host=host_of(finding.target)), joined(waits(finding), others(finding))


def _reset(finding: Finding) -> Words:
    fact = tr("{host} reset it.", host=host_of(finding.target)) if finding.direct else tr("The server reset it.")
    detail = tr("After {size} and {time}.", size=size_of(finding.size), time=time_of(finding.seconds))
    usual = "" if finding.direct else tr("A server does so when the target does.")
    return fact, joined(detail, usual, others(finding))


def _cut_short(finding: Finding) -> Words:
    detail = tr("It ended in the middle, after {size}: on the way, or at the server.", size=size_of(finding.size))
    return tr("The stream was cut short."), detail


# ---- the program, or the client


def _program_stalled(finding: Finding) -> Words:
    fact = tr("The program is not reading.")
    if finding.name:
        fact = tr("{name} is not reading.", name=name_of(finding.name))
    detail = tr("{size} wait for it, for {time} now. The server is fine.", size=size_of(finding.size),
                time=time_of(finding.seconds))  # fmt: skip
    return fact, detail


def _client_stalled(finding: Finding) -> Words:
    return tr("The client {name} is not reading.", name=name_of(finding.name)), waits(finding)


def _program_silent(finding: Finding) -> Words:
    fact = tr("A program connected, and did not say what it wants.")
    if finding.name:
        fact = tr("{name} connected, and did not say what it wants.", name=name_of(finding.name))
    return fact, tr("It had {time}.", time=time_of(finding.seconds))


def _not_a_request(finding: Finding) -> Words:
    fact = tr("A program asked for nothing that a proxy understands.")
    if finding.name:
        fact = tr("{name} asked for nothing that a proxy understands.", name=name_of(finding.name))
    return fact, name_of(finding.words)


def _denied(finding: Finding) -> Words:
    return tr("It is not allowed."), joined(name_of(finding.name), name_of(finding.words))


def _idle(finding: Finding) -> Words:
    time = time_of(finding.seconds)
    if finding.ongoing:
        return tr("Nothing has moved for {time}.", time=time), tr("It is open, perhaps for later.")
    return tr("It was ended because nothing moved."), tr("For {time}.", time=time)


def _half_closed(finding: Finding) -> Words:
    fact = tr("The program has closed its side.") if finding.name == "program" else tr(
        "The other end has closed its side."
    )  # fmt: skip
    return fact, tr("Nothing has moved for {time}. It ends by itself.", time=time_of(finding.seconds))


def _stranger(finding: Finding) -> Words:
    detail = tr("{count} times from {address} in 10 min: a client with a wrong password, or a probe.",
                count=finding.count, address=name_of(finding.name))  # fmt: skip
    more = tr("From {count} other addresses too.", count=finding.others) if finding.others else ""
    return tr("Somebody came who does not know the key."), joined(detail, more)


def _client_clock(finding: Finding) -> Words:
    return tr("The clock of {client} is off.", client=name_of(finding.name)), reason(name_of(finding.words))


ROW_WORDS: Final[Mapping[FindingKind, Callable[[Finding], Words]]] = {
    K.TARGET_DNS: _target_dns,
    K.TARGET_REFUSED: _target_refused,
    K.TARGET_TIMEOUT: _target_timeout,
    K.TARGET_UNREACHABLE: _target_unreachable,
    K.TARGET_SILENT: _target_silent,
    K.TARGET_STUCK: _target_stuck,
    K.RESET: _reset,
    K.CUT_SHORT: _cut_short,
    K.PROGRAM_STALLED: _program_stalled,
    K.CLIENT_STALLED: _client_stalled,
    K.PROGRAM_SILENT: _program_silent,
    K.NOT_A_REQUEST: _not_a_request,
    K.DENIED: _denied,
    K.IDLE: _idle,
    K.HALF_CLOSED: _half_closed,
    K.STRANGER: _stranger,
    K.CLIENT_CLOCK: _client_clock,
}

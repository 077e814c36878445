"""What is wrong with this computer, the way to a server, or the server, in words."""

from collections.abc import Callable, Mapping
from typing import Final

from ssgui.gui.connections.finding_parts import (
    Words,
    attempts,
    direct_works,
    host_of,
    in_a_row,
    joined,
    name_of,
    not_one_came_back,
    size_of,
    time_of,
    waits,
)
from ssgui.gui.reasons import reason
from ssgui.gui.texts import tr
from ssgui.gui.units import age, rate, said
from ssgui.services.diagnosis.finding import Finding, FindingKind

K = FindingKind


def _no_network(finding: Finding) -> Words:
    return tr("This computer is offline."), tr("Resumes by itself when there is a network.")


def _network_lost(finding: Finding) -> Words:
    return tr("The network went away under it."), reason(name_of(finding.words))


def _server_dns(finding: Finding) -> Words:
    fact = tr("The name of the server is still being looked up.") if finding.ongoing else tr(
        "The name of the server does not resolve."
    )  # fmt: skip
    return fact, joined(f"{host_of(finding.place)}:" if finding.place else "", attempts(finding))


def _server_address(finding: Finding) -> Words:
    addresses = ", ".join(name_of(one) for one in finding.addresses[:3])
    detail = tr("{host} is {addresses} here: a filter, or another proxy program, answers for it.",
                host=host_of(finding.place), addresses=addresses)  # fmt: skip
    return tr("The server's name leads to an address that no server has."), detail


def _server_refused(finding: Finding) -> Words:
    fact = tr("{server} refuses connections.", server=name_of(finding.server))
    hint = tr("Is it running, and is the port right?")
    return fact, joined(attempts(finding), hint, direct_works(finding))


def _server_timeout(finding: Finding) -> Words:
    if finding.ongoing:
        return tr("{server} has not answered yet.", server=name_of(finding.server)), attempts(finding)
    fact = tr("Connections to {server} time out.", server=name_of(finding.server))
    hint = tr("Is it up, and is its port open?")
    return fact, joined(attempts(finding), hint, direct_works(finding))


def _server_unreachable(finding: Finding) -> Words:
    fact = tr("There is no way from here to {server}.", server=name_of(finding.server))
    return fact, joined(attempts(finding), direct_works(finding))


def _way_failed(finding: Finding) -> Words:
    detail = reason(name_of(finding.words)) if finding.words else attempts(finding)
    return tr("The proxy on the way to the servers does not work."), joined(
        f"{name_of(finding.name)}:" if finding.name and finding.name not in detail else "", detail
    )


def _plugin_dead(finding: Finding) -> Words:
    fact = tr("The plugin {name} does not run.", name=name_of(finding.name))
    last = tr("It said last: {words}", words=name_of(finding.words)) if finding.words else ""
    return fact, joined(tr("It is started again after a pause."), last)


def _path_full(finding: Finding) -> Words:
    detail = waits(finding)
    if finding.rate:
        detail = tr("{size} wait, and only {rate} got through for {time}.", size=size_of(finding.size),
                    rate=" ".join(rate(finding.rate)), time=time_of(finding.seconds))  # fmt: skip
    return tr("The path to the server is full."), detail


def _undelivered(finding: Finding) -> Words:
    detail = tr("{size} left, and not one byte was acknowledged in {time}.", size=size_of(finding.size),
                time=time_of(finding.seconds))  # fmt: skip
    return tr("Nothing arrives at the server any more."), detail


# ---- the server


def _wrong_key(finding: Finding) -> Words:
    return tr("Wrong password or method?"), not_one_came_back(finding)


def _key_or_clock(finding: Finding) -> Words:
    if finding.ahead is not None:
        detail = joined(not_one_came_back(finding), tr("This computer's clock is right."))
        return tr("Wrong key, or is the server's clock off?"), detail
    unsure = tr("The system says that its clock is not synchronised.") if finding.synchronised is False else ""
    asks = tr("Checking asks one page directly.")
    return tr("Wrong key, or a clock that is off?"), joined(not_one_came_back(finding), unsure, asks)


def clock_fact(ahead: float) -> str:
    """By how much this computer's clock is off, if another one is `ahead` of it."""
    time = said(age(abs(ahead)))
    if ahead >= 0:
        return tr("This computer's clock is {time} behind.", time=time)
    return tr("This computer's clock is {time} ahead.", time=time)


def _clock_off(finding: Finding) -> Words:
    limit = tr("With this method nothing works beyond 30 s: set the clock.")
    if finding.ahead is None:
        said = reason(name_of(finding.words))
        sentence = tr("{what}.", what=said[:1].upper() + said[1:]) if said else ""
        return tr("This computer's clock and the server's do not agree."), joined(sentence, limit)
    source = {
        "server": tr("The server says so."),
        "date": tr("An answer that came over https says so."),
        "asked": tr("The page that was asked says so."),
    }.get(finding.source, "")
    return clock_fact(finding.ahead), joined(source, limit)


def _clock_drifts(finding: Finding) -> Words:
    limit = tr("Beyond 30 s nothing goes through {server} any more.", server=name_of(finding.server))
    return clock_fact(finding.ahead or 0.0), limit


def _unreadable(finding: Finding) -> Words:
    if finding.count == 1:
        return tr("What answers does not have this key."), tr("Its answer cannot be opened with password and method.")
    detail = tr("{count} answers cannot be opened with password and method.", count=finding.count)
    return tr("What answers does not have this key."), detail


def _plugin_silent(finding: Finding) -> Words:
    fact = tr("Nothing comes back through the plugin {name}.", name=name_of(finding.name))
    detail = tr("It took our bytes ({count} connections). The server, its options or the password may be wrong.",
                count=finding.count)  # fmt: skip
    last = tr("It said last: {words}", words=name_of(finding.words)) if finding.words else ""
    return fact, joined(detail, last)


def _server_silent(finding: Finding) -> Words:
    return tr("{server} has stopped answering.", server=name_of(finding.server)), in_a_row(finding)


def _server_resets(finding: Finding) -> Words:
    return tr("{server} resets every connection.", server=name_of(finding.server)), in_a_row(finding)


def _unanswered(finding: Finding) -> Words:
    fact = tr("No byte has come back yet.") if finding.ongoing else tr("No byte came back.")
    detail = tr("{size} sent, {time} waited. Too little is known to say why.", size=size_of(finding.size),
                time=time_of(finding.seconds))  # fmt: skip
    return fact, detail


def _replay(finding: Finding) -> Words:
    if finding.direct:
        detail = tr("It was refused. Somebody may have recorded what {client} sent.", client=name_of(finding.name))
        return tr("A connection was played again."), detail
    return tr("An answer was played again."), tr("It was refused. Somebody on the way may have recorded it.")


SERVER_WORDS: Final[Mapping[FindingKind, Callable[[Finding], Words]]] = {
    K.NO_NETWORK: _no_network,
    K.NETWORK_LOST: _network_lost,
    K.SERVER_DNS: _server_dns,
    K.SERVER_ADDRESS: _server_address,
    K.SERVER_REFUSED: _server_refused,
    K.SERVER_TIMEOUT: _server_timeout,
    K.SERVER_UNREACHABLE: _server_unreachable,
    K.WAY_FAILED: _way_failed,
    K.PLUGIN_DEAD: _plugin_dead,
    K.PATH_FULL: _path_full,
    K.UNDELIVERED: _undelivered,
    K.WRONG_KEY: _wrong_key,
    K.KEY_OR_CLOCK: _key_or_clock,
    K.CLOCK_OFF: _clock_off,
    K.CLOCK_DRIFTS: _clock_drifts,
    K.UNREADABLE: _unreadable,
    K.PLUGIN_SILENT: _plugin_silent,
    K.SERVER_SILENT: _server_silent,
    K.SERVER_RESETS: _server_resets,
    K.UNANSWERED: _unanswered,
    K.REPLAY: _replay,
}

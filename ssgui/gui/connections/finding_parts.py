"""Parts of what is said about a diagnosis: names, figures, and sentences that several have."""

from functools import reduce
from typing import Final

from ssgui.gui.frame.painting import harmless
from ssgui.gui.texts import tr
from ssgui.gui.units import age, amount, said, span
from ssgui.protocol.address import split_host_port
from ssgui.services.diagnosis.finding import Finding

_MOST_LETTERS: Final = 120
Words = tuple[str, str]


def name_of(text: str) -> str:
    """What strangers called something, in one line."""
    text = harmless(text)
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}…"


def time_of(seconds: float) -> str:
    """A duration."""
    return said(span(max(0.0, seconds)))


def size_of(count: float) -> str:
    """Bytes."""
    return " ".join(amount(count))


def host_of(place: str) -> str:
    """Without the port."""
    return name_of(split_host_port(place)[0])


def joined(*parts: str) -> str:
    """Sentences, those that there are."""
    there = [part for part in parts if part]
    return reduce(lambda first, rest: tr("{first} {rest}", first=first, rest=rest), there) if there else ""


def attempts(finding: Finding) -> str:
    """How often it was tried, or how long once."""
    time = time_of(finding.seconds)
    if finding.ongoing:
        return tr("For {time} now.", time=time)
    if finding.count > 1:
        return tr("{count} of {attempts} attempts failed, the last after {time}.", count=finding.count,
                  attempts=finding.attempts, time=time)  # fmt: skip
    return tr("It failed after {time}.", time=time)


def direct_works(finding: Finding) -> str:
    """That what goes directly does go."""
    if not finding.others:
        return ""
    return tr("Direct connections work ({count} targets).", count=finding.others)


def others(finding: Finding) -> str:
    """That the same server works for others."""
    if not finding.others:
        return ""
    if finding.others == 1:
        return tr("Another target answered through the same server meanwhile.")
    return tr("{count} other targets answered through the same server meanwhile.", count=finding.others)


def not_one_came_back(finding: Finding) -> str:
    """What the server took for nothing."""
    if not finding.size:  # where the system does not tell
        text = tr("Not one byte came back ({count} connections).", count=finding.count)
    elif finding.count == 1:
        text = tr("The server took {size}, and not one byte came back.", size=size_of(finding.size))
    else:
        text = tr("The server took {size} from {count} connections, and not one byte came back.",
                  size=size_of(finding.size), count=finding.count)  # fmt: skip
    return joined(text, tr("A test through it got nothing either.") if finding.confirmed else "")


def in_a_row(finding: Finding) -> str:
    """Since when the server is silent."""
    text = tr("{count} connections in a row got nothing back.", count=finding.count)
    last = tr("The last byte came {age} ago.", age=said(age(finding.seconds))) if finding.seconds else ""
    return joined(text, last)


def waits(finding: Finding) -> str:
    """What waits, and for how long."""
    return tr(
        "{size} wait, and nothing has moved for {time}.", size=size_of(finding.size), time=time_of(finding.seconds)
    )

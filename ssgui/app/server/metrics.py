"""Counters as text, in the format that Prometheus reads (version 0.0.4).

What there is says nothing of where connections go, nor whence they come: ports of ours, stages, reasons, users.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ssgui.engine.stages import Reason, Stage
from ssgui.engine.tally import PortSample, Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_DIRECTIONS = "up", "down"
_BAD = "bad"  # datagrams that did not open: they are told by reason
Labels = Mapping[str, str]
_Line = tuple[Labels, float]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the processes beside what their ports count. Times are seconds, `started` since 1970."""

    version: str
    python: str
    started: float
    uptime: float
    workers: int = 1
    restarts: int = 0
    reloads_taken: int = 0
    reloads_refused: int = 0


def metrics_text(found: Sample, facts: Facts) -> str:
    """All of it."""
    families = (*_of_process(facts), *_of_connections(found), *_of_datagrams(found))
    return "".join(line for family in families for line in family)


def _of_process(facts: Facts) -> Iterator[Iterable[str]]:
    build = [({"version": facts.version, "python": facts.python}, 1.0)]
    yield _family("build_info", "gauge", "Which ssgui this is.", build)
    yield _family("start_time_seconds", "gauge", "When it was started, in seconds since 1970.", [({}, facts.started)])
    yield _family("uptime_seconds", "gauge", "How long it has been running.", [({}, facts.uptime)])
    yield _family("workers", "gauge", "Processes that serve now.", [({}, facts.workers)])
    restarts = "Processes that ended unasked and were started again."
    yield _family("worker_restarts_total", "counter", restarts, [({}, facts.restarts)])
    reloads = [({"result": "taken"}, facts.reloads_taken), ({"result": "refused"}, facts.reloads_refused)]
    yield _family("reloads_total", "counter", "How often the settings were read again.", reloads)


def _of_connections(found: Sample) -> Iterator[Iterable[str]]:
    ports = found.ports
    stages = [stage.name for stage in Stage if stage is not Stage.DESTROYED]
    yield _family(
        "connections", "gauge", "Connections that are open now, by stage.",
        [({"listen": name, "stage": stage}, port.stages.get(stage, 0)) for name, port in ports.items()
         for stage in stages],
    )  # fmt: skip
    yield _family(
        "connections_ended_total", "counter", "Connections that have ended, by reason.",
        _by(ports, "reason", [str(reason) for reason in Reason], "ended"),
    )  # fmt: skip
    yield _family(
        "bytes_total", "counter", "Payload that was carried; up is from clients to targets.",
        [({"listen": name, "direction": direction}, count) for name, port in ports.items()
         for direction, count in zip(_DIRECTIONS, port.carried, strict=True)],
    )  # fmt: skip
    yield _family(
        "user_bytes_total", "counter", "The same by user, where there are users.",
        [({"listen": name, "user": user, "direction": direction}, count) for name, port in ports.items()
         for user, carried in port.users.items() if user
         for direction, count in zip(_DIRECTIONS, carried, strict=True)],
    )  # fmt: skip
    for metric, reason, what in (
        ("replays_refused_total", Reason.REPLAY, "Connections and datagrams that were seen before."),
        ("auth_failures_total", Reason.AUTH_FAILED, "Connections and datagrams that no key opens."),
    ):
        counts = [
            ({"listen": name}, port.ended.get(reason, 0) + port.refused.get(reason, 0)) for name, port in ports.items()
        ]
        yield _family(metric, "counter", what, counts)
    drain = "Strangers' sockets that are read from and never answered, until their time is over."
    yield _family("drain_connections", "gauge", drain, [({}, found.drain)])


def _of_datagrams(found: Sample) -> Iterator[Iterable[str]]:
    ports = found.ports
    associations = [({"listen": name}, port.associations) for name, port in ports.items()]
    yield _family("udp_associations", "gauge", "UDP associations that are open now.", associations)
    yield _family(
        "udp_associations_ended_total", "counter", "UDP associations that have ended, by reason.",
        _by(ports, "reason", [], "parted"),
    )  # fmt: skip
    yield _family(
        "udp_refused_total", "counter", "Datagrams that did not open, by reason.",
        _by(ports, "reason", [], "refused"),
    )  # fmt: skip
    dropped = [line for line in _by(ports, "cause", [], "dropped") if line[0]["cause"] != _BAD]
    yield _family("udp_dropped_total", "counter", "Datagrams that were dropped, by cause.", dropped)


def _by(ports: Mapping[str, PortSample], label: str, always: Iterable[str], field: str) -> list[_Line]:
    """A line for each key of `field`, and for each that is `always` there."""
    lines: list[_Line] = []
    for name, port in ports.items():
        counts: Mapping[str, int] = getattr(port, field)
        lines += [({"listen": name, label: key}, counts.get(key, 0)) for key in dict.fromkeys((*always, *counts))]
    return lines


def _family(name: str, kind: str, what: str, lines: Iterable[_Line]) -> Iterator[str]:
    name = f"ssgui_{name}"
    yield f"# HELP {name} {_escaped(what)}\n# TYPE {name} {kind}\n"
    for labels, value in lines:
        inner = ",".join(f'{key}="{_quoted(text)}"' for key, text in labels.items())
        yield f"{name}{{{inner}}} {_number(value)}\n" if inner else f"{name} {_number(value)}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', r"\"")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))

"""What the engine and the services know, in people's words."""

import math

from ssgui.engine.stages import Reason, Stage
from ssgui.gui.frame.header import HeaderState
from ssgui.gui.texts import tr
from ssgui.gui.units import age, said, span
from ssgui.services.connections.segments import SegmentKind
from ssgui.services.diagnosis.evidence import Verdict


def header_state(verdict: Verdict, address: str, *, changing: bool = False, put_back: bool = False) -> HeaderState:
    """The header's title and its evidence; `address` is where the proxy listens.

    `changing` while the system's proxy is being set, `put_back` when it was set and is as it was again.
    """
    title, subtitle = _header_words(verdict, address)
    if changing:
        subtitle = tr("Setting the system proxy…")
    elif put_back and verdict.kind == "off":
        subtitle = f"{tr('System proxy is back to what it was')} · {subtitle}"
    return HeaderState(verdict.kind, title, subtitle)


def _header_words(verdict: Verdict, address: str) -> tuple[str, str]:
    server, seconds = verdict.server, said(age(verdict.seconds))
    match verdict.kind:
        case "on":
            return tr("Connected"), tr("{server} · Bytes came back {age} ago", server=server, age=seconds)
        case "connecting":
            return tr("Connecting…"), tr("{server} · Trying for {age}", server=server, age=seconds)
        case "failing" if verdict.why == "way":
            words = tr("{server} cannot be tried · {count} attempts failed", server=server, count=verdict.count)
            return tr("The proxy on the way does not work"), words
        case "failing":
            reason = reason_word(verdict.reason) if verdict.reason is not None else ""
            words = tr("{count} of {attempts} attempts failed: {reason}", count=verdict.count,
                       attempts=max(verdict.count, verdict.attempts), reason=reason)  # fmt: skip
            return tr("{server} does not answer", server=server), words
        case "suspicious":
            return _suspicion(verdict)
        case "offline":
            return tr("Waiting for network"), tr("This computer is offline · Resumes by itself")
        case "off":
            still = tr("{address} still listens", address=address) if address else tr("Nothing listens")
            if verdict.seconds:
                still = tr("{server} · Bytes came back {age} ago", server=still, age=seconds)
            return tr("Off"), still
        case "blocked":
            return tr("{server} cannot be used yet", server=server), _blocked(verdict.why)
        case "paused":
            return direct_for(verdict.seconds), tr("Nothing new goes through {server}", server=server)
        case "none":
            return tr("No server yet"), tr("Add one to start")
    if verdict.seconds:
        return tr("Ready"), tr("{server} · Bytes came back {age} ago", server=server, age=seconds)
    return tr("Ready"), tr("{server} · Nothing sent through it yet", server=server)


def _suspicion(verdict: Verdict) -> tuple[str, str]:
    """A server that takes bytes and never gave one back: why that may be."""
    words = tr("The server took our bytes, and not one came back for {count} connections", count=verdict.count)
    if verdict.count == 1:
        words = tr("The server took our bytes, and not one came back")
    match verdict.why:
        case "key-or-clock":
            return tr("Wrong key, or a clock that is off?"), words
        case "clock":
            time = said(age(abs(verdict.seconds)))
            behind, ahead = tr("{time} behind", time=time), tr("{time} ahead", time=time)
            off = (behind if verdict.seconds > 0 else ahead) if verdict.seconds else tr("It differs from the server's")
            return tr("This computer's clock is off"), off
        case "unreadable":
            return tr("Wrong password or method?"), tr("What came back cannot be opened with them")
        case "plugin":
            words = tr("Its plugin took our bytes, and not one came back for {count} connections", count=verdict.count)
            return tr("{server} does not answer", server=verdict.server), words
    return tr("Wrong password or method?"), words


def _blocked(why: str) -> str:
    return {
        "plugin": tr("Its plugin waits for your yes"),
        "password": tr("Its password is missing"),
        "sealed": tr("Its password is sealed, and the system's keyring has not given the key"),
        "way": tr("The proxy on the way to the servers cannot carry it"),
        "method": tr("Its method is not supported, or old and not allowed"),
    }.get(why, "")


def one_line(verdict: Verdict, latency: float | None) -> str:
    """The state for a menu or a tooltip: "Connected · Tokyo 1 · 38 ms"."""
    parts = [_header_words(verdict, "")[0]]
    if verdict.kind in ("on", "ready", "connecting"):
        parts.append(verdict.server)
        if latency is not None:
            parts.append(" ".join(span(latency)))
    return " · ".join(parts)


def direct_for(seconds: float) -> str:
    """What is left of a pause, in minutes."""
    return tr("Direct for {minutes} min", minutes=math.ceil(seconds / 60))


def stage_word(stage: Stage, *, waiting: bool = False) -> str:
    """A stage as people say it; the original's names are in tooltips and in the diagram."""
    if stage is Stage.STREAM and waiting:
        return tr("Waiting")
    return {
        Stage.INIT: tr("Greeting"),
        Stage.ADDR: tr("Request"),
        Stage.DNS: tr("Resolving"),
        Stage.CONNECTING: tr("Connecting"),
        Stage.STREAM: tr("Streaming"),
        Stage.UDP_ASSOC: tr("UDP"),
        Stage.DESTROYED: tr("Finished"),
    }[stage]


def segment_word(kind: SegmentKind) -> str:
    """What a part of a connection's time went into."""
    return {
        SegmentKind.HANDSHAKE: tr("Handshake"),
        SegmentKind.DNS: tr("Resolving"),
        SegmentKind.CONNECTING: tr("Connecting"),
        SegmentKind.IDLE: tr("Nothing sent"),
        SegmentKind.WAIT: tr("Waiting"),
        SegmentKind.STREAM: tr("Streaming"),
        SegmentKind.UDP: tr("UDP"),
    }[kind]


def segment_phrase(kind: SegmentKind, *, server: bool) -> str:
    """The same, and of whom: of the server when it goes through one, otherwise of the target."""
    match kind:
        case SegmentKind.DNS:
            return tr("Resolving the server") if server else tr("Resolving the target")
        case SegmentKind.CONNECTING:
            return tr("Connecting to the server") if server else tr("Connecting to the target")
        case SegmentKind.WAIT:
            return tr("Waiting for the first byte")
        case SegmentKind.IDLE:
            return tr("The program sent nothing")
    return segment_word(kind)


def uncapitalised(text: str) -> str:
    """`text` as it is inside of a sentence; names in capitals stay."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def reason_word(reason: Reason | None) -> str:
    """Why a connection ended, in one or two words."""
    return {
        None: tr("Ended"),
        Reason.FINISHED: tr("Finished"),
        Reason.CLIENT_RESET: tr("Client reset"),
        Reason.SERVER_RESET: tr("Server reset"),
        Reason.DNS_FAILED: tr("DNS failed"),
        Reason.CONNECT_REFUSED: tr("Refused"),
        Reason.CONNECT_TIMEOUT: tr("Timed out"),
        Reason.UNREACHABLE: tr("Unreachable"),
        Reason.HANDSHAKE_TIMEOUT: tr("Handshake timeout"),
        Reason.IDLE_TIMEOUT: tr("Idle timeout"),
        Reason.BAD_REQUEST: tr("Bad request"),
        Reason.DENIED: tr("Denied"),
        Reason.NO_ANSWER: tr("No answer"),
        Reason.AUTH_FAILED: tr("Auth failed"),
        Reason.REPLAY: tr("Replay refused"),
        Reason.CLOCK_SKEW: tr("Clock skew"),
        Reason.TRUNCATED: tr("Truncated"),
        Reason.PLUGIN_FAILED: tr("Plugin closed"),
        Reason.NETWORK_LOST: tr("Network lost"),
        Reason.CLOSED_BY_USER: tr("Closed by you"),
        Reason.SHUTDOWN: tr("Shut down"),
    }[reason]

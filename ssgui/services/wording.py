"""What the engine and the services know, in people's words, in English: for the terminal.

The window has the same words, translated (`gui/words.py`); a test compares them.
"""

import math

from ssgui.engine.stages import Reason, Role, Stage
from ssgui.services.connections.records import Connection, is_waiting
from ssgui.services.diagnosis.evidence import Verdict
from ssgui.services.units import age

_STAGES = {
    Stage.INIT: "Greeting", Stage.ADDR: "Request", Stage.DNS: "Resolving", Stage.CONNECTING: "Connecting",
    Stage.STREAM: "Streaming", Stage.UDP_ASSOC: "UDP", Stage.DESTROYED: "Finished",
}  # fmt: skip
_REASONS = {
    None: "Ended",
    Reason.FINISHED: "Finished",
    Reason.CLIENT_RESET: "Client reset",
    Reason.SERVER_RESET: "Server reset",
    Reason.DNS_FAILED: "DNS failed",
    Reason.CONNECT_REFUSED: "Refused",
    Reason.CONNECT_TIMEOUT: "Timed out",
    Reason.UNREACHABLE: "Unreachable",
    Reason.HANDSHAKE_TIMEOUT: "Handshake timeout",
    Reason.IDLE_TIMEOUT: "Idle timeout",
    Reason.BAD_REQUEST: "Bad request",
    Reason.DENIED: "Denied",
    Reason.NO_ANSWER: "No answer",
    Reason.AUTH_FAILED: "Auth failed",
    Reason.REPLAY: "Replay refused",
    Reason.CLOCK_SKEW: "Clock skew",
    Reason.TRUNCATED: "Truncated",
    Reason.PLUGIN_FAILED: "Plugin closed",
    Reason.NETWORK_LOST: "Network lost",
    Reason.CLOSED_BY_USER: "Closed by you",
    Reason.SHUTDOWN: "Shut down",
}
_BLOCKED = {
    "plugin": "Its plugin waits for your yes",
    "password": "Its password is missing",
    "sealed": "Its password is sealed, and the system's keyring has not given the key",
    "way": "The proxy on the way to the servers cannot carry it",
    "method": "Its method is not supported, or old and not allowed",
}


def stage_word(stage: Stage, role: Role = Role.LOCAL, *, waiting: bool = False) -> str:
    """A stage as people say it. A server's INIT reads the address: what the client asks for."""
    if stage is Stage.STREAM and waiting:
        return "Waiting"
    return _STAGES[Stage.ADDR if stage is Stage.INIT and role is Role.SERVER else stage]


def reason_word(reason: Reason | None) -> str:
    """Why a connection ended, in one or two words."""
    return _REASONS[reason]


def state_word(one: Connection) -> str:
    """Where a connection stands, or why it ended."""
    return stage_word(one.stage, one.role, waiting=is_waiting(one)) if one.live else reason_word(one.reason)


def verdict_words(verdict: Verdict) -> tuple[str, str]:
    """What may be said about the server in use, and the evidence for it."""
    server, ago = verdict.server, " ".join(age(verdict.seconds))
    match verdict.kind:
        case "on":
            return "Connected", f"{server} · Bytes came back {ago} ago"
        case "connecting":
            return "Connecting…", f"{server} · Trying for {ago}"
        case "failing" if verdict.why == "way":
            words = f"{server} cannot be tried · {verdict.count} attempts failed"
            return "The proxy on the way does not work", words
        case "failing":
            why = reason_word(verdict.reason) if verdict.reason is not None else ""
            words = f"{verdict.count} of {max(verdict.count, verdict.attempts)} attempts failed: {why}"
            return f"{server} does not answer", words
        case "suspicious":
            return _suspicion(verdict)
        case "offline":
            return "Waiting for network", "This computer is offline · Resumes by itself"
        case "off":
            return "Off", ""
        case "blocked":
            return f"{server} cannot be used yet", _BLOCKED.get(verdict.why, "")
        case "paused":
            return f"Direct for {math.ceil(verdict.seconds / 60)} min", f"Nothing new goes through {server}"
        case "none":
            return "No server yet", "Add one to start"
    return (
        "Ready",
        f"{server} · Bytes came back {ago} ago" if verdict.seconds else f"{server} · Nothing sent through it yet",
    )


def _suspicion(verdict: Verdict) -> tuple[str, str]:
    """A server that takes bytes and never gave one back: why that may be."""
    many = "" if verdict.count == 1 else f" for {verdict.count} connections"
    words = f"The server took our bytes, and not one came back{many}"
    match verdict.why:
        case "key-or-clock":
            return "Wrong key, or a clock that is off?", words
        case "clock":
            time = " ".join(age(abs(verdict.seconds)))
            off = f"{time} {'behind' if verdict.seconds > 0 else 'ahead'}"
            return "This computer's clock is off", off if verdict.seconds else "It differs from the server's"
        case "unreadable":
            return "Wrong password or method?", "What came back cannot be opened with them"
        case "plugin":
            words = f"Its plugin took our bytes, and not one came back for {verdict.count} connections"
            return f"{verdict.server} does not answer", words
    return "Wrong password or method?", words

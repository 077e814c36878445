"""One measurement of a server that is in use, of which its evidence hears."""

import logging
import time

from ssgui.engine.relay import LocalRelay
from ssgui.engine.stages import Reason
from ssgui.engine.upstream.latency import Latency, measure
from ssgui.engine.upstream.server import Upstream
from ssgui.services.diagnosis.evidence import ServerEvidence

_log = logging.getLogger("ssgui")


async def try_server(
    relay: LocalRelay, upstream: Upstream, evidence: ServerEvidence, *, confirms: bool = False
) -> Latency:  # fmt: skip
    """Fetch the small page through `upstream`. EngineError, LocalProtocolError; may be cancelled.

    `confirms`: its key was doubted, by a person or by us, and to get no answer confirms that.
    """
    name = upstream.name
    evidence.trying(name, time.monotonic())
    try:
        found = await measure(relay, upstream)
    except BaseException:
        evidence.gave_up(name)
        raise
    if found.by_proxy:
        evidence.gave_up(name)
        return found
    failure = (found.reason or Reason.NO_ANSWER) if found.failure and found.first_byte is None else None
    evidence.tried(name, time.monotonic(), failure, confirms=confirms)
    _log.info("the server %s %s", name, "answers" if failure is None else f"does not answer: {found.failure}")
    return found

"""What time it is, asked once because a person wants to know: the `Date` of the page for tests, fetched directly.

Who looks on sees that this computer asks for that page; nothing else here goes past the server unasked. Where servers
are reached through a proxy, the page is too.
"""

import time
from dataclasses import dataclass

from ssgui.app.context import AppContext
from ssgui.config.addresses import parse_proxy
from ssgui.config.models import UpstreamProxy
from ssgui.config.values import ConfigError
from ssgui.engine.tasks import run_blocking
from ssgui.protocol.address import join_host_port
from ssgui.services.fetching import dates_of

SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ClockCheck:
    """How far the page's clock is ahead of ours in seconds; None, and a `failure`, where it could not be asked."""

    ahead: float | None = None
    failure: str = ""


async def check_clock(context: AppContext) -> ClockCheck:
    """Ask, and let the evidence of the clock know."""
    settings = context.config.settings
    try:
        proxy = _address_of(parse_proxy(settings.upstream_proxy.reveal())) if settings.upstream_proxy else ""
    except ConfigError as error:
        return ClockCheck(failure=str(error))
    date, age, seconds, failure = await run_blocking(_ask, settings.probe_url, proxy)
    if failure:
        return ClockCheck(failure=failure)
    ahead = context.clock.heard_date(date, age, seconds, "asked")
    return ClockCheck(ahead) if ahead is not None else ClockCheck(failure="what answers does not say what time it is")


def _address_of(proxy: UpstreamProxy) -> str:
    from urllib.parse import quote

    user = f"{quote(proxy.user, safe='')}:{quote(proxy.password.reveal(), safe='')}@" if proxy.user else ""
    return f"{proxy.kind}://{user}{join_host_port(proxy.host, proxy.port)}"


def _ask(url: str, proxy: str) -> tuple[str, str, float, str]:
    """The headers Date and Age, how many seconds it took, and why it failed."""
    import httpx

    start = time.monotonic()
    try:
        with (
            httpx.Client(proxy=proxy or None, trust_env=False, timeout=SECONDS) as client,
            client.stream("GET", url) as answer,
        ):
            return (*dates_of(answer.headers), time.monotonic() - start, "")
    except httpx.TimeoutException:
        return "", "", 0.0, "it does not answer"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return "", "", 0.0, str(error).partition("(")[0].strip() or type(error).__name__

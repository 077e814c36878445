"""Our own port, as our own downloads use it; and one request through it, to see that it works."""

import time
from dataclasses import dataclass
from urllib.parse import quote

from ssgui.app.context import AppContext
from ssgui.config.app_config import Settings
from ssgui.engine.tasks import run_blocking
from ssgui.protocol.address import Address

_SECONDS = 20.0


def own_proxy(context: AppContext) -> str:
    """`socks5://…` of our own port; "" while it does not listen, or while everything goes directly."""
    relay = context.proxy.relay
    if relay is None or context.pause.left():
        return ""
    host, port = relay.address
    place = Address("127.0.0.1" if host == "0.0.0.0" else host, port)  # noqa: S104
    return proxy_url(str(place), context.config.settings)


def proxy_url(place: str, settings: Settings) -> str:
    """`socks5://…` of the app's port at `place`, with the name and password that it asks for."""
    user = ""
    if settings.user and settings.user_password:
        user = f"{quote(settings.user, safe='')}:{quote(settings.user_password.reveal(), safe='')}@"
    return f"socks5://{user}{place}"


@dataclass(frozen=True, slots=True)
class Tried:
    """How a request ended: with the status of an answer after `seconds`, or with a `failure` ("" for none)."""

    status: int = 0
    seconds: float = 0.0
    failure: str = ""


async def send_test_request(context: AppContext) -> Tried:
    """Fetch the page for tests once, as any program would: it is a row in the table of connections."""
    proxy = own_proxy(context)
    return await run_blocking(_get, proxy, context.config.settings.probe_url) if proxy else Tried(failure="off")


def _get(proxy: str, url: str) -> Tried:
    import httpx

    start = time.monotonic()
    try:
        with httpx.Client(proxy=proxy, trust_env=False, timeout=_SECONDS) as client:
            answer = client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return Tried(failure=type(error).__name__)
    return Tried(answer.status_code, time.monotonic() - start)

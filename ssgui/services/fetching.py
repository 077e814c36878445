"""The one way to fetch lists: over https only, bounded in size, time and redirects, and without telling secrets.

The address of a subscription is often a password in itself: no message has more of it than the host.
"""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ssgui import __version__
from ssgui.config.secret import Secret
from ssgui.engine.tasks import run_blocking

if TYPE_CHECKING:
    import httpx

Dated = Callable[[str, str, float], object]  # the headers Date and Age, and how long it took in seconds
MOST_BYTES = 1 << 20
SECONDS = 30.0
MOST_REDIRECTS = 5
_MOST_NUMBER = 1 << 62


class FetchError(Exception):
    """The list could not be had; says why, for people."""


class Unreachable(FetchError):
    """Nobody answered: another way there may help."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Bytes used and left, and when it ends in Unix seconds; 0 is not known."""

    used: int = 0
    remaining: int = 0
    expires: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came. `unchanged` says that `etag`, which was sent along, still holds, and `data` is empty then."""

    data: bytes
    etag: str = ""
    quota: Quota = Quota()
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What a fetch may take at most, in bytes and seconds; `progress` hears, in a thread, how much of 1 is there."""

    most: int = MOST_BYTES
    seconds: float | None = None
    progress: Callable[[float], None] = lambda _: None


def _nobody(_client: tuple[str, int]) -> None:
    """Nobody wants to know."""


def _no_date(_date: str, _age: str, _seconds: float) -> None:
    """Nobody wants to know what time it is."""


async def fetch(
    url: Secret, *, proxy: str = "", etag: str = "", directly: bool = False, trust: ssl.SSLContext | None = None,
    limits: Limits = Limits(), opened: Callable[[tuple[str, int]], None] = _nobody, dated: Dated = _no_date,
) -> Answer:  # fmt: skip
    """Fetch the list at `url`, through `proxy` (`socks5://...`) if one is given, and then `directly` if that fails.

    `opened` hears, in a thread, from where a connection to the proxy was made, before anything is asked of it; `dated`
    what the answer's headers say of the time. Who looks on sees a direct fetch: it must have been wanted. Raises
    FetchError.
    """
    check_address(url.reveal())
    if proxy:
        try:
            return await run_blocking(_fetch, url, proxy, etag, trust, limits, opened, dated)
        except Unreachable:
            if not directly:  # the server in use may be the one that a new list replaces
                raise
    return await run_blocking(_fetch, url, "", etag, trust, limits, _nobody, dated)


def check_address(url: str) -> str:
    """The host of `url`. FetchError unless it is an address of https."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise FetchError("this is no web address") from None
    if parts.scheme == "http":
        raise FetchError("http is not encrypted: anybody on the way could read and change the list; use https")
    if parts.scheme != "https" or not host:
        raise FetchError("this is no https address")
    return host


def _fetch(
    url: Secret, proxy: str, etag: str, trust: ssl.SSLContext | None, limits: Limits,
    opened: Callable[[tuple[str, int]], None], dated: Dated,
) -> Answer:  # fmt: skip
    import httpx

    headers = {"User-Agent": f"ssgui/{__version__}", "Accept": "*/*"} | ({"If-None-Match": etag} if etag else {})
    seconds, place = limits.seconds or SECONDS, url.reveal().strip()
    deadline = time.monotonic() + seconds
    try:
        with httpx.Client(proxy=proxy or None, trust_env=False, timeout=SECONDS, verify=trust or True) as client:
            for _ in range(MOST_REDIRECTS + 1):
                host, asked = check_address(place), time.monotonic()
                trace = {"trace": partial(_trace, opened)}
                with client.stream("GET", place, headers=headers, extensions=trace) as response:
                    dated(*dates_of(response.headers), time.monotonic() - asked)
                    if not response.has_redirect_location:
                        return _answer(response, host, deadline, limits)
                    place = str(response.url.join(response.headers["Location"]))
    except httpx.TransportError as error:
        raise Unreachable(f"{_host(place)} cannot be reached: {_why(error)}") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise FetchError(f"{_host(place)} answers nonsense ({type(error).__name__})") from None
    raise FetchError(f"{_host(place)} sends from one address to the next without end")


def dates_of(headers: Mapping[str, str]) -> tuple[str, str]:
    """What an answer says of the time, and how long a cache has kept it."""
    return headers.get("Date", ""), headers.get("Age", "")


def _trace(opened: Callable[[tuple[str, int]], None], event: str, info: dict[str, Any]) -> None:
    """What httpx does, step by step: a connection was made."""
    if event.endswith("connect_tcp.complete"):
        opened(info["return_value"].get_extra_info("client_addr")[:2])


def _answer(response: "httpx.Response", host: str, deadline: float, limits: Limits) -> Answer:
    etag = response.headers.get("ETag", "")[:200]
    quota = read_quota(response.headers.get("Subscription-Userinfo", ""))
    if response.status_code == 304:
        return Answer(b"", etag, quota, True)
    if response.status_code != 200:
        raise FetchError(f"{host} answers {response.status_code} {response.reason_phrase}".strip())
    data, length = bytearray(), response.headers.get("Content-Length", "")
    whole = int(length) if length.isdecimal() and len(length) < 12 else 0
    for piece in response.iter_bytes():
        data += piece
        if len(data) > limits.most:
            raise FetchError(f"the list of {host} is larger than {limits.most >> 20} MiB")
        if time.monotonic() > deadline:
            raise Unreachable(f"{host} is too slow: more than {limits.seconds or SECONDS:.0f} s")
        limits.progress(min(1.0, response.num_bytes_downloaded / whole) if whole else 0.0)
    return Answer(bytes(data), etag, quota)


def read_quota(header: str) -> Quota:
    """`upload=1; download=2; total=3; expire=4`, as many providers send it; what is no number counts as not there."""
    values: dict[str, int] = {}
    for part in header[:1000].split(";"):
        key, _, value = part.partition("=")
        digits = value.strip().partition(".")[0]
        if digits.isascii() and digits.isdigit() and len(digits) < 20:
            values[key.strip().lower()] = min(int(digits), _MOST_NUMBER)
    used = values.get("upload", 0) + values.get("download", 0)
    total = values.get("total", 0)
    return Quota(used, max(0, total - used) if total else 0, float(values.get("expire", 0)))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the server"
    except ValueError:
        return "the server"


def _why(error: Exception) -> str:
    """A reason in a few words; messages of TLS and sockets have no secrets in them."""
    name = type(error).__name__
    if "Timeout" in name:
        return "it does not answer"
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate is not to be trusted"
    return text.partition("(")[0].strip() or name

"""A real curl, asked to go through a proxy: by SOCKS5 with names if nothing else is said."""

import subprocess
from dataclasses import dataclass

from tests.support.programs import require

PROXY_ERROR = 97  # CURLE_PROXY: the proxy said no
TIMED_OUT = 28
RECV_ERROR = 56  # CURLE_RECV_ERROR, which is also what a refused CONNECT is


@dataclass(frozen=True)
class Answer:
    """How curl ended, what it received, and what it says about it."""

    code: int
    body: bytes
    error: str


def curl(proxy: tuple[str, int], url: str, *flags: str, way: str = "socks5h") -> Answer:
    """Fetch `url` through `proxy`; `way` is the scheme that curl has for it."""
    command = [
        require("curl"), "-q", "--silent", "--show-error", "--max-time", "20", "--noproxy", "",
        "--proxy", f"{way}://{proxy[0]}:{proxy[1]}", *flags, url,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=False, timeout=30)
    return Answer(done.returncode, done.stdout, done.stderr.decode(errors="replace"))

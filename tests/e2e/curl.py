"""A real curl, asked to go through a SOCKS5 proxy that resolves names itself."""

import subprocess
from dataclasses import dataclass

from tests.support.programs import require

PROXY_ERROR = 97  # CURLE_PROXY: the proxy said no
TIMED_OUT = 28


@dataclass(frozen=True)
class Answer:
    """How curl ended, what it received, and what it says about it."""

    code: int
    body: bytes
    error: str


def curl(proxy: tuple[str, int], url: str, *flags: str) -> Answer:
    """Fetch `url` through `proxy`."""
    command = [
        require("curl"), "-q", "--silent", "--show-error", "--max-time", "20", "--noproxy", "",
        "--socks5-hostname", f"{proxy[0]}:{proxy[1]}", *flags, url,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=False, timeout=30)
    return Answer(done.returncode, done.stdout, done.stderr.decode(errors="replace"))

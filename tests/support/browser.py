"""Real browsers without a window, each with one page that fetches what a test names, until the test ends."""

import json
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from tests.support.processes import Process, running, wait_until
from tests.support.programs import require

# The loopback never goes through a proxy, so the page itself always arrives.
_PAGE = b"""<!doctype html><meta charset="utf-8"><title>probes</title><script>
async function work() {
  for (;;) {
    const url = await (await fetch("/next", {cache: "no-store"})).text();
    if (!url) continue;
    const image = new Image(), end = word => fetch("/end?" + word + "&" + encodeURIComponent(url), {cache: "no-store"});
    image.onload = () => end("loaded");
    image.onerror = () => end("failed");
    image.src = url;
  }
}
work();
</script>"""
_PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
HERE, THERE = "127.0.0.1", "127.0.0.2"
_LONGEST_POLL = 20.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"  # type: ignore[mutable-override]

    def do_GET(self) -> None:
        site = self.server.site
        path, _, query = self.path.partition("?")
        if path == "/page":
            self._answer("text/html", _PAGE)
        elif path == "/next":
            self._answer("text/plain", site.next_probe().encode())
        elif path == "/end":
            word, _, url = query.partition("&")
            site.ended[unquote(url)] = word
            self._answer("text/plain", b"")
        else:
            site.seen.append((self.server.host, self.headers["Host"] or "", self.path))
            self._answer("image/svg+xml", _PICTURE)

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True  # the browser has ended

    def log_message(self, format: str, *args: object) -> None:
        """Tests look at `seen`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, site: "Site", host: str, port: int) -> None:
        super().__init__((host, port), _Handler)
        self.site, self.host = site, host
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name=f"site at {host}")
        self._thread.start()

    def end(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class Site:
    """A context manager: the page that probes, a PAC, and the origin of all probes, at two addresses of the loopback:
    names lead to HERE for the browser, and to THERE for a server that has a name server of its own.

    `seen` are the address, Host field and path of probes that arrived, `ended` URLs and how they went.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str]] = []
        self.ended: dict[str, str] = {}
        self._probes: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Self:
        here = _Server(self, HERE, 0)
        self.port = int(here.server_address[1])
        self._servers = [here, _Server(self, THERE, self.port)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._probes.put("")
        for server in self._servers:
            server.end()

    @property
    def page(self) -> str:
        """The URL that a browser is started with."""
        return f"http://127.0.0.1:{self.port}/page"

    def next_probe(self) -> str:
        """The next URL for the page, "" when there is none for a while."""
        try:
            return self._probes.get(timeout=_LONGEST_POLL)
        except queue.Empty:
            return ""

    def fetch(self, url: str, seconds: float = 60.0) -> str:
        """Have the browser fetch `url`, which no test asked for before: "loaded" or "failed"."""
        assert url not in self.ended
        self._probes.put(url)
        return wait_until(lambda: self.ended.get(url, ""), f"the browser's answer about {url}", seconds)

    def arrived(self, path: str) -> list[str]:
        """The addresses at which probes of `path` arrived."""
        return [address for address, _, one in self.seen if one == path]


@contextmanager
def chromium(folder: Path, page: str, flags: Sequence[str], env: Mapping[str, str] | None = None) -> Iterator[Process]:
    """Chromium with `page` open; names that end in .test, and 10.1.2.3, are the loopback to it."""
    rules = "MAP *.test 127.0.0.1, MAP *.test. 127.0.0.1, MAP 10.1.2.3 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    command = [
        require("chromium"), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
        "--disable-dev-shm-usage", "--remote-debugging-port=0", f"--user-data-dir={folder / 'chromium'}",
        f"--host-resolver-rules={rules}", *flags, page,
    ]  # fmt: skip
    with _browser(command, env) as process:
        yield process


@contextmanager
def firefox(
    folder: Path, page: str, preferences: Mapping[str, object], env: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """Firefox with `page` open."""
    profile = folder / "firefox"
    profile.mkdir()
    wanted = {
        "browser.shell.checkDefaultBrowser": False, "datareporting.policy.dataSubmissionEnabled": False,
        "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False,
        "app.normandy.enabled": False, "browser.aboutwelcome.enabled": False, "network.dns.disableIPv6": True,
        "network.dns.native-is-localhost": True, **preferences,
    }  # fmt: skip
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in wanted.items()]
    (profile / "user.js").write_text("\n".join(lines))
    command = [require("firefox-esr"), "--headless", "--no-remote", "--profile", str(profile), page]
    home = {"HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"}
    with _browser(command, {**home, **(env or {})}) as process:
        yield process


@contextmanager
def _browser(command: list[str], env: Mapping[str, str] | None) -> Iterator[Process]:
    with running(command, env=env) as process:
        try:
            yield process
        finally:
            process.stop()

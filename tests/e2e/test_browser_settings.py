"""A real browser reads what our backends set: headless Chromium on a desktop of GNOME's and of KDE's kind."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ssgui.system.proxy.backend import ProxyBackend, ProxyKind, ProxySetting
from ssgui.system.proxy.gnome import GnomeProxy
from ssgui.system.proxy.kde import KdeProxy
from tests.support.private_desktop import private_desktop
from tests.support.programs import require

PAC = 'function FindProxyForURL(url, host) { return "PROXY 127.0.0.1:%d"; }'


class _Answers(BaseHTTPRequestHandler):
    """A proxy that answers itself, and the PAC that leads to it."""

    def do_GET(self) -> None:
        pac = self.path.startswith("/proxy.pac")
        body = (PAC % self.connection.getsockname()[1] if pac else f"<p>by proxy: {self.path}</p>").encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ns-proxy-autoconfig" if pac else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


DESKTOPS = {
    "gnome": (GnomeProxy, {"XDG_CURRENT_DESKTOP": "GNOME"}),
    "kde5": (KdeProxy, {"XDG_CURRENT_DESKTOP": "KDE", "KDE_SESSION_VERSION": "5", "KDE_FULL_SESSION": "true"}),
    "kde6": (KdeProxy, {"XDG_CURRENT_DESKTOP": "KDE", "KDE_SESSION_VERSION": "6", "KDE_FULL_SESSION": "true"}),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", list(ProxyKind))
@pytest.mark.parametrize("desktop", list(DESKTOPS))
def test_chromium_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: int, desktop: str, kind: ProxyKind
) -> None:
    for program in ("gsettings", "dconf", "kreadconfig5"):
        require(program)
    make: Callable[[], ProxyBackend] = DESKTOPS[desktop][0]
    setting = ProxySetting(kind, f"http://127.0.0.1:{proxy}/proxy.pac?k=1", "127.0.0.1", proxy, ("localhost",))
    if kind is ProxyKind.PAC:
        setting = ProxySetting(kind, setting.url)
    command = [
        require("chromium"), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom",
        f"--user-data-dir={tmp_path / 'profile'}", "http://listed.example/page",
    ]  # fmt: skip
    with private_desktop(tmp_path / "session") as environment:
        for name, value in {**environment, **DESKTOPS[desktop][1]}.items():
            monkeypatch.setenv(name, value)
        backend = make()
        before = backend.snapshot()
        backend.apply(setting)
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, stdin=subprocess.DEVNULL)
        backend.restore(before)
        assert backend.snapshot() == before
    assert "by proxy: http://listed.example/page" in done.stdout, done.stderr

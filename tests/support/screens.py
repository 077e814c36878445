"""Every page of the window with sample data, for pictures and for the test that looks for clipped words.

python -m tests.support.screens FOLDER --scale 1.5     pictures of every page, light and dark, in both languages
"""

import math
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if "--scale" in sys.argv:  # on a large screen: a menu that is taller than its screen is split into columns
    _SCREEN = Path(tempfile.gettempdir()) / f"ssgui-screen-{os.getpid()}.json"
    _SCREEN.write_text(
        '{"screens": [{"name": "large", "x": 0, "y": 0, "width": 5120, "height": 2880, "logicalDpi": 96,'
        ' "logicalBaseDpi": 96, "dpr": 1}]}'
    )
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={_SCREEN}"
    os.environ["QT_SCALE_FACTOR"] = sys.argv[sys.argv.index("--scale") + 1]

from PySide6.QtGui import QFont, QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from ssgui.app.context import AppContext
from ssgui.app.local_proxy import LocalProxy
from ssgui.app.log_buffer import LogBuffer
from ssgui.app.pause import Pause
from ssgui.app.revival import Doubts
from ssgui.app.system_proxy import SystemProxy
from ssgui.config.app_config import AppConfig, Mode
from ssgui.config.store import Store
from ssgui.engine.stages import Reason
from ssgui.gui import words
from ssgui.gui.first_run import FirstRun
from ssgui.gui.frame.header import HeaderState
from ssgui.gui.frame.notices import Notice
from ssgui.gui.presenter import Presenter
from ssgui.gui.texts import LANGUAGES, Translator, tr
from ssgui.gui.theme import Theme
from ssgui.gui.window import MainWindow
from ssgui.services.awake import Awake
from ssgui.services.connections.leaks import Leaks
from ssgui.services.connections.meter import Meter
from ssgui.services.connections.programs import Programs
from ssgui.services.diagnosis.clock import ClockEvidence
from ssgui.services.diagnosis.evidence import ServerEvidence, Verdict
from ssgui.services.diagnosis.findings import Findings
from ssgui.services.diagnosis.outcomes import How
from ssgui.services.diagnosis.server_quality import ServerQuality
from ssgui.services.history.recorder import History
from ssgui.services.rules.current import RulesService
from ssgui.system.integration.setting import Feature
from ssgui.system.network import NetworkState
from ssgui.system.proxy.backend import ProxyBackend
from tests.support import dialogs, past, sample, sample_past, sample_rules
from tests.support.still_setting import StillSetting

ADDRESS = "127.0.0.1:1080"
SIZES = {"usual": (1280, 800), "narrow": (960, 640), "wide": (1360, 850), "edge": (1100, 700)}
_LINES = (
    ("info", "listening on 127.0.0.1:1080 (SOCKS5, SOCKS4, HTTP; TCP and UDP), going through Tokyo 1"),
    ("warning", "cannot reach the server Los Angeles 3: Connection refused; is it running, and is the port right?"),
    ("error", "settings cannot be saved: No space left on device"),
    ("info", "127.0.0.1:50121: connect-timeout, 517 bytes up, 0 down, 10.0 s"),
)


class StillContext(AppContext):
    """A context whose changes are told at once and applied to nothing: for pages without a loop."""

    def __init__(self, folder: Path) -> None:
        self.store, self.logs, self.run = Store(folder), LogBuffer(), None
        self.listens, self.shown = "", cast("Verdict | None", None)
        self.config = sample.app_config()
        self.problems, self.save_failed = [], ""
        self.awake = Awake(lambda: "", lambda _: None, look=lambda _: NetworkState(frozenset({"192.0.2.7"})))
        self.connections = sample.connections()
        self.evidence, self.meter = ServerEvidence(), Meter(lambda: "2026-11-23")
        self.quality = ServerQuality()
        self.history = History(folder, lambda: self.config.settings, wall=lambda: past.NOW)
        self.programs, self.leaks = Programs(None, lambda: 0), Leaks()
        self.clock = ClockEvidence(synchronised=lambda: None)
        self.findings = Findings(self.connections, self.evidence, self.clock, self)
        self.doubts = Doubts(lambda: None, self.evidence, lambda: False)
        self.changed = []
        self.passing = set()
        self._unsaved, self._adopted, self._work = None, None, None
        self.proxy = LocalProxy(sample.StillEngine())  # type: ignore[arg-type]
        self.pause = Pause(lambda paused: self._tell())
        self.rules = RulesService(folder, lambda: self.config, lambda: None, wall=lambda: sample_rules.NOW)
        self.pac_url, self._may_set_proxy = (lambda: ""), True
        self.system_proxy = SystemProxy(folder, None, lambda: None, lambda mode: None)

    @property
    def address(self) -> str:
        """Where it would listen."""
        return self.listens or super().address

    def judged(self, now: float) -> Verdict:
        """What is to be shown, or what would be known."""
        return self.shown or super().judged(now)

    def change(self, config: AppConfig) -> None:
        if config != self.config:
            self.config = config
            self._tell()


class Still(Meter):
    """A minute of traffic that does not go on."""

    def __init__(self, today: Callable[[], str]) -> None:
        super().__init__(today)
        wave = random.Random(11)
        self.down.extend(max(2e4, abs(math.sin(at / 9)) * 3.1e6 + wave.uniform(-4e5, 4e5)) for at in range(60))
        self.up.extend(9e4 + wave.uniform(0, 6e4) for _ in range(60))

    def tick(self, now: float) -> None:
        """Nothing happens."""


def verdicts() -> Iterator[Verdict]:
    """The states of the header."""
    server = sample.TOKYO
    yield Verdict("on", server, 0.3)
    yield Verdict("ready", server)
    yield Verdict("connecting", server, 1.4)
    yield Verdict("failing", "Los Angeles 3", 0.0, 4, 4, Reason.CONNECT_TIMEOUT)
    yield Verdict("suspicious", server, 0.0, 12, 12)
    yield Verdict("offline", server)
    yield Verdict("off", server)
    yield Verdict("none")
    yield Verdict("paused", server, 840.0)
    yield Verdict("blocked", "Frankfurt · v2ray-plugin", why="plugin")


class Screens:
    """The window, filled; `pages` opens one after the other."""

    def __init__(self, folder: Path, size: tuple[int, int] = SIZES["usual"]) -> None:
        import logging

        self.context = StillContext(folder)
        self.context.config = dialogs.with_subscription(self.context.config)
        self.context.listens = ADDRESS
        sample_rules.fill(self.context)
        self.context.system_proxy.backend = cast("ProxyBackend", object())  # there is one, and it is never asked
        self.context.meter = Still(lambda: "2026-11-23")
        self.window = MainWindow()
        self.presenter = Presenter(self.context, self.window, lambda: None, {one: StillSetting() for one in Feature})
        self.presenter.integrating.integration.on[Feature.LOGIN] = True
        self.presenter.integrating._show()
        self._timer_off()
        self.window.resize(*size)
        self.presenter.connections.model._clock = lambda: sample.NOW
        self.presenter.rules.page.model.clock = lambda: sample_rules.NOW
        logger = logging.Logger("ssgui")
        logger.addHandler(self.context.logs)
        for level, text in _LINES:
            getattr(logger, level)(text)
        states = self.presenter.states
        states._clock = lambda: time.monotonic() - 190.0
        for identity, latency in (("1", 0.038), ("2", 0.012), ("3", 0.189), ("5", 0.074), ("6", None)):
            for bend in (1.1, 0.95, 1.25, 1.0, 0.9, 1.15, 1.0, 1.05):  # of the tests before; the last is what is shown
                states.tested(identity, latency and latency * bend, "" if latency else "timed out")
            states.tested(identity, latency, "" if latency else "timed out")
        states._clock = time.monotonic
        self.context.evidence.of(sample.TOKYO).ended.extend([True] * 40 + [False] + [True] * 30)
        self.context.meter.courses[sample.TOKYO].extend(range(0, 1_240_000_000, 31_000_000))
        for name, size_ in ((sample.TOKYO, 1_240_000_000), ("香港 02 专线", 386_000_000)):
            self.context.meter.servers[name].down = size_
        sample_past.fill(self)
        self.first_run = FirstRun(self.window)
        self.window.add_page("first-run", self.first_run)
        self._fill()

    def _timer_off(self) -> None:
        self.presenter._timer.stop()

    def _fill(self) -> None:
        self.presenter.servers.refresh()
        header = self.window.header
        header.show_rates(self.context.meter.down, self.context.meter.up)
        self.presenter._changed()
        self.window.sidebar.show_count("connections", len(self.context.connections.live))
        self.show(next(verdicts()))

    def show(self, verdict: Verdict) -> None:
        """Put a state into the header."""
        self.context.shown = verdict
        state: HeaderState = words.header_state(verdict, ADDRESS)
        self.window.header.show_state(state)

    def pages(self) -> Iterator[tuple[str, QWidget]]:
        """Name and window of every page, shown."""
        self.window.show()
        for key in ("servers", "connections", "rules", "logs", "settings"):
            mode = self.context.config.settings.mode
            self.context.change_settings(mode=Mode.PAC if key == "rules" else mode)
            self._open(key)
            if key == "rules":
                self.presenter.rules.page.explain.ask("https://www.youtube.com/watch?v=dQw4w9WgXcQ")
                QApplication.processEvents()
            yield key, self.window
            self.context.change_settings(mode=mode)
        yield from sample_past.pages(self)
        self.presenter.settings.context.change_settings(share=True)
        self._open("settings")
        yield "settings-shared", self.window
        self.presenter.servers.list.select("3")
        self.presenter.servers.editor.port.set_text("838800")
        self.presenter.servers.editor.problems()
        self._open("servers")
        yield "servers-edit", self.window
        banners = self.window.banners
        banners.show_notice(
            Notice("a", "warn", tr("Settings need a look."), "config.json", tr("Show the log"), _nothing)
        )
        fact = tr("Port {port} is taken by “{owner}”.", port=1080, owner="nginx")
        banners.show_notice(Notice("b", "err", fact, tr("Using {port} for now.", port=1081), tr("Undo"), _nothing))
        self.window.toast.say(tr("{name} deleted", name="Seoul 2"), lambda: None)
        self._open("connections")
        self.presenter.connections.select(35)
        yield "connections-notices", self.window
        for key in ("a", "b"):
            banners.withdraw(key)
        self.window.toast.hide()
        yield "connections-diagnosis", self._with_a_diagnosis()
        banners.withdraw("finding")
        self.window.stack.setCurrentWidget(self.first_run)
        self.show(Verdict("none"))
        QApplication.processEvents()
        yield "first-run", self.window
        self.show(next(verdicts()))

    def _with_a_diagnosis(self) -> QWidget:
        """Twelve connections got nothing back through a server that takes everything."""
        evidence = self.context.evidence.of(sample.TOKYO)
        evidence.unanswered.extend([(sample.NOW, How.SILENT)] * 12)
        evidence.sent, evidence.confirmed = 9421, sample.NOW
        self.show(Verdict("suspicious", sample.TOKYO, 0.0, 12, 12, why="key"))
        self.presenter.diagnoses.look(sample.NOW)
        self._open("connections")
        self.context.evidence.forget(sample.TOKYO)
        return self.window

    def everything(self) -> Iterator[tuple[str, QWidget]]:
        """The pages, and all that opens on them."""
        yield from self.pages()
        for part in dialogs.ALL:
            yield from part(self)

    def _open(self, key: str) -> None:
        self.window.open_page(key)
        for page in (self.presenter.connections, self.presenter.servers, self.presenter.logs):
            page.look()
        for _ in range(3):
            QApplication.processEvents()

    def close(self) -> None:
        """Give it back."""
        self.presenter.end()
        self.window.hide()
        self.window.deleteLater()


def _nothing() -> None:
    """What the buttons of pictures do."""


def translated(application: QApplication, language: str) -> Translator:
    """Install a language; the caller removes it."""
    translator = Translator(language)
    application.installTranslator(translator)
    return translator


def main(arguments: list[str]) -> None:
    """Write the pictures."""
    folder = Path(arguments[1])
    folder.mkdir(parents=True, exist_ok=True)
    application = QApplication(["ssgui"])
    application.setFont(QFont("Inter", 10))
    theme = Theme(application)
    scale = os.environ.get("QT_SCALE_FACTOR", "1")
    for language in LANGUAGES:
        translator = translated(application, language)
        for name in ("light", "dark"):
            theme.choose(name)
            for kind, size in SIZES.items():
                with tempfile.TemporaryDirectory() as data:
                    screens = Screens(Path(data), size)
                    for page, widget in _pictures(screens, kind):
                        picture = folder / f"{page}-{kind}-{name}-{language}-{scale}x.png"
                        widget.grab().save(str(picture))
                    screens.close()
        application.removeTranslator(translator)
    _tell(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


def _pictures(screens: Screens, kind: str) -> Iterator[tuple[str, QWidget]]:
    """What does not get narrower with the window is painted once."""
    if kind != "usual":
        yield from screens.pages()
        return
    yield from screens.everything()
    yield from dialogs.foreign_dialogs(screens)


def _tell(text: str, out: Any = sys.stdout) -> None:
    out.write(text + "\n")


if __name__ == "__main__":
    main(sys.argv)
    QGuiApplication.quit()

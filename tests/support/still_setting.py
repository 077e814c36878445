"""A setting of a system that is only remembered."""

import threading

from ssgui.system.integration.setting import IntegrationError, SystemSetting


class StillSetting(SystemSetting):
    """`turned` is what was asked for, `fails` why it is refused, `threads` who asked."""

    def __init__(self, *, on: bool = False, fails: str = "") -> None:
        self.on, self.fails = on, fails
        self.turned: list[bool] = []
        self.threads: set[threading.Thread] = set()

    def is_on(self) -> bool:
        self.threads.add(threading.current_thread())
        return self.on

    def turn(self, on: bool) -> None:
        self.threads.add(threading.current_thread())
        if self.fails:
            raise IntegrationError(self.fails)
        self.turned.append(on)
        self.on = on

    def forget(self) -> None:
        self.turn(False)

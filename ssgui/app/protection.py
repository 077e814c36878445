"""Passwords that are sealed with a key of the system's keyring: opened after the start, and sealed when that is wanted.

Until the key is there the servers are listed without their passwords, and nothing that is typed meanwhile reaches the
disk in the clear.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from ssgui.app.context import AppContext
from ssgui.config.protected import has_clear, has_sealed, opened_config
from ssgui.engine.tasks import run_blocking, spawn
from ssgui.system.keyring_key import KeyringError, Trouble, read_key, read_or_make_key

_log = logging.getLogger("ssgui")


class Protection:
    """`told` is called when `trouble` has changed: why the key is not there, None while nothing is wrong."""

    def __init__(self, context: AppContext, told: Callable[[], None]) -> None:
        self._context, self._told = context, told
        self.trouble: Trouble | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Ask for the key, if something is sealed or shall be. The person may have to unlock the keyring."""
        config = self._context.config
        if (config.settings.keyring or has_sealed(config)) and self._context.run is None:
            self._start(self._read(), "read the key of the passwords")

    def turn(self, on: bool) -> None:
        """Seal from now on, or no longer."""
        if on:
            self._start(self._turn_on(), "protect the passwords")
        else:
            self._context.change_settings(keyring=False)
            self._say(None)

    def stop(self) -> None:
        """Wait no longer for a person to unlock anything."""
        if self._task is not None:
            self._task.cancel()

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        if self._task is not None:
            work.close()
            return
        self._task = spawn(work, name=name)
        self._task.add_done_callback(self._ended)

    def _ended(self, _task: asyncio.Task[None]) -> None:
        self._task = None

    async def _read(self) -> None:
        context = self._context
        try:
            key = await run_blocking(read_key)
        except KeyringError as error:
            _log.warning("the key of the passwords is not to be had: %s", error)
            if error.trouble is Trouble.LOST and context.config.settings.keyring:
                await self._begin_anew()
            self._say(error.trouble)
            return
        context.store.key = key
        config, unopened = opened_config(context.config, key)
        self._say(Trouble.LOST if unopened else None)
        if context.config.settings.keyring and not has_clear(context.config):
            context.adopt(config)
        else:  # something was typed that the file does not have, or nothing is to be sealed any more
            context.change(config)
            context.save_anew()
        if context.config.settings.keyring:
            await run_blocking(context.store.seal_backups)

    async def _begin_anew(self) -> None:
        """What was sealed is lost; what is typed now shall be kept."""
        try:
            self._context.store.key = await run_blocking(read_or_make_key)
        except KeyringError as error:
            _log.warning("the keyring takes no key: %s", error)

    async def _turn_on(self) -> None:
        context = self._context
        try:
            key = await run_blocking(read_or_make_key)
        except KeyringError as error:
            _log.warning("the passwords are not protected: %s", error)
            self._say(error.trouble)
            return
        context.store.key = key
        self._say(None)
        context.change_settings(keyring=True)
        await context.settled()
        await run_blocking(context.store.seal_backups)

    def _say(self, trouble: Trouble | None) -> None:
        self.trouble = trouble
        self._told()

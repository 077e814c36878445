"""The command `ssgui uninstall`: what ssgui changed in this person's system is taken back, and its files if wanted.

The program itself is removed by whatever installed it; installers call this command first.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click

from ssgui.app.log_output import plain

_SECONDS: Final = 15.0  # for the app that runs to end: its connections have a grace
_POLL: Final = 0.05
Say = Callable[[str], None]


@click.command("uninstall")
@click.option("--keep-data/--purge", default=None, help="Keep servers, rules and settings, or remove them; else asked.")
@click.option("--upgrade", is_flag=True, hidden=True)
@click.pass_context
def uninstall(context: click.Context, /, keep_data: bool | None, upgrade: bool, **given: Any) -> int:
    """End the app, put the system's proxy back, and take back start at login and ss:// links.

    The program is removed by whatever installed it: apt, the installer's own uninstaller, or pip.
    """
    from ssgui.app.commands.restore import restore_proxy
    from ssgui.app.folders import data_folder
    from ssgui.app.integration import own_settings

    def say(text: str) -> None:
        click.echo(plain(text))

    folder = data_folder(given["data_dir"] or (context.obj or {}).get("data_dir"))
    left = [_end_app(folder), *([] if upgrade else _forget(own_settings(folder), say))]
    restore_proxy(folder, say)
    if left[0] or upgrade:  # its files are in use; or an installer exchanges the program, and nothing else
        return _ended(left)
    if keep_data is None:
        keep_data = not (folder.exists() and _wanted(f"Remove servers, rules and settings in {folder} too?"))
    left += [] if keep_data else _purge(folder, say)
    if keep_data and folder.exists():
        say(f"servers, rules and settings stay in {folder}")
    return _ended(left)


def _ended(left: Sequence[str]) -> int:
    """Say what could not be taken back; the exit code."""
    for text in filter(None, left):
        click.echo(f"ssgui: {plain(text)}", err=True)
    return 1 if any(left) else 0


def _wanted(question: str) -> bool:
    """What a person says; without one nothing is removed."""
    return sys.stdin is not None and sys.stdin.isatty() and click.confirm(question, default=False)


def _end_app(folder: Path) -> str:
    """The app that uses `folder` ends in order; "" when there is none any more, else what is wrong."""
    from ssgui.services.control.channel import ControlError, InstanceLock, ask

    if not folder.exists():
        return ""
    lock = InstanceLock(folder)

    async def ended() -> bool:
        if lock.take():
            return True
        with suppress(ControlError):
            await ask(folder, {"do": "quit"})
        with suppress(TimeoutError):
            for _ in range(round(_SECONDS / _POLL)):
                if lock.take():
                    return True
                await asyncio.sleep(_POLL)
        return False

    try:
        return "" if asyncio.run(ended()) else "ssgui is running and does not end"
    except OSError as error:
        return f"{folder} cannot be looked at: {error.strerror or error}"
    finally:
        lock.release()


def _forget(settings: Any, say: Say) -> list[str]:
    """Nothing of the system leads to ssgui any more. What is left of it."""
    from ssgui.system.integration.setting import Feature, IntegrationError

    words = {
        Feature.LOGIN: "it does not start at login any more",
        Feature.LINKS: "it does not open ss:// links any more",
        Feature.STORE_APPS: "apps from the store are kept from this computer's ports again",
    }
    left = []
    for feature, setting in settings.items():
        try:
            was_on = setting.is_on()
            setting.forget()
        except IntegrationError as error:
            left.append(str(error))
        else:
            if was_on:
                say(words[feature])
    return left


def _purge(folder: Path, say: Say) -> list[str]:
    """The files of ssgui go, and the folder if nothing else is in it. What is left of it."""
    from ssgui.app.folders import is_own
    from ssgui.services.control.places import socket_path
    from ssgui.system.keyring_key import KeyringError, forget_key

    left: list[str] = []
    try:
        forget_key()
    except KeyringError as error:
        left.append(f"the key in the system's keyring stays: {error}")
    if not folder.exists():
        return left
    socket = socket_path(folder).parent if sys.platform != "win32" else folder
    try:
        others = _remove_own(folder, folder, is_own)
        if socket != folder:
            with suppress(OSError):  # another data directory's app may use it
                socket.rmdir()
    except OSError as error:
        return [*left, f"{error.filename}: {error.strerror or error}"]
    if others:
        say(f"in {folder} these stay, which are not ssgui's: {', '.join(others)}")
    else:
        say(f"{folder} is removed")
    return left


def _remove_own(folder: Path, top: Path, is_own: Callable[[Sequence[str]], bool]) -> list[str]:
    """Remove what is ours in `folder`, and it when it is empty. Names of the rest. Links are removed, not followed."""
    others: list[str] = []
    for path in sorted(folder.iterdir()):
        parts = path.relative_to(top).parts
        if path.is_dir() and not path.is_symlink() and is_own(parts):
            others += _remove_own(path, top, is_own)
        elif is_own(parts):
            path.unlink()
        else:
            others.append("/".join(parts))
    if not others:
        folder.rmdir()
    return others

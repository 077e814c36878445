"""The key of the passwords in a real keyring: GNOME's, on a bus of the test's own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.desktop import session_bus
from tests.support.processes import ROOT, wait_until
from tests.support.programs import require

ASK = "from ssgui.system.keyring_key import {0}; print({0}().hex())"
OWNER = "org.freedesktop.DBus.NameHasOwner"


def ask(function: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Call it in a process of its own, as each start of the app is one."""
    command = [sys.executable, "-c", ASK.format(function)]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=40)


@contextmanager
def gnome_keyring(env: dict[str, str]) -> Iterator[None]:
    """Unlocked with a password, as a login does it."""
    program = require("gnome-keyring-daemon")
    command = [program, "--foreground", "--unlock", "--components=secrets"]
    try:
        daemon = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except PermissionError:  # it wants to lock memory, which some containers forbid
        pytest.skip("gnome-keyring-daemon may not be started here")
    assert daemon.stdin is not None
    try:
        daemon.stdin.write(b"password of the login\n")
        daemon.stdin.close()
        wait_until(lambda: daemon.poll() is not None or has_owner(env), "the keyring", 20)
        if daemon.poll() is not None:
            pytest.skip(f"gnome-keyring-daemon ended with {daemon.returncode}")
        yield
    finally:
        daemon.terminate()
        daemon.wait(20)


def has_owner(env: dict[str, str]) -> bool:
    """Whether the bus knows a service of secrets; asking for it in vain would start another."""
    command = [require("dbus-send"), "--session", "--dest=org.freedesktop.DBus", "--print-reply", "/", OWNER]
    done = subprocess.run([*command, "string:org.freedesktop.secrets"], env=env, capture_output=True, text=True)
    return "boolean true" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="GNOME's keyring")
def test_a_key_is_made_once_and_outlives_the_keyrings_process(tmp_path: Path) -> None:
    with session_bus() as bus:
        env = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus, "PYTHONPATH": str(ROOT)}
        env |= dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"), str(tmp_path))
        env.pop("PYTHON_KEYRING_BACKEND", None)
        with gnome_keyring(env):
            nothing = ask("read_key", env)
            assert "KeyringError: lost" in nothing.stderr
            made = ask("read_or_make_key", env)
            assert len(made.stdout.strip()) == 64, made.stderr
        with gnome_keyring(env):
            assert ask("read_key", env).stdout == made.stdout

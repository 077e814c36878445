"""What every headless command does first: settings from flags, file and environment, logging, the events' file."""

import logging
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Self, TextIO

import msgspec

from ssgui.app.log_output import set_up_logging
from ssgui.app.passwords import Environment, environment_password, environment_proxy, read_password_file
from ssgui.config.classic import ClassicFile, read_classic
from ssgui.config.models import PluginSettings, ServerChoice
from ssgui.config.options import Options, overlay, with_password, with_proxy
from ssgui.config.secret import Secret
from ssgui.config.values import ConfigError

_MOST_CREDENTIALS = 255  # bytes; RFC 1929 has one length byte for each
_log = logging.getLogger("ssgui")
Flags = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Common:
    """The flags that every command has and that may stand before or after it."""

    events: str | None
    password_file: str | None
    verbosity: int | None
    log_json: bool
    data_dir: str | None

    @classmethod
    def of(cls, before: Flags, after: Flags) -> "Common":
        """Both places together; what stands after the command wins."""
        quiet, verbose = before["quiet"] or after["quiet"], before["verbose"] + after["verbose"]
        return cls(
            events=after["events"] or before["events"],
            password_file=after["password_file"] or before["password_file"],
            verbosity=-1 if quiet else verbose or None,
            log_json=before["log_json"] or after["log_json"],
            data_dir=after["data_dir"] or before["data_dir"],
        )


class Startup:
    """A context manager around a command's run: on entry `options` is complete and logging set up.

    `before` and `after` are the flags in front of the command and behind it. ConfigError says what is wrong.
    `has_settings` tells whether there were flags or a file that say something about servers or ports.
    """

    options: Options
    has_settings: bool

    def __init__(self, before: Flags, after: Flags) -> None:
        self.common = Common.of(before, after)
        self._given = after
        self._open = ExitStack()
        self._environment = Environment()
        self._from_input: Secret | None = None

    def __enter__(self) -> Self:
        file, flags = self._file(), self._flags()
        self.has_settings = bool(self._path) or msgspec.structs.replace(flags, verbosity=None) != Options()
        self.options = self._together(file, flags)
        set_up_logging(self.options.verbosity or 0, as_json=self.common.log_json)
        self._warn_of(file)
        return self

    def read_again(self) -> Options:
        """What flags, files and environment say now. ConfigError, as on entry."""
        file = self._file()
        options = self._together(file, self._flags())
        self._warn_of(file)
        return options

    @property
    def _path(self) -> str | None:
        path: str | None = self._given.get("config")
        return path

    def _file(self) -> ClassicFile:
        return read_classic(self._path, self._environment) if self._path else ClassicFile(Options())

    def _together(self, file: ClassicFile, flags: Options) -> Options:
        options = with_proxy(overlay(flags, file.options), environment_proxy(self._environment))
        return with_password(options, environment_password(self._environment))

    def _warn_of(self, file: ClassicFile) -> None:
        self.warn([f"{self._path}: {text}" for text in file.warnings])

    def __exit__(self, *exception: object) -> None:
        self._open.close()

    def _flags(self) -> Options:
        get: Callable[[str], Any] = self._given.get
        password = get("password")
        if password is None and self.common.password_file:
            password = self._from_input or read_password_file(self.common.password_file)
            if self.common.password_file == "-":  # noqa: S105  a name, not a password
                self._from_input = password  # there is no second line for a second time
        return Options(
            hosts=() if get("host") is None else (get("host"),),
            ports=() if get("port") is None else (get("port"),),
            method=get("method"),
            password=password,
            bind_host=get("bind_host"),
            bind_port=get("bind_port"),
            timeout=get("timeout"),
            users=_users(get("user"), get("user_password")),
            prefer_ipv6=get("prefer_ipv6") or None,
            forbidden=get("forbidden"),
            udp=get("udp") or None,
            udp_timeout=get("udp_timeout"),
            tunnel=get("tunnel"),
            choice=None if get("choose") is None else ServerChoice(get("choose")),
            probe_url=get("probe_url"),
            plugin=_plugin(get("plugin"), get("plugin_opts")),
            acl=get("acl"),
            bypass_lan=get("bypass_lan") or None,
            fast_open=get("fast_open") or None,
            mptcp=get("mptcp") or None,
            upstream_proxy=get("upstream_proxy"),
            segmented_header=get("segmented_header"),
            legacy_methods=get("allow_legacy") or (),
            workers=get("workers"),
            manager=get("manager"),
            metrics=get("metrics"),
            verbosity=self.common.verbosity,
        )

    def events(self) -> TextIO | None:
        """The stream of --events, closed at the end if it was opened here. Lines are added to a file's."""
        path = self.common.events
        if path is None or path == "-":
            return sys.stdout if path else None
        try:
            return self._open.enter_context(open(path, "a", encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"--events {path}: {getattr(error, 'strerror', None) or error}") from None

    def warn(self, warnings: list[str]) -> None:
        """Log what a person should know but may want so."""
        for text in warnings:
            _log.warning("%s", text)


def _plugin(program: str | None, options: str | None) -> PluginSettings | None:
    if program is None and options:
        raise ConfigError("--plugin-opts are the options of a --plugin, which is not given")
    return None if program is None else PluginSettings(program, options or "")


def _users(name: str | None, password: str | None) -> tuple[tuple[str, Secret], ...]:
    if name is None and password is None:
        return ()
    if not name or not password:
        raise ConfigError("--user and --pass are given together, and not empty")
    for text in (name, password):
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise ConfigError("--user and --pass must be valid UTF-8") from None
        if size > _MOST_CREDENTIALS:
            raise ConfigError(f"--user and --pass have at most {_MOST_CREDENTIALS} bytes each (RFC 1929)")
    return ((name, Secret(password)),)

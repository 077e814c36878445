"""One server of a document: the same things under other names in every format."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from ssgui.config.classic_values import is_off
from ssgui.config.documents.result import ImportedServer, Ledger, shown
from ssgui.config.models import PluginSettings, ServerProfile
from ssgui.config.secret import Secret
from ssgui.config.values import REFUSED_PASSWORD, ConfigError, parse_host, parse_password, parse_port
from ssgui.protocol.errors import LocalProtocolError
from ssgui.protocol.methods import METHODS, check_password, find_method
from ssgui.protocol.sip022 import METHODS_2022

_OTA = ("one_time_auth", "auth", "OTA", "ota")
_YES = (True, 1, "true", "True", "1")
_WILDCARDS = ("0.0.0.0", "::")  # noqa: S104
_MAX_KEPT = 2000  # values of one custom field
_MAX_DEPTH = 20
Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """The keys of a format, each with the names that it goes by; the first that is there counts.

    `silent` are keys that say nothing, or nothing that is not true of every server.
    """

    host: tuple[str, ...] = ("server", "address", "host")
    port: tuple[str, ...] = ("server_port", "port")
    method: tuple[str, ...] = ("method",)
    password: tuple[str, ...] = ("password",)
    remarks: tuple[str, ...] = ("remarks", "name", "profile", "tag")
    identity: tuple[str, ...] = ("id",)
    group: tuple[str, ...] = ("group",)
    plugin: tuple[str, ...] = ("plugin",)
    options: tuple[str, ...] = ("plugin_opts", "plugin_options")
    arguments: tuple[str, ...] = ("plugin_args", "plugin_arg")
    silent: frozenset[str] = frozenset()
    default_method: str = ""

    def known(self) -> Iterator[str]:
        """Every name."""
        for names in (
            self.host, self.port, self.method, self.password, self.remarks, self.identity, self.group, self.plugin,
            self.options, self.arguments, self.silent,
        ):  # fmt: skip
            yield from names


COMMON: Final = Names()


def read_entry(ledger: Ledger, where: str, item: Any, names: Names = COMMON) -> None:
    """Take the server that `item` describes, or note why not."""
    with ledger.reading(where):
        if not isinstance(item, dict):
            raise ConfigError("it is no object")
        tree = {str(key): value for key, value in item.items() if value is not None}
        _refuse_other_kinds(tree)
        host = _first(tree, names.host)
        if is_off(host):
            raise ConfigError("it has no server address")
        port = _first(tree, names.port)
        if port is None:
            raise ConfigError("it has no port")
        method = read_text(_first(tree, names.method), "its method") or names.default_method
        if not method:
            raise ConfigError("it has no method")
        server = ServerProfile(
            parse_host(read_text(host, "its server address")),
            read_port(port),
            method,
            read_password(_first(tree, names.password), sealed="sealed" in tree),
            read_name(_first(tree, names.remarks)),
            _plugin(tree, names),
        )
        known = set(names.known())
        custom = {key: _kept(ledger, where, key, value) for key, value in tree.items() if key not in known}
        take_server(
            ledger, where, server,
            identity=read_name(_first(tree, names.identity)),
            group=read_name(_first(tree, names.group)),
            custom={key: value for key, value in custom.items() if not is_off(value)},
        )  # fmt: skip


def take_server(
    ledger: Ledger, where: str, server: ServerProfile, *, identity: str = "", group: str = "",
    custom: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Take `server` under its method's own name, and remark what a person should know about it."""
    method, remarks = judge_method(server.method, server.password.reveal())
    if server.password.reveal() == REFUSED_PASSWORD:
        remarks.append("its password is the one of the sample file, which everybody knows")
    if server.host in _WILDCARDS:
        remarks.append(f"{server.host} is where a server listens, not where it is: give its address")
    if server.plugin is not None:
        remarks.append(f"its plugin {shown(server.plugin.program)} asks before it is started for the first time")
    profile = ServerProfile(server.host, server.port, method, server.password, server.remarks, server.plugin)
    ledger.take(where, ImportedServer(profile, identity, group, custom or {}))
    for remark in remarks:
        ledger.remark(where, remark)


def judge_method(name: str, password: str) -> tuple[str, list[str]]:
    """The method's one name, and what is wrong with it or with its password. ConfigError for One-Time Auth."""
    lower = name.strip().lower()
    if lower.endswith(("-auth", "!")):
        raise ConfigError("it asks for One-Time Auth (OTA), which the AEAD methods replaced")
    try:
        method = find_method(name)
    except LocalProtocolError as error:
        what = str(error).partition(";")[0]
        return lower, [what if "does not protect" not in what else f"insecure: {what}"]
    if method.name not in METHODS and method.name not in METHODS_2022:
        return method.name, [f"insecure: the old method {shown(method.name)} does not protect against changes"]
    try:
        check_password(method, password)
    except LocalProtocolError as error:
        return method.name, [str(error)]
    return method.name, []


def _refuse_other_kinds(tree: Tree) -> None:
    for key in _OTA:
        if tree.get(key) in _YES:
            raise ConfigError(f"{shown(key)}: it asks for One-Time Auth (OTA), which the AEAD methods replaced")
    kind = tree.get("type")
    if isinstance(kind, str) and kind.lower() not in ("", "ss", "shadowsocks"):
        raise ConfigError(f"servers of the type {shown(kind)} are not supported, only Shadowsocks")
    for key, plain in (("protocol", "origin"), ("obfs", "plain")):
        value = tree.get(key, "")
        if "plugin" not in tree and isinstance(value, str) and value.lower() not in ("", plain, "shadowsocks", "ss"):
            raise ConfigError(f"{shown(key)} {shown(value)}: it is no server of Shadowsocks (of ShadowsocksR, perhaps)")


def read_text(value: Any, what: str) -> str:
    """Text, or a whole number that stands where text should; "" for nothing. The message shows no value."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _digits(value, what)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{what} must be text")
    return (value or "").strip()


def _digits(value: int, what: str) -> str:
    try:
        return str(value)
    except ValueError:  # thousands of digits
        raise ConfigError(f"{what} is no such number") from None


def read_port(value: Any) -> int:
    """A port, also as text or as 8388.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return parse_port(read_text(value, "its port"))


def read_password(value: Any, *, sealed: bool = False) -> Secret:
    """A password; blanks at its ends are part of it. The sample file's is taken: it is a server that somebody has."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = _digits(value, "its password")
    if value is not None and not isinstance(value, str):
        raise ConfigError("its password must be text")
    if not value:
        raise ConfigError("its password is sealed with the system's keyring" if sealed else "it has no password")
    return Secret(value) if value == REFUSED_PASSWORD else parse_password(value)


def read_name(value: Any) -> str:
    """Text for people: what it is not, is left out."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 64 else value
    return text.encode("utf-8", "replace").decode().strip() if isinstance(text, str) else ""


def _plugin(tree: Tree, names: Names) -> PluginSettings | None:
    program = read_text(_first(tree, names.plugin), "its plugin")
    if not program or program.lower() == "none":
        return None
    options = read_text(_first(tree, names.options), "the options of its plugin")
    arguments = _first(tree, names.arguments)
    words = arguments if isinstance(arguments, list) else _words(read_text(arguments, "the arguments of its plugin"))
    texts = [program, options, *(read_text(word, "the arguments of its plugin") for word in words)]
    if any("\0" in text or text != text.encode("utf-8", "replace").decode() for text in texts):
        raise ConfigError("its plugin, or an option of it, is no proper text")
    return PluginSettings(program, options, tuple(texts[2:]))


def _words(text: str) -> list[str]:
    """Arguments of a command line; Windows paths keep their backslashes."""
    try:
        words = shlex.shlex(text, posix=True, punctuation_chars=False)
        words.whitespace_split, words.escape, words.commenters = True, "", ""
        return list(words)
    except ValueError:
        raise ConfigError("the arguments of its plugin have a quotation mark without its other half") from None


def _first(tree: Tree, names: tuple[str, ...]) -> Any:
    return next((tree[name] for name in names if name in tree), None)


def _kept(ledger: Ledger, where: str, key: str, value: Any) -> Any:
    """`value` as JSON can have it; None, and a remark, if it cannot or is too much."""
    try:
        return plain_copy(value)
    except ConfigError as error:
        ledger.remark(where, f"{shown(key)} is not kept: {error}")
        return None


def plain_copy(value: Any) -> Any:
    """A copy that shares nothing and that JSON can have. References that unfold without end are refused."""
    left = _MAX_KEPT

    def copied(value: Any, depth: int) -> Any:
        nonlocal left
        left -= 1
        if left < 0 or depth > _MAX_DEPTH:
            raise ConfigError("it is too large")
        if isinstance(value, dict):
            return {str(key): copied(one, depth + 1) for key, one in value.items()}
        if isinstance(value, list):
            return [copied(one, depth + 1) for one in value]
        if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and isfinite(value)):
            return value
        raise ConfigError("it is no text, number or list")

    return copied(value, 0)

"""Reads an access list from its file."""

from pathlib import Path

from ssgui.config.values import ConfigError
from ssgui.rules.acl import Acl, parse_acl

MAX_ACL = 8 << 20


def read_acl(path: str) -> Acl:
    """The list in `path`. ConfigError, with its name, when it cannot be read; bad lines are in `problems`."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_ACL + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_ACL:
        raise ConfigError(f"{path}: too large for an access list (more than {MAX_ACL >> 20} MiB)")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: line {line}: not UTF-8") from None
    return parse_acl(text, path)


def acl_warnings(acl: Acl) -> list[str]:
    """What of the list is not used, for the log: the first lines one by one."""
    shown = [f"{acl.name}: {problem}" for problem in acl.problems[:10]]
    if len(acl.problems) > len(shown):
        shown.append(f"{acl.name}: and {len(acl.problems) - len(shown)} more lines that are not understood")
    return shown

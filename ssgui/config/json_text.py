"""JSON as people write it: with comments and a comma after the last item, as shadowsocks-rust takes it too."""

import json
import re
from typing import Any

from ssgui.config.values import ConfigError

# A string, which is left alone, or what JSON does not have.
_STRING = r'"(?:[^"\\]++|\\.)*+"?'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LAST_COMMA = re.compile(rf"{_STRING}|,(?=\s*[\]}}])", re.DOTALL)


def parse_json(data: bytes) -> Any:
    """The value in `data`; ConfigError with line and column."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"not UTF-8: byte {error.start + 1}") from None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass  # tried once more below, without what is no JSON
    try:
        return json.loads(_LAST_COMMA.sub(_blank, _COMMENT.sub(_blank, text)))
    except json.JSONDecodeError as error:
        raise ConfigError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError):  # a number of thousands of digits; brackets by the thousand
        raise ConfigError("not a configuration: a number or a nesting without end") from None


def _blank(found: re.Match[str]) -> str:
    """Blanks in its place, so that lines and columns stay what they are."""
    text = found[0]
    return text if text.startswith('"') else re.sub(r"[^\n]", " ", text)

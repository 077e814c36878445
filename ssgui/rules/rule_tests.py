"""Whether one rule matches one URL: the meaning of each kind, in one place."""

import re
from collections.abc import Callable
from functools import lru_cache

from ssgui.rules.address_forms import Form
from ssgui.rules.model import Kind, Rule
from ssgui.rules.url_regex import glob

ENDS_OF_HOST = ":/?"


def matches(rule: Rule, form: Form) -> bool:
    """Whether `rule` knows `form`."""
    return _TESTS[rule.kind](rule.pattern, form)


def _suffix(pattern: str, form: Form) -> bool:
    return form.host == pattern or form.host.endswith("." + pattern)


def _prefix(pattern: str, form: Form) -> bool:
    return begins_with(form.url, pattern)


def begins_with(url: str, prefix: str) -> bool:
    """Whether `url` begins so; a prefix that ends with the host ends at a boundary."""
    if not url.startswith(prefix):
        return False
    return "/" in prefix[prefix.index("://") + 3 :] or url[len(prefix) : len(prefix) + 1] in ENDS_OF_HOST


def _text(pattern: str, form: Form) -> bool:
    if form.scheme != "http":
        return False
    return pattern in form.url if "*" not in pattern else compiled(text_regex(pattern)).search(form.url) is not None


def text_regex(pattern: str) -> str:
    """A TEXT pattern as a regular expression for http: URLs."""
    return glob([re.escape(part) for part in pattern.split("*")], ".")


@lru_cache(maxsize=8192)  # lists come and go
def compiled(pattern: str) -> re.Pattern[str]:
    """A portable pattern, for `search`."""
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


_TESTS: dict[Kind, Callable[[str, Form], bool]] = {
    Kind.SUFFIX: _suffix,
    Kind.HOST: lambda pattern, form: form.host == pattern,
    Kind.KEYWORD: lambda pattern, form: pattern in form.host,
    Kind.HOST_REGEX: lambda pattern, form: compiled(pattern).search(form.host) is not None,
    Kind.PREFIX: _prefix,
    Kind.TEXT: _text,
    Kind.URL_REGEX: lambda pattern, form: compiled(pattern).search(form.url) is not None,
}

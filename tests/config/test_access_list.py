"""The file of an access list."""

from pathlib import Path

import pytest

from ssgui.config.access_list import MAX_ACL, acl_warnings, read_acl
from ssgui.config.values import ConfigError
from ssgui.rules.acl import Route


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "my.acl"
    path.write_bytes(b"\xef\xbb\xbf[bypass_all]\r\n[proxy_list]\r\n||example.com\r\n(\r\n")
    acl = read_acl(str(path))
    assert acl.decide("example.com").route is Route.PROXY
    assert acl.decide("example.org").route is Route.DIRECT
    (warning,) = acl_warnings(acl)
    assert warning.startswith(f"{path}: line 4: (: not a regular expression")


def test_many_warnings_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "my.acl"
    path.write_text("(\n" * 30)
    assert len(acl_warnings(read_acl(str(path)))) == 11
    assert acl_warnings(read_acl(str(path)))[-1].endswith("and 20 more lines that are not understood")


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.acl: No such file"):
        read_acl(str(tmp_path / "none.acl"))
    with pytest.raises(ConfigError, match="directory"):
        read_acl(str(tmp_path))
    path = tmp_path / "bad.acl"
    path.write_bytes(b"a\nb\n\xff\n")
    with pytest.raises(ConfigError, match=r"bad\.acl: line 3: not UTF-8"):
        read_acl(str(path))
    path.write_bytes(b"#" * (MAX_ACL + 1))
    with pytest.raises(ConfigError, match="too large"):
        read_acl(str(path))

"""Runs a PAC where browsers would: in a JavaScript engine. Node, or the one that Qt brings."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
_SCRIPT = """
const fs = require("fs"), [pac, urls] = process.argv.slice(1).map(name => fs.readFileSync(name, "utf8"));
const find = new Function(pac + ";return FindProxyForURL")();
console.log(JSON.stringify(JSON.parse(urls).map(([url, host]) => find(url, host))));
"""


def has_node() -> bool:
    return shutil.which("node") is not None


def node(pac: bytes, pairs: Sequence[tuple[str, str]], *flags: str) -> list[str]:
    """What the PAC says of each (URL, host)."""
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder) / "x.pac", Path(folder) / "urls.json"
        one.write_bytes(pac)
        two.write_text(json.dumps(list(pairs)))
        command = ["node", *flags, "-e", _SCRIPT, str(one), str(two)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    found: list[str] = json.loads(done.stdout)
    return found


def qt(pac: bytes, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """The same in QJSEngine."""
    asked = json.dumps(json.dumps(list(pairs)))
    code = f"JSON.stringify(JSON.parse({asked}).map(function (one) {{ return FindProxyForURL(one[0], one[1]); }}))"
    found: list[str] = evaluated(pac, code)
    return found


def evaluated(pac: bytes, code: str) -> Any:
    """What `code`, which makes JSON, gives in QJSEngine where `pac` was read."""
    from PySide6.QtQml import QJSEngine
    from PySide6.QtWidgets import QApplication

    # There is one application in a process, and the tests of the window want it to have widgets.
    application = QApplication.instance() or QApplication(["ssgui"])
    engine = QJSEngine()
    found: Any = None
    for text in (pac.decode("ascii"), code):
        found = engine.evaluate(text)
        assert not found.isError(), found.toString()
    assert application is not None
    return json.loads(found.toString())


def as_browser(url: str) -> tuple[str, str]:
    """What a browser hands to a PAC for `url`: names in lower case and Punycode, the host without port and brackets."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    authority, mark, query = authority.partition("?")
    written = authority if authority.isascii() else authority.encode("idna").decode()
    host = written.rpartition("@")[2].lower()
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return f"{scheme}://{written}{mark}{query}{slash}{path}", host

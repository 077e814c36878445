"""Runs a PAC where browsers would: in a JavaScript engine. Node, or the one that Qt brings."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROUTES = {"DIRECT": "direct"}
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
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    found: list[str] = json.loads(done.stdout)
    return found


def qt(pac: bytes, pairs: Sequence[tuple[str, str]]) -> list[str]:
    """The same in QJSEngine."""
    from PySide6.QtCore import QCoreApplication
    from PySide6.QtQml import QJSEngine

    application = QCoreApplication.instance() or QCoreApplication([])
    engine = QJSEngine()
    engine.evaluate(pac.decode("ascii"))
    assert not engine.hasError(), engine.catchError().toString()
    find = engine.globalObject().property("FindProxyForURL")
    found = [find.call([engine.toScriptValue(url), engine.toScriptValue(host)]).toString() for url, host in pairs]
    assert application is not None
    return found


def browser_host(url: str) -> str:
    """The host that a browser hands to a PAC with `url`: lower case, no port, no brackets."""
    authority = url.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]
    if authority.startswith("["):
        return authority[1:].partition("]")[0].lower()
    return authority.partition(":")[0].lower()

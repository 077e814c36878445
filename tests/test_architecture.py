"""The rules of the house, checked: who may import whom, and how big a room may grow (docs/architecture.md)."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ssgui"
MOST_LINES, MOST_FUNCTION_LINES = 500, 60

# What each room may import from the others. `cli` also imports `gui`, inside one function.
MAY_IMPORT: dict[str, set[str]] = {
    "protocol": set(),
    "rules": set(),
    "config": {"protocol", "rules"},
    "engine": {"protocol", "rules", "config"},
    "system": {"protocol", "rules", "config"},
    "services": {"protocol", "rules", "config", "engine", "system"},
    "app": {"protocol", "rules", "config", "engine", "system", "services"},
    "gui": {"protocol", "rules", "config", "engine", "system", "services", "app"},
    "cli": {"app", "config", "protocol", "engine", "system"},
    "__main__": {"cli"},
    "assets": set(),
}
PURE = ("protocol", "rules")
IMPURE_MODULES = {"socket", "asyncio", "time", "random", "secrets", "ssl", "threading", "select", "selectors", "os"}
QT = {"PySide6", "qasync"}


def room_of(module: str) -> str:
    """The room of `ssgui.room.file`."""
    return module.split(".")[1] if "." in module else "__init__"


def imports(tree: ast.Module) -> Iterator[tuple[str, int, bool]]:
    """Every imported module, its line, and whether that is inside a function."""
    inside = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, id(node) in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: imports are absolute"
            yield node.module or "", node.lineno, id(node) in inside


def faults(module: str, source: str) -> list[str]:
    """What is wrong with the source of `module` ("ssgui.engine.leg"), each with its line."""
    tree = ast.parse(source)
    room = room_of(module)
    found = [fault for name, line, inner in imports(tree) if (fault := _import_fault(room, name, line, inner))]
    if ast.get_docstring(tree) is None:
        found.append("no docstring")
    if (lines := source.count("\n")) > MOST_LINES:
        found.append(f"{lines} lines; split it by meaning")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > MOST_FUNCTION_LINES:
                found.append(f"line {node.lineno}: {node.name} has {size} lines")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name, line = node.func.attr, node.lineno
            if name in ("create_task", "ensure_future") and module != "ssgui.engine.tasks":
                found.append(f"line {line}: tasks are started by ssgui.engine.tasks.spawn")
            if room == "gui" and name in ("exec", "exec_", "processEvents"):
                found.append(f"line {line}: {name}() nests a Qt loop and hangs every other task")
    return found


def _import_fault(room: str, name: str, line: int, inner: bool) -> str | None:
    top = name.split(".")[0]
    if top in QT and room != "gui":
        return f"line {line}: only gui imports {top}"
    if room in PURE and top in IMPURE_MODULES:
        return f"line {line}: {room} is pure and imports {top}"
    if top != "ssgui" or name == "ssgui":
        return None
    other = room_of(name)
    if other == room or other in MAY_IMPORT.get(room, set()):
        return None
    if room == "cli" and other == "gui" and inner:
        return None
    return f"line {line}: {room} must not import {other}"


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_module(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    assert not faults(module, path.read_text())


@pytest.mark.parametrize(
    ("module", "source", "word"),
    [
        ("ssgui.protocol.x", '"""D."""\nimport socket\n', "pure"),
        ("ssgui.protocol.x", '"""D."""\nfrom ssgui.config.models import A\n', "must not import config"),
        ("ssgui.engine.x", '"""D."""\nfrom ssgui.app.y import z\n', "must not import app"),
        ("ssgui.system.x", '"""D."""\nfrom ssgui.engine.tasks import spawn\n', "must not import engine"),
        ("ssgui.app.x", '"""D."""\nimport PySide6.QtCore\n', "only gui"),
        ("ssgui.cli", '"""D."""\nfrom ssgui.gui.desktop import run\n', "must not import gui"),
        ("ssgui.app.x", '"""D."""\nimport asyncio\nasyncio.create_task(1)\n', "spawn"),
        ("ssgui.gui.x", '"""D."""\ndialog.exec()\n', "nests"),
        ("ssgui.app.x", "import sys\n", "docstring"),
        ("ssgui.app.x", '"""D."""\n' + "x = 1\n" * 501, "split it"),
        ("ssgui.app.x", '"""D."""\ndef f():\n' + "    x = 1\n" * 61, "f has 62 lines"),
    ],
)
def test_the_rules_can_be_broken(module: str, source: str, word: str) -> None:
    assert any(word in fault for fault in faults(module, source))


def test_cli_may_import_the_window_inside_a_function() -> None:
    assert not faults("ssgui.cli", '"""D."""\ndef f():\n    from ssgui.gui.desktop import run\n    run()\n')


BLOCK_QT = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("PySide6", "qasync", "shiboken6"):
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Block())
"""


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("command", ["local", "server"])
def test_headless_works_without_qt(command: str) -> None:
    code = f"{BLOCK_QT}\nfrom ssgui.cli import main\nsys.exit(main(['--headless', '{command}', '--help']))"
    assert "Usage" in run_python(code)


def test_headless_loads_no_qt() -> None:
    code = "import sys, ssgui.cli, ssgui.app.headless, ssgui.app.demo\nprint([m for m in sys.modules])"
    loaded = set(re.findall(r"'([^'.]+)", run_python(code)))
    assert "ssgui" in loaded
    assert not loaded & (QT | {"shiboken6"})


def test_the_engine_loads_nothing_slow() -> None:
    code = "import sys, ssgui.engine.engine\nprint([m for m in sys.modules])"
    loaded = set(re.findall(r"'([^'.]+)", run_python(code)))
    assert "ssgui" in loaded
    assert not loaded & {"httpx", "rich", "segno", "aiodns", "keyring", "click"}


def test_the_commands_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert {"run", "test"} <= named <= targets
    assert {"run", "test", "test-all", "check", "lint", "types", "bench", "deps", "clean"} <= targets


def test_nothing_names_a_place_of_one_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, timeout=60)
    if listed.returncode:
        pytest.skip("git: this is not a checkout")
    places = re.compile(r"/(?:work|root|home/[a-z]+)/|(?<![.\w])/tmp/[a-z]")
    for name in listed.stdout.split():
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".sh") and path != Path(__file__):
            assert not places.search(path.read_text()), name

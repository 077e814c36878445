"""The rules of the house, checked: who may import whom, and how big a room may grow (docs/architecture.md)."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ssgui"
MOST_LINES, MOST_FUNCTION_LINES = 500, 60

# What each room may import from the others. `cli` also imports `gui`, inside one function and no second.
MAY_IMPORT: dict[str, set[str]] = {
    "protocol": set(),
    "rules": set(),
    "config": {"protocol", "rules"},
    "engine": {"protocol", "rules", "config"},
    "system": {"protocol", "rules", "config"},
    "services": {"protocol", "rules", "config", "engine", "system", "assets"},
    "app": {"protocol", "rules", "config", "engine", "system", "services", "assets"},
    "gui": {"protocol", "rules", "config", "engine", "system", "services", "app", "assets"},
    "cli": {"app", "config", "protocol", "engine", "system", "cli_flags"},
    "cli_flags": {"config"},
    "__main__": {"cli", "system"},
    "assets": set(),
}
PURE = ("protocol", "rules")
IMPURE_MODULES = {"socket", "asyncio", "time", "random", "secrets", "ssl", "threading", "select", "selectors", "os"}
QT = {"PySide6", "qasync"}
THE_LOOP = "ssgui.gui.event_loop"  # the one place that runs the application


def room_of(module: str) -> str:
    """The room of `ssgui.room.file`."""
    return module.split(".")[1] if "." in module else "__init__"


def imports(tree: ast.Module) -> Iterator[tuple[str, int, str | None]]:
    """Every imported module, its line, and the outermost function that it is inside of."""
    inside: dict[ast.AST, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for child in ast.walk(node):
                inside.setdefault(child, node.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, inside.get(node)) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "ssgui":
            rooms = [f"ssgui.{alias.name}" for alias in node.names if alias.name in MAY_IMPORT]
            yield from ((name, node.lineno, inside.get(node)) for name in rooms or ["ssgui"])
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), node.lineno, inside.get(node)


def faults(module: str, source: str) -> list[str]:
    """What is wrong with the source of `module` ("ssgui.engine.leg"), each with its line."""
    tree = ast.parse(source)
    room = room_of(module)
    imported = list(imports(tree))
    found = [fault for name, line, function in imported if (fault := _import_fault(room, name, line, function))]
    if len({function for name, _, function in imported if name.startswith("ssgui.gui")}) > 1 and room != "gui":
        found.append("more than one function imports gui")
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
            if room == "gui" and module != THE_LOOP and name in ("exec", "exec_", "processEvents"):
                found.append(f"line {line}: {name}() nests a Qt loop and hangs every other task")
    return found


def _import_fault(room: str, name: str, line: int, function: str | None) -> str | None:
    top = name.split(".")[0]
    if not top:
        return f"line {line}: imports are absolute"
    if top in QT and room != "gui":
        return f"line {line}: only gui imports {top}"
    if room in PURE and top in IMPURE_MODULES:
        return f"line {line}: {room} is pure and imports {top}"
    if top != "ssgui" or name == "ssgui":
        return None
    other = room_of(name)
    if other == room or other in MAY_IMPORT.get(room, set()):
        return None
    if room == "cli" and other == "gui" and function:
        return None
    return f"line {line}: {room} must not import {other}"


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_module(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    assert not faults(module, path.read_text())


IMPORTS_GUI = "def {}():\n    from ssgui.gui.desktop import run\n    run()\n"


@pytest.mark.parametrize(
    ("module", "source", "word"),
    [
        ("ssgui.protocol.x", '"""D."""\nimport socket\n', "pure"),
        ("ssgui.protocol.x", '"""D."""\nfrom ssgui.config.models import A\n', "must not import config"),
        ("ssgui.engine.x", '"""D."""\nfrom ssgui.app.y import z\n', "must not import app"),
        ("ssgui.system.x", '"""D."""\nfrom ssgui.engine.tasks import spawn\n', "must not import engine"),
        ("ssgui.config.x", '"""D."""\nfrom ssgui import engine\n', "must not import engine"),
        ("ssgui.config.x", '"""D."""\nfrom ..engine import leg\n', "absolute"),
        ("ssgui.rules.x", '"""D."""\nfrom os import urandom\n', "pure"),
        ("ssgui.app.x", '"""D."""\nimport PySide6.QtCore\n', "only gui"),
        ("ssgui.app.x", '"""D."""\ndef f():\n    from qasync import QEventLoop\n', "only gui"),
        ("ssgui.cli", '"""D."""\nfrom ssgui.gui.desktop import run\n', "must not import gui"),
        ("ssgui.cli", f'"""D."""\n{IMPORTS_GUI.format("f")}{IMPORTS_GUI.format("g")}', "more than one"),
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
    assert not faults("ssgui.cli", f'"""D."""\n{IMPORTS_GUI.format("f")}')


BLOCK_QT = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("PySide6", "qasync", "shiboken6"):
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Block())
"""


def run_python(code: str, *path: Path) -> str:
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT)))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_by(modules: str, *path: Path) -> set[str]:
    """The top packages that are loaded once `modules` are imported."""
    return set(run_python(f"import sys, {modules}\nprint(*{{m.split('.')[0] for m in sys.modules}})", *path).split())


@pytest.mark.parametrize("command", ["local", "server"])
def test_headless_works_without_qt(command: str) -> None:
    code = f"{BLOCK_QT}\nfrom ssgui.cli import main\nsys.exit(main(['--headless', '{command}', '--help']))"
    assert "Usage" in run_python(code)


def test_headless_loads_no_qt_even_where_it_is(tmp_path: Path) -> None:
    for name in QT:
        (tmp_path / f"{name}.py").touch()
    assert loaded_by("PySide6, qasync", tmp_path) >= QT
    loaded = loaded_by("ssgui.cli, ssgui.app.headless.run, ssgui.app.demo.command", tmp_path)
    assert "ssgui" in loaded
    assert not loaded & QT


def test_the_engine_loads_nothing_slow() -> None:
    loaded = loaded_by("ssgui.engine.engine")
    assert "ssgui" in loaded
    assert not loaded & {"httpx", "rich", "segno", "aiodns", "keyring", "click"}

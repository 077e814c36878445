"""What a process loads before anybody watches it."""

from tests.test_architecture import loaded_by, run_python


def test_rich_waits_until_it_is_wanted() -> None:
    loaded = loaded_by("ssgui.cli, ssgui.app.headless.run, ssgui.services.control.watch, ssgui.app.monitor.command")
    assert "ssgui" in loaded
    assert not loaded & {"rich", "httpx", "PySide6", "aiodns", "keyring"}


def test_a_process_without_a_window_carries_none_of_the_app() -> None:
    loaded = run_python("import sys, ssgui.app.headless.run\nprint(*sys.modules)").split()
    assert "ssgui.app.watching" in loaded
    assert not [name for name in loaded if name.startswith(("ssgui.gui", "ssgui.app.context", "ssgui.app.monitor"))]


def test_lines_for_scripts_need_no_rich() -> None:
    code = "import sys\nfrom ssgui.cli import main\nmain(['monitor', '--list', '--json'])\nprint('rich' in sys.modules)"
    assert run_python(code).split()[-1] == "False"

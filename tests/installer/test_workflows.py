"""The workflows of a public host: they are well formed, careful, and name only what is there."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
NAMED = {"ci.yml", "installers.yml", "release.yml"}
# Folders and files that a workflow's commands may make before they use them.
MADE = re.compile(r"^(?:build|dist)/")


def load(path: Path) -> dict[str, Any]:
    tree = yaml.safe_load(path.read_text("utf-8"))
    tree["on"] = tree.pop(True, tree.get("on"))  # YAML 1.1 takes the word for a truth
    found: dict[str, Any] = tree
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in load(path)["jobs"].values() for step in job.get("steps", [])]


def test_there_are_workflows() -> None:
    assert {path.name for path in WORKFLOWS} == NAMED


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_is_careful(path: Path) -> None:
    tree = load(path)
    assert tree["permissions"] == {"contents": "read"}
    assert tree["on"], "it never runs"
    for name, job in tree["jobs"].items():
        if "uses" in job:
            assert (ROOT / job["uses"]).is_file()
            continue
        assert job["timeout-minutes"] <= 60, name
        assert job["runs-on"], name
        for needed in [job.get("needs", [])] if isinstance(job.get("needs"), str) else job.get("needs", []):
            assert needed in tree["jobs"]
    for step in steps(path):
        assert ("uses" in step) != ("run" in step)
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]), step


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_names_only_what_is_there(path: Path) -> None:
    commands = "\n".join(step["run"] for step in steps(path) if "run" in step)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", commands)) <= targets
    for name in re.findall(r"(?<![\w./-])((?:tools|tests|\.ci|ssgui)/[\w./-]+)", commands):
        assert (ROOT / name).exists(), name
    assert "${{ github.event" not in commands, "what strangers write is no command"


def test_every_system_has_its_installer_and_its_selftest() -> None:
    tree = load(ROOT / ".github/workflows/installers.yml")
    for job, tool in {
        "linux": "make installer",
        "windows": "tools/package-windows",
        "macos": "tools/package-macos",
    }.items():
        commands = "\n".join(step.get("run", "") for step in tree["jobs"][job]["steps"])
        assert tool in commands
        assert "selftest" in commands or "installer-drill" in commands

"""What the papers of the house say, checked: commands, files and flags that they name, and the licence."""

import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from ssgui import __version__
from ssgui.engine.stages import Reason
from ssgui.protocol.methods import METHODS
from ssgui.protocol.sip022 import METHODS_2022
from tests.support.programs import require

ROOT = Path(__file__).parents[1]
PAPERS = ("README.md", "docs/manual.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md", "docs/many-hosts.md")
TARGETS = {"run", "test", "test-all", "check", "lint", "types", "bench", "man", "peers", "installer", "deps", "clean"}
BINARY = {".png", ".ico", ".icns", ".qm"}
# A path of one machine: somebody's home, or a directory that only there exists.
PLACES = re.compile(r"(?<![\w.])/(?:work|root|tmp|home|Users|mnt)/\w")
MERGE_MARK = re.compile(r"^(?:<{7}|>{7}|={7})(?: |$)", re.MULTILINE)


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@cache
def files() -> list[str]:
    """Every file of the repository."""
    command = [require("git"), "ls-files", "-z"]
    listed = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    if listed.returncode:
        pytest.skip("git: this is not a checkout")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def blemishes(name: str, text: str) -> list[str]:
    """What no text file of ours may hold."""
    found = [f"names {match[0]}…, a place of one machine" for match in PLACES.finditer(text)]
    if MERGE_MARK.search(text):
        found.append("has a merge mark")
    if "\t" in text and name != "Makefile":
        found.append("has a tab")
    if "\r" in text:
        found.append("has a carriage return")
    if text and not text.endswith("\n"):
        found.append("does not end with a newline")
    if re.search(r"[ \t]$", text, re.MULTILINE):
        found.append("has blanks at the end of a line")
    return found


def test_every_file_is_clean() -> None:
    texts = [name for name in files() if Path(name).suffix not in BINARY and "vectors" not in Path(name).parts]
    assert "Makefile" in texts
    found = {name: blemishes(name, read(name)) for name in texts if ROOT / name != Path(__file__)}
    assert not {name: faults for name, faults in found.items() if faults}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("see /" + "home/ann/notes\n", "place"),
        ("<" * 7 + " HEAD\n", "merge"),
        ("=" * 7 + "\n", "merge"),
        ("a\tb\n", "tab"),
        ("a\r\n", "carriage"),
        ("a", "newline"),
        ("a \n", "blanks"),
    ],
)
def test_a_blemish_is_seen(text: str, word: str) -> None:
    assert any(word in fault for fault in blemishes("x.py", text))


def test_commands_that_the_papers_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert targets >= TARGETS
    for paper in PAPERS:
        named = set(re.findall(r"(?:`|^ {4})make ([a-z-]+)", read(paper), re.MULTILINE))
        assert named <= targets, paper
        if paper == "README.md":
            assert {"run", "test"} <= named


def test_files_that_the_papers_name_exist() -> None:
    named = {
        (paper, name)
        for paper in PAPERS
        for name in re.findall(
            r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|md|json)|(?:docs|tests|engine|app)/[\w/]*)`", read(paper)
        )
    }
    assert len(named) > 20
    here = [ROOT, ROOT / "ssgui", ROOT / "ssgui/engine", ROOT / "ssgui/app", ROOT / "tests/engine"]
    missing = {(paper, name) for paper, name in named if not any((folder / name).exists() for folder in here)}
    assert not missing


def test_flags_that_the_readme_names_exist() -> None:
    named = set(
        re.findall(
            r"(?<![\w-])--?[a-zA-Z][a-z0-9-]*",
            " ".join(re.findall(r"`[^`\n]*ssgui[^`\n]*`|`-[^`]*`", read("README.md") + read("docs/manual.md"))),
        )
    )
    assert {"--events", "--password-file", "-c", "-k"} <= named
    texts = read("ssgui/cli.py") + read("ssgui/cli_flags.py").replace("/--no-", '" "--no-')
    texts += read("ssgui/app/commands/documents.py") + read("ssgui/app/commands/diagnose.py")
    texts += read("ssgui/app/commands/pac.py")
    texts += read("ssgui/app/commands/uninstall.py").replace("/--purge", '" "--purge')
    texts += read("ssgui/app/monitor/command.py")
    known = set(re.findall(r'"(--?[a-zA-Z][a-z0-9-]*)"', texts)) | {"-h"}
    assert named <= known


def test_the_manual_knows_every_method_and_reason() -> None:
    manual = read("docs/manual.md")
    assert not [method for method in (*METHODS, *METHODS_2022) if f"`{method}`" not in manual]
    assert not [reason for reason in Reason if f"`{reason}`" not in manual]


def test_the_licence() -> None:
    text = read("LICENSE")
    assert "Apache License\n" in text
    assert "Version 2.0, January 2004" in text
    assert "9. Accepting Warranty or Additional Liability" in text
    assert 'license = "Apache-2.0"' in read("pyproject.toml")
    assert "Apache-2.0" in read("README.md")


def test_the_version_has_one_place() -> None:
    project = read("pyproject.toml")
    assert 'path = "ssgui/__init__.py"' in project
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    assert __version__ not in project


def test_changes_and_decisions_are_kept() -> None:
    assert re.search(r"^## Unreleased\n\n### .+\n\n\* ", read("CHANGELOG.md"), re.MULTILINE)
    decisions = sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md"))
    assert [int(name[:4]) for name in decisions] == list(range(1, len(decisions) + 1))
    for name in decisions:
        text = read(f"docs/decisions/{name}")
        assert re.search(r"\*\*Context\.\*\*.*\*\*Decision\.\*\*.*\*\*Consequences\.\*\*", text, re.DOTALL), name


def test_the_architecture_stays_two_pages() -> None:
    assert len(read("docs/architecture.md").split()) < 1200


@pytest.mark.parametrize("name", [".ci/run", *(f"tools/{path.name}" for path in sorted((ROOT / "tools").iterdir()))])
def test_scripts_run_and_are_strict(name: str) -> None:
    lines = read(name).splitlines()
    assert lines[0] in ("#!/bin/sh", "#!/usr/bin/env bash")
    assert lines[1].startswith("# ")
    assert os.access(ROOT / name, os.X_OK)
    if name == ".ci/run":
        assert "set -euo pipefail" in lines
        assert {"make test", "make check"} <= set(lines)

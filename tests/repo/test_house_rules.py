"""House rules that a machine can hold: sizes, names, what must never be committed."""

from __future__ import annotations

import ast
import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.syntax import tree

ROOT = Path(__file__).parents[2]
LONGEST_FILE, LONGEST_FUNCTION, MOST_POSITIONAL = 300, 45, 4
# Tables and generated files are as long as what they list.
TABLES = {"ambassadors/redis/podmates_redis/commands/builtin.py"}


def tracked(*patterns: str) -> list[str]:
    """Return the files under version control that match *patterns*; all below the root without git."""
    command = ["git", "-C", str(ROOT), "ls-files", "--", *patterns]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


SOURCES = tracked("*.py")


@pytest.mark.parametrize("name", [name for name in SOURCES if name not in TABLES])
def test_a_file_is_one_idea_long(name: str) -> None:
    assert len((ROOT / name).read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("name", [name for name in SOURCES if not name.startswith("tests/")])
def test_functions_are_short_and_take_few_positional_arguments(name: str) -> None:
    for node in ast.walk(tree(ROOT / name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            arguments = [a.arg for a in node.args.args if a.arg not in {"self", "cls"}]

            assert length <= LONGEST_FUNCTION, f"{node.name}: {length} lines"
            assert len(arguments) <= MOST_POSITIONAL or node.name == "__init__", node.name


def test_no_test_waits_blindly() -> None:
    found = [
        f"{name}:{number}"
        for name in tracked("tests/*.py")
        if name != "tests/repo/test_house_rules.py"
        and not name.startswith("tests/clients/programs/")  # applications, which do take their time
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1)
        if re.search(r"\btime\.sleep\(|\basyncio\.sleep\((?!0\))", line)
    ]

    assert found == []


def test_the_root_tells_what_this_is() -> None:
    for name in (
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "LICENSE",
        "docs/architecture.md",
    ):
        assert (ROOT / name).stat().st_size > 500, name


def test_the_changelog_has_a_place_for_what_comes_next() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text()


def test_no_change_is_told_twice() -> None:
    """Branches that are merged line by line leave both of what one of them has moved or gone on with."""
    text = (ROOT / "CHANGELOG.md").read_text()
    told = sorted(
        " ".join(item.split()) for item in re.split(r"\n(?=- |#|\n)", text) if item.startswith("- ")
    )

    assert [first for first, later in pairwise(told) if later.startswith(first)] == []


README_CHAPTERS = (
    "What you may rely on",
    "Smallest example",
    "Settings",
    "Metrics",
    "Probes and shutdown",
    "When something is wrong",
    "Limits",
    "Measured",
)


@pytest.mark.parametrize("folder", ["sidecars/gitsync", "ambassadors/redis", "adapters/metrics"])
def test_the_readme_of_a_service_has_its_chapters_in_order(folder: str) -> None:
    text = (ROOT / folder / "README.md").read_text()
    chapters = [line[3:].strip() for line in text.splitlines() if line.startswith("## ")]

    assert [c for c in chapters if c in README_CHAPTERS] == list(README_CHAPTERS)

"""A row of a compatibility page is a promise, so each names the test that shows it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from podmates_common.settings import options
from podmates_gitsync.metrics import APP_TOKENS, ASKPASS, DURATION, HOOKS, SYNCS, UPDATES
from podmates_gitsync.settings import PREFIX, Settings
from tests.support.redis_texts import TEXTS
from tests.support.syntax import tree

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "compatibility").glob("*.md"))
SYSTEMS = {"git-sync", "redis", "statsd_exporter", "jmx_exporter", "json_exporter"}
VERDICTS = ("same", "better", "different")
_TEST = re.compile(r"(tests/[\w/]+\.py)::(\w+)")


def rows(page: Path) -> list[list[str]]:
    """Return the cells of every promise on *page*: promise, verdict, tests."""
    cells = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        for line in page.read_text().splitlines()
        if line.startswith("|")
    ]
    return [row for row in cells if not set(row[0]) <= set("-: ") and row[0].lower() != "promise"]


def defined(path: Path) -> set[str]:
    return {n.name for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_there_is_a_page_for_every_system_that_we_stand_in_for() -> None:
    assert {page.stem for page in PAGES} == SYSTEMS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_row_has_a_verdict_and_names_an_existing_test(page: Path) -> None:
    promises = rows(page)
    assert promises
    known: dict[str, set[str]] = {}
    for row in promises:
        assert len(row) == 3, row
        assert row[1].startswith(VERDICTS), row
        assert row[1] == "same" or len(row[1]) > len("different "), f"say how or why: {row}"
        tests = _TEST.findall(row[2])
        assert tests, f"no test named: {row}"
        for file, name in tests:
            if file not in known:
                assert (ROOT / file).is_file(), row
                known[file] = defined(ROOT / file)
            assert name in known[file], row


def test_every_error_text_of_redis_has_its_row() -> None:
    page = (ROOT / "docs" / "compatibility" / "redis.md").read_text().replace("\\|", "|")

    assert [text for text in TEXTS if f"| `-{text.rstrip()}` |" not in page] == []


def test_every_name_of_git_sync_has_its_row() -> None:
    page = (ROOT / "docs" / "compatibility" / "git-sync.md").read_text()
    known = options(Settings, PREFIX)
    names = {name for row in known for name in row.variables if not name.startswith(PREFIX)}
    names |= {row.flag for row in known if row.flag and not row.variables[0].startswith(PREFIX)}
    names |= {row.flag for row in known if row.hidden} | {"--help", "--man", "--version", "-v", "-h", "-?"}
    metrics = (DURATION, SYNCS, UPDATES, HOOKS, ASKPASS, APP_TOKENS)
    names |= {metric.name for metric in metrics}

    assert {name for name in names if f"`{name}`" not in page} == set()

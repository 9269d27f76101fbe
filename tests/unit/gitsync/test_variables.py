"""Of several spellings of a variable the oldest one present wins, and is warned about."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from podmates_gitsync.flags.variables import read


class Row(NamedTuple):
    name: str
    variables: tuple[str, ...]


ROW = Row("ssh_key_file", ("GITSYNC_SSH_KEY_FILE", "GIT_SYNC_SSH_KEY_FILE", "GIT_SSH_KEY_FILE"))
NEW, OLD, OLDEST = ROW.variables
CASES: dict[str, tuple[dict[str, str], str | None, list[str]]] = {
    "none": ({}, None, []),
    "new": ({NEW: "a"}, "a", []),
    "empty is set": ({NEW: ""}, "", []),
    "old": ({OLD: "b"}, "b", [f"env {OLD} has been deprecated, use {NEW} instead"]),
    "new and old": (
        {NEW: "a", OLD: "b"},
        "b",
        [f"env {OLD} has been deprecated, use {NEW} instead", f"env {NEW} was overridden by env {OLD}"],
    ),
    "all three": (
        {OLDEST: "c", NEW: "a", OLD: "b"},
        "c",
        [
            f"env {OLD} has been deprecated, use {NEW} instead",
            f"env {OLDEST} has been deprecated, use {NEW} instead",
            f"env {NEW} was overridden by env {OLD}",
            f"env {OLD} was overridden by env {OLDEST}",
        ],
    ),
}


@pytest.mark.parametrize(("environ", "value", "warnings"), CASES.values(), ids=CASES.keys())
def test_the_last_spelling_present_wins(
    environ: dict[str, str], value: str | None, warnings: list[str]
) -> None:
    found = read([ROW], environ)

    assert found.values.get("ssh_key_file", ("", None))[1] == value
    assert found.warnings == warnings

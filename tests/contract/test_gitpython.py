"""What we assume of GitPython's command layer holds."""

from __future__ import annotations

import io
import os
import stat
import time
from pathlib import Path

import pytest

from podmates_gitsync.git.commands import Git, GitError, import_gitpython
from podmates_gitsync.programs import Running
from podmates_gitsync.reports.logs import Log


def make(program: str, additions: dict[str, str] | None = None) -> Git:
    git = Git(program, additions or {}, Log(stream=io.StringIO()), Running())
    git.deadline = time.monotonic() + 60
    return git


def wrapper(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_the_subcommand_is_the_first_argument_and_nothing_is_put_between(tmp_path: Path) -> None:
    git = make(wrapper(tmp_path / "git", 'printf "%s\\n" "$@"'))

    assert git.run(["fetch", "url with space", "--depth", "1"], tmp_path) == (
        "fetch\nurl with space\n--depth\n1\n"
    )


def test_our_variables_are_added_to_those_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INHERITED", "yes")
    git = make(wrapper(tmp_path / "git", 'echo "$INHERITED $ADDED $LC_ALL"'), {"ADDED": "too"})

    assert git.run(["x"], tmp_path) == "yes too C\n"


def test_a_missing_directory_is_an_error_and_not_our_own_directory(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="no such directory"):
        make("git").run(["version"], tmp_path / "missing")


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="nonesuch"):
        make(str(tmp_path / "nonesuch")).run(["version"], tmp_path)


def test_a_failure_tells_the_command_and_gits_own_words(tmp_path: Path) -> None:
    with pytest.raises(GitError, match=r"Run\(.*no-such-command\): exit status 1: .*is not a git command"):
        make("git").run(["no-such-command"], tmp_path)


def test_the_group_is_killed_at_the_deadline(tmp_path: Path) -> None:
    git = make(wrapper(tmp_path / "git", "sleep 600; echo late"))
    git.deadline = time.monotonic() + 0.5

    with pytest.raises(GitError, match="context deadline exceeded"):
        git.run(["x"], tmp_path)


def test_held_descriptors_are_inherited_unless_the_caller_says_no(tmp_path: Path) -> None:
    git = make(wrapper(tmp_path / "git", 'ls "/proc/$$/fd" | tr "\\n" " "'))
    read_end, write_end = os.pipe()
    try:
        git.held = (write_end,)
        with_it = git.run(["x"], tmp_path).split()
        without = git.run(["x"], tmp_path, locked=False).split()
    finally:
        os.close(read_end)
        os.close(write_end)

    assert str(write_end) in with_it
    assert str(write_end) not in without


def test_the_import_leaves_no_variable_behind() -> None:
    environ: dict[str, str] = {}
    import_gitpython(environ)

    assert environ == {}

"""A program of the user's runs in the worktree, is told what it is for, and says how it went."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from podmates_gitsync.files.scratch import Scratch
from podmates_gitsync.hooks.change import Change
from podmates_gitsync.hooks.exechook import Exechook, Program, Surroundings
from podmates_gitsync.hooks.runner import HookError, HookNotRun
from podmates_gitsync.programs import Running
from podmates_gitsync.reports.logs import Log
from tests.support.waiting import until

PATIENCE = 30  # seconds


def exechook(
    command: str,
    tree: Path,
    timeout: float = PATIENCE,
    *,
    arguments: tuple[str, ...] = (),
    path: str = "",
    running: Running | None = None,
) -> Exechook:
    around = Surroundings(
        tree=lambda commit: tree,
        environment={"PATH": path or os.environ["PATH"], "GITSYNC_X": "x", "GITSYNC_REF": "theirs"},
        ref="main",
        link="/root/link",
        scratch=Scratch(tree.parent / "root"),
        running=running or Running(),
    )
    return Exechook(
        Program(command=command, arguments=arguments, timeout=timeout), around, Log(stream=io.StringIO())
    )


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def tree_in(folder: Path) -> Path:
    tree = folder / "tree"
    tree.mkdir()
    return tree


def test_an_exechook_runs_in_the_worktree_with_the_hash_and_everything_we_got(tmp_path: Path) -> None:
    tree = tree_in(tmp_path)
    exechook(script(tmp_path / "hook", 'echo "$PWD $GITSYNC_HASH $GITSYNC_X" > ran'), tree).run(Change("abc"))

    assert (tree / "ran").read_text() == f"{tree} abc x\n"


FILES = {
    "changes": b"M\0a\0A\0new\nline \xff\0",
    "no change": b"",
    "not known": None,
}


@pytest.mark.parametrize("files", FILES.values(), ids=FILES.keys())
def test_an_exechook_is_told_what_it_is_run_for(tmp_path: Path, files: bytes | None) -> None:
    tree = tree_in(tmp_path)
    text = (
        'echo "$GITSYNC_PREVIOUS_HASH $GITSYNC_REF $GITSYNC_LINK $GITSYNC_CHANGED_FILES" > ran; '
        'cat "$GITSYNC_CHANGED_FILES" > files'
    )
    exechook(script(tmp_path / "hook", text), tree).run(Change("new", "old", files))

    *told, list_of_files = (tree / "ran").read_text().split()
    assert told == ["old", "main", "/root/link"]
    assert (tree / "files").read_bytes() == (files or b"")
    assert Path(list_of_files).parent == tmp_path / "root" / ".git" / "podmates" / "tmp"
    assert not Path(list_of_files).exists()


def test_where_no_file_can_be_written_all_counts_as_changed(tmp_path: Path) -> None:
    tree = tree_in(tmp_path)
    (tmp_path / "root").write_text("not a directory")
    hook = script(tmp_path / "hook", 'echo "$GITSYNC_CHANGED_FILES" > ran')
    exechook(hook, tree).run(Change("new", "old", b"M\0a\0"))

    assert (tree / "ran").read_text() == "/dev/null\n"


def test_arguments_are_given_as_they_are(tmp_path: Path) -> None:
    tree = tree_in(tmp_path)
    hook = script(tmp_path / "hook", 'printf "[%s]" "$(basename "$0")" "$@" > ran')
    exechook(hook, tree, arguments=("a b", "", "$X", "--")).run(Change("abc"))

    assert (tree / "ran").read_text() == "[hook][a b][][$X][--]"


def test_a_relative_command_with_a_slash_is_looked_for_in_the_worktree(tmp_path: Path) -> None:
    tree = tree_in(tmp_path)
    (tree / "bin").mkdir()
    script(tree / "bin" / "hook", "echo > ran")
    exechook("./bin/hook", tree).run(Change("abc"))
    assert (tree / "ran").exists()

    (tree / "ran").unlink()
    exechook("bin/hook", tree).run(Change("abc"))
    assert (tree / "ran").exists()


@pytest.mark.parametrize("inside", [False, True])
def test_a_command_without_a_slash_is_looked_for_on_the_path_and_never_in_the_worktree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    """Nor where our own working directory has a program of that name."""
    tree = tree_in(tmp_path)
    script(tree / "hook", "echo theirs > ran")
    if inside:
        monkeypatch.chdir(tree)
    for path in (".", "", ":", "nowhere:."):
        with pytest.raises(HookNotRun, match=r"executable file not found in \$PATH"):
            exechook("hook", tree, path=path or ":").run(Change("abc"))
    assert not (tree / "ran").exists()

    ours = tmp_path / "bin"
    ours.mkdir()
    script(ours / "hook", "echo $0 > ran")
    exechook("hook", tree, path=f".:{tmp_path}/missing:{ours}").run(Change("abc"))
    assert (tree / "ran").read_text() == f"{ours}/hook\n"


@pytest.mark.parametrize(
    ("text", "seconds", "reason"),
    [
        ("echo said; exit 3", 60.0, "exit status 3.*said"),
        ("exec sleep 600", 1.0, "killed at the deadline"),
        ("kill -SEGV $$", 60.0, "killed by signal 11"),
    ],
    ids=["status", "timeout", "signal"],
)
def test_a_hook_that_fails_says_how(tmp_path: Path, text: str, seconds: float, reason: str) -> None:
    with pytest.raises(HookError, match=reason) as failure:
        exechook(script(tmp_path / "hook", text), tree_in(tmp_path), timeout=seconds).run(Change("abc"))

    assert not isinstance(failure.value, HookNotRun)


NOT_RUN = {
    "spaces are part of the name": "echo hello",
    "nothing": "",
    "not there": "/nowhere/hook",
    "not executable": "./data",
    "no program": "./text",
    "a directory": "/",
}


@pytest.mark.parametrize("command", NOT_RUN.values(), ids=NOT_RUN.keys())
def test_a_hook_that_cannot_be_started_has_not_run(tmp_path: Path, command: str) -> None:
    tree = tree_in(tmp_path)
    (tree / "data").write_text("data")
    (tree / "text").write_text("no interpreter\n")
    (tree / "text").chmod(0o755)

    with pytest.raises(HookNotRun):
        exechook(command, tree).run(Change("abc"))


def test_spaces_are_part_of_the_name(tmp_path: Path) -> None:
    with pytest.raises(HookError, match="executable file not found"):
        exechook("echo hello", tree_in(tmp_path)).run(Change("abc"))
    hook = script(tmp_path / "a hook", "echo $# > ran")
    exechook(hook, tmp_path / "tree").run(Change("abc"))
    assert (tmp_path / "tree" / "ran").read_text() == "0\n"


def test_a_worktree_that_is_gone_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(HookNotRun, match="gone"):
        exechook("true", tmp_path / "missing").run(Change("abc"))


def test_a_hook_that_our_end_kills_has_said_nothing(tmp_path: Path) -> None:
    running, tree = Running(), tree_in(tmp_path)
    hook = exechook(script(tmp_path / "hook", "echo > begun; exec sleep 600"), tree, running=running)

    def kill() -> None:
        until((tree / "begun").exists, PATIENCE)
        running.kill()

    killer = threading.Thread(target=kill)
    killer.start()

    with pytest.raises(HookNotRun, match="its repository ends"):
        hook.run(Change("abc"))
    killer.join(PATIENCE)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("KILL", HookNotRun),
        ("TERM", HookNotRun),
        ("INT", HookNotRun),
        ("SEGV", HookError),
        ("ABRT", HookError),
    ],
)
def test_a_hook_that_others_kill_has_said_nothing_and_one_that_breaks_down_has(
    tmp_path: Path, name: str, expected: type[HookError]
) -> None:
    with pytest.raises(HookError, match="killed by signal") as raised:
        exechook(script(tmp_path / "hook", f"kill -{name} $$"), tree_in(tmp_path)).run(Change("abc"))

    assert type(raised.value) is expected

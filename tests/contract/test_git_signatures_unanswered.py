"""A signature that could not be looked at is no bad one, which is remembered for ever."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from podmates_gitsync.git.commands import GitError
from tests.support.signing import Key, commit, forged, tag
from tests.support.signing_bench import Bench, benches
from tests.support.tmpfs import Tmpfs


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from benches(tmp_path, Key(tmp_path, "good"), Key(tmp_path, "other"))


@pytest.mark.parametrize(
    "text",
    ["kill -KILL $$", "kill -PIPE $$", "kill -KILL $PPID", "exit 1", "rm $0; echo usage: >&2; exit 1"],
    ids=["killed", "killed quietly", "with its git", "silent", "another program"],
)
@pytest.mark.parametrize("objects", ["commit", "tag"])
def test_an_ssh_keygen_that_does_not_answer_has_not_said_that_a_signature_is_bad(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, objects: str
) -> None:
    commit(bench.upstream, "one", bench.good)
    tag(bench.upstream, "v1", bench.good)
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "ssh-keygen"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    with monkeypatch.context() as changed:
        changed.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        with pytest.raises(GitError):
            bench.fault("v1", objects)

    assert bench.fault("v1", objects) == ""


def test_a_disk_without_room_for_a_signature_has_not_said_that_it_is_bad(bench: Bench) -> None:
    commit(bench.upstream, "one", bench.good)
    assert bench.fault() == ""
    with Tmpfs(bench.root / ".git" / "podmates" / "tmp", size=4096) as volume:
        (volume.path / "full").write_bytes(b"x" * volume.free())
        with pytest.raises(GitError, match="signature"):
            bench.fault()

    assert bench.fault() == ""


@pytest.mark.parametrize("text", ["gpgsig nonsense", "gpgsig "], ids=["nonsense", "nothing"])
def test_what_looks_like_no_signature_at_all_is_a_bad_one(bench: Bench, text: str) -> None:
    """git ends otherwise than for a bad one; each sync would fail."""
    commit(bench.upstream, "one")
    forged(bench.upstream, ("\n\none", f"\n{text}\n\none"))

    assert "has no good signature: fatal: bad/incompatible signature" in bench.fault()

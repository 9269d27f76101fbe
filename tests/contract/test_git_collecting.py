"""Garbage that git fails to collect, again and again, costs no more than what the tries themselves cost."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from podmates_gitsync.git import repository as git_repository
from podmates_gitsync.git.commands import GitError
from podmates_gitsync.git.repository import Repository as Git
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume, commands


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


def fail(repository: Git, *_: object, **__: object) -> None:
    name = f"tmp_pack_{secrets.token_hex(3)}"
    (repository.folder / "objects" / "pack" / name).touch()
    raise GitError(f"cannot write {name}")


def walks(volume: Volume, upstream: Repository) -> bool:
    """Return whether the sync of one commit more walks all objects."""
    before = len(commands(volume))
    upstream.commit({"a": secrets.token_hex(3)})
    volume.sync()
    return any("fsck" in command for command in commands(volume)[before:])


def test_a_collection_that_keeps_failing_walks_all_objects_once(
    volume: Volume, upstream: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume.sync()
    for _ in range(2):  # and once more after it has worked meanwhile
        assert not walks(volume, upstream)
        with monkeypatch.context() as patch:
            patch.setattr(git_repository.Repository, "collect_garbage", fail)
            assert [walks(volume, upstream) for _ in range(4)] == [False, True, False, False]


def test_a_collection_that_keeps_failing_leaves_nothing(
    volume: Volume, upstream: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume.sync()
    monkeypatch.setattr(git_repository.Repository, "collect_garbage", fail)
    for _ in range(3):
        walks(volume, upstream)

    assert not list((volume.root / ".git" / "objects" / "pack").glob("tmp_*"))

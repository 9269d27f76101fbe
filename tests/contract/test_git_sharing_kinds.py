"""Sharing with the tree before goes with parts of a tree, few objects, submodules, names that change kind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from podmates_gitsync.reports.logs import Log
from podmates_gitsync.trees.filling import Filler
from podmates_gitsync.trees.recipe import Recipe
from podmates_gitsync.trees.sharing import HardLinks
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume, commands

FILES = {f"d{number % 3}/f{number}": f"text {number}\n" for number in range(12)}
CHANGES: list[dict[str, str | None]] = [
    {"d0/f0": "2"},
    {"d1/f1": None, "d0/f3": "more\n"},
    {"d0/f0": None, "d0/new/f0": "a folder in the place of nothing"},
    {"d0/f3": None, "d2": None},
    {"d0/f3/deep": "a folder in the place of a file", "d2": "a file in the place of a folder"},
    {"d0/f3": None, "d2": None, "d1/f4": None},
]


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    inner, repository = Repository(tmp_path / "inner"), Repository(tmp_path / "upstream")
    inner.commit({"c": "1"})
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.commit({**FILES, ".gitmodules": f'[submodule "s"]\n\tpath = s\n\turl = {inner.url}\n'})
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{inner.head()},s")
    (repository.work / "s").mkdir()
    repository.git("commit", "--quiet", "-m", "a submodule")
    repository.push()
    return repository


@pytest.fixture
def volume(tmp_path: Path, upstream: Repository) -> Iterator[Volume]:
    made = Volume(tmp_path, upstream)
    yield made
    made.close()


def age(tree: Path) -> None:
    """Make the files older than the index: what was written in the same moment is never shared."""
    for path in tree.rglob("*"):
        if path.name != ".git" and "s" not in path.relative_to(tree).parts:
            os.utime(path, (1_000_000_000, 1_000_000_000), follow_symlinks=False)
    git(tree, "status")


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "safe.directory=*", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(["--submodules=off"], id="plain"),
        pytest.param(["--submodules=recursive"], id="submodules"),
        pytest.param(["--path=d0", "--path=d1", "--submodules=off"], id="a part"),
        pytest.param(["--filter=blob:none", "--submodules=off"], id="without contents"),
    ],
)
def test_change_after_change_makes_the_tree_that_a_checkout_makes(
    tmp_path: Path, volume: Volume, upstream: Repository, flags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"COUNT": "1", "KEY_0": "protocol.file.allow", "VALUE_0": "always"}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    (tmp_path / "beside").mkdir()
    other = Volume(tmp_path / "beside", upstream)
    volume.restart("--publish=link", *flags)
    other.restart("--publish=checkout", *flags)
    for number, change in enumerate([{}, *CHANGES]):
        upstream.commit(change)
        for one in (volume, other):
            one.sync()
        assert volume.files() == other.files(), f"after change {number}"
        assert folders(volume.tree()) == folders(other.tree()), f"after change {number}"
        assert git(volume.tree(), "status", "--porcelain") == ""
        age(volume.tree())
    other.close()
    assert len([line for line in commands(volume) if line.startswith("git read-tree ")]) == len(CHANGES)


@pytest.mark.parametrize(("files", "links"), [(1999, False), (2000, True)])
def test_hard_links_are_made_from_2000_files_on(volume: Volume, files: int, links: bool) -> None:
    volume.restart("--submodules=off")
    volume.sync()
    filler = Filler(volume.root, volume.syncer._git, Log(stream=volume.log), Recipe(publish="auto"))
    filler._blocks = False  # a file system that cannot share them

    assert isinstance(filler._way(files), HardLinks) is links


def folders(tree: Path) -> set[str]:
    return {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_dir()}

"""Submodules over real git: how deep, how much history, and where their URLs start from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume

ALLOW = ["-c", "protocol.file.allow=always"]


@pytest.fixture(autouse=True)
def submodules_from_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """A submodule from a path is what git refuses by default."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "always")


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    """`sub` in it is `inner`, by a relative URL; `leaf` in that is another one."""
    folder = tmp_path / "upstream"
    leaf, inner, outer = (Repository(folder / name) for name in ("leaf", "inner", "outer"))
    leaf.commit({"x": "leaf"})
    inner.commit({"x": "old"})
    inner.git(*ALLOW, "submodule", "add", "--quiet", leaf.url, "leaf")
    inner.commit({"x": "inner"})
    outer.git(*ALLOW, "submodule", "add", "--quiet", "../../inner/bare.git", "sub")
    outer.commit({"a": "1"})
    return outer


def history(folder: Path) -> int:
    words = ["git", "-c", "safe.directory=*", "rev-list", "--count", "HEAD"]
    return int(subprocess.run(words, cwd=folder, capture_output=True, timeout=60, check=True).stdout)


DEPTHS = {
    "recursive": {"sub/x": "inner", "sub/leaf/x": "leaf"},
    "shallow": {"sub/x": "inner"},
    "off": {},
}


@pytest.mark.parametrize(("mode", "files"), DEPTHS.items())
def test_submodules_are_all_levels_one_or_none(volume: Volume, mode: str, files: dict[str, str]) -> None:
    volume.restart(f"--submodules={mode}")
    volume.sync()

    found = {name: text for name, text in volume.files().items() if name.endswith("/x")}
    assert found == files


@pytest.mark.parametrize(("depth", "commits"), [(1, 1), (0, 2)])
def test_a_submodule_has_as_much_history_as_is_asked_for(volume: Volume, depth: int, commits: int) -> None:
    volume.restart(f"--depth={depth}")
    volume.sync()

    assert history(volume.tree() / "sub") == commits


def test_a_submodule_moves_with_the_tree(volume: Volume, upstream: Repository) -> None:
    volume.sync()
    subprocess.run(
        ["git", *ALLOW, "-C", str(upstream.work / "sub"), "checkout", "--quiet", "HEAD~1"],
        check=True,
        timeout=60,
    )
    upstream.commit({"a": "2"})
    volume.sync()

    assert volume.files()["sub/x"] == "old"


def test_a_submodule_that_nothing_says_where_to_find_is_an_empty_directory(
    volume: Volume, upstream: Repository
) -> None:
    upstream.git("rm", "--quiet", "--cached", ".gitmodules")
    (upstream.work / ".gitmodules").unlink()
    commit = upstream.commit({"a": "2"})
    assert "160000" in upstream.git("ls-tree", commit, "sub")

    assert volume.sync().commit == commit
    assert volume.files() == {"a": "2"}
    assert (volume.tree() / "sub").is_dir()

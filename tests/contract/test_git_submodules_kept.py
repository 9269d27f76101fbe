"""Submodules of the tree before serve the next one, unless they come from elsewhere; over real git."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from podmates_gitsync.trees.modules import without_submodules
from tests.support.git_http import GitServer
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume


class Upstream(Repository):
    """A repository with a submodule, that has one itself; all over HTTP, by relative URLs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "top")
        self.inmost, self.inner = Repository(folder / "inmost"), Repository(folder / "inner")
        self.inmost.commit({"z": "1"})
        self.add(self.inner, "../../inmost/bare.git", "deep")
        self.inner.commit({"y": "1"})
        self.add(self, "../../inner/bare.git", "sub")
        self.commit({"x": "1"})
        self.server = GitServer(folder)

    @staticmethod
    def add(where: Repository, url: str, path: str) -> None:
        where.git("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", url, path)

    def follow(self) -> str:
        """Let the submodule be at its newest commit."""
        self.git("-C", "sub", "-c", "protocol.file.allow=always", "pull", "--quiet", "origin", "main")
        return self.commit({})

    @property
    def url(self) -> str:
        return f"{self.server.url}/top/bare.git"

    def asked(self, name: str) -> int:
        """Return how many requests for a repository there were; they are forgotten."""
        count = sum(f"/{name}/" in request for request in self.server.requests)
        self.server.requests[:] = [r for r in self.server.requests if f"/{name}/" not in r]
        return count


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Upstream]:
    made = Upstream(tmp_path / "upstream")
    yield made
    made.server.close()


@pytest.fixture
def volume(tmp_path: Path, upstream: Upstream) -> Iterator[Volume]:
    made = Volume(tmp_path, upstream)
    yield made
    made.close()


def read(volume: Volume) -> dict[str, str]:
    """Return the files of the tree, without git's own."""
    return {name: text for name, text in volume.files().items() if ".git" not in name}


def test_a_change_of_the_parent_only_fetches_nothing_of_its_submodules(
    volume: Volume, upstream: Upstream
) -> None:
    volume.sync()
    assert upstream.asked("inner") > 0
    assert upstream.asked("inmost") > 0
    for number in range(2):
        upstream.commit({"x": f"{number}"})
        volume.sync()
        assert read(volume) == {"x": f"{number}", "sub/y": "1", "sub/deep/z": "1"}
    assert upstream.asked("inner") == 0
    assert upstream.asked("inmost") == 0


def test_a_submodule_that_moves_is_followed(volume: Volume, upstream: Upstream) -> None:
    volume.sync()
    upstream.inner.commit({"y": "2"})
    upstream.follow()
    volume.sync()
    assert read(volume) == {"x": "1", "sub/y": "2", "sub/deep/z": "1"}
    assert upstream.asked("inner") > 0


def test_a_submodule_that_comes_from_elsewhere_is_taken_from_there(
    volume: Volume, upstream: Upstream, tmp_path: Path
) -> None:
    volume.sync()
    upstream.asked("inner")
    other = Repository(tmp_path / "upstream" / "other")
    other.commit({"y": "other"})
    upstream.git("config", "-f", ".gitmodules", "submodule.sub.url", "../../other/bare.git")
    upstream.git("-C", "sub", "fetch", "--quiet", str(other.bare), "main")
    upstream.git("-C", "sub", "checkout", "--quiet", "FETCH_HEAD")
    upstream.commit({})
    volume.sync()

    assert read(volume) == {"x": "1", "sub/y": "other"}
    assert upstream.asked("other") > 0
    assert upstream.asked("inner") == 0  # where it does not come from any more


def test_a_submodule_of_a_submodule_that_comes_from_elsewhere_is_taken_from_there(
    volume: Volume, upstream: Upstream, tmp_path: Path
) -> None:
    volume.sync()
    upstream.asked("inmost")
    other = Repository(tmp_path / "upstream" / "other")
    other.commit({"z": "other"})
    upstream.inner.git("config", "-f", ".gitmodules", "submodule.deep.url", "../../other/bare.git")
    upstream.inner.git("-C", "deep", "fetch", "--quiet", str(other.bare), "main")
    upstream.inner.git("-C", "deep", "checkout", "--quiet", "FETCH_HEAD")
    upstream.inner.commit({})
    upstream.follow()
    volume.sync()

    assert read(volume) == {"x": "1", "sub/y": "1", "sub/deep/z": "other"}
    assert upstream.asked("other") > 0
    assert upstream.asked("inmost") == 0


@pytest.mark.parametrize("what", ["objects", "HEAD"])
def test_damaged_submodules_of_the_tree_before_are_fetched_anew(
    volume: Volume, upstream: Upstream, what: str
) -> None:
    """With what git fetches where objects are missing, and with what it takes for no repository."""
    commit = volume.sync().commit
    sub = volume.root / ".git" / "worktrees" / commit / "modules" / "sub"
    if what == "HEAD":
        (sub / "HEAD").write_text("garbage\n")
    for path in (sub / "objects").rglob("*") if what == "objects" else ():
        if path.is_file():
            path.unlink()
    upstream.commit({"x": "2"})
    volume.sync()

    assert read(volume) == {"x": "2", "sub/y": "1", "sub/deep/z": "1"}


def test_a_link_among_submodules_is_not_followed(volume: Volume, upstream: Upstream, tmp_path: Path) -> None:
    commit = volume.sync().commit
    (tmp_path / "precious").write_text("x")
    (volume.root / ".git" / "worktrees" / commit / "modules" / "sub" / "planted").symlink_to(
        tmp_path / "precious"
    )
    commit = upstream.commit({"x": "2"})
    volume.sync()

    assert read(volume)["sub/y"] == "1"
    assert not list((volume.root / ".git" / "worktrees" / commit).rglob("planted"))


def test_a_configuration_forgets_submodules_and_nothing_else() -> None:
    config = '[core]\n\tbare = false\n[submodule "a"]\n\turl = x\n[remote "origin"]\n\turl = y\n'

    assert without_submodules(config) == '[core]\n\tbare = false\n[remote "origin"]\n\turl = y\n'

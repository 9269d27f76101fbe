"""What we assume of git holds: asked of the real one, over file and http."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from podmates_gitsync.git.refs import fetched
from tests.support.git_http import GitServer
from tests.support.git_repo import Repository, git_environment


class Plain:
    """git in a folder, with none of the machine's configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environment = git_environment(folder)

    def run(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *words],
            cwd=cwd or self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def ok(self, *words: str, cwd: Path | None = None) -> str:
        done = self.run(*words, cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


@pytest.fixture(params=["file", "http"])
def url(request: pytest.FixtureRequest, upstream: Repository) -> Iterator[str]:
    if request.param == "file":
        yield upstream.url
        return
    with GitServer(upstream.folder) as server:
        yield f"{server.url}/bare.git"


@pytest.fixture
def root(tmp_path: Path) -> Plain:
    (tmp_path / "root").mkdir()
    plain = Plain(tmp_path / "root")
    plain.ok("init", "-b", "git-sync")
    return plain


def fetch(root: Plain, url: str, ref: str, *more: str) -> str:
    root.ok("fetch", url, ref, "--verbose", "--no-progress", "--prune", "--no-auto-gc", *more)
    return fetched((root.folder / ".git" / "FETCH_HEAD").read_text())


@pytest.mark.parametrize("ref", ["HEAD", "main", "refs/heads/main", "hash"])
def test_a_ref_is_fetched_by_url_and_the_first_word_of_fetch_head_is_its_object(
    root: Plain, url: str, upstream: Repository, ref: str
) -> None:
    wanted = upstream.head() if ref == "hash" else ref

    assert fetch(root, url, wanted, "--depth", "1") == upstream.head()


def test_an_annotated_tag_is_fetched_as_a_tag_and_peeled_by_name(
    root: Plain, url: str, upstream: Repository
) -> None:
    upstream.git("tag", "-a", "v1", "-m", "one")
    upstream.push("v1")

    assert fetch(root, url, "v1") == upstream.git("rev-parse", "v1")
    assert root.ok("rev-parse", "FETCH_HEAD^{}") == upstream.head()


def test_a_missing_ref_is_named_in_gits_message(root: Plain, url: str) -> None:
    done = root.run("fetch", url, "nope", "--depth", "1")

    assert done.returncode == 128
    assert "couldn't find remote ref nope" in done.stderr


def test_the_file_shallow_tells_whether_the_history_is_cut(
    root: Plain, url: str, upstream: Repository
) -> None:
    upstream.commit({"a": "2"})
    shallow = root.folder / ".git" / "shallow"
    fetch(root, url, "main", "--depth", "1")
    assert shallow.exists()

    fetch(root, url, "main", "--unshallow")
    assert not shallow.exists()


def test_a_soft_reset_makes_the_unborn_branch(root: Plain, url: str) -> None:
    commit = fetch(root, url, "main", "--depth", "1")
    root.ok("reset", "--soft", commit, "--")

    assert root.ok("rev-parse", "refs/heads/git-sync") == commit


def test_a_worktree_names_its_folder_and_its_head_is_the_hash(root: Plain, url: str) -> None:
    commit = fetch(root, url, "main", "--depth", "1")
    tree = root.folder / ".worktrees" / commit
    root.ok("worktree", "add", "--force", "--detach", str(tree), commit, "--no-checkout")
    named = (tree / ".git").read_text()

    assert named == f"gitdir: {root.folder}/.git/worktrees/{commit}\n"
    assert (root.folder / ".git" / "worktrees" / commit / "HEAD").read_text() == f"{commit}\n"
    assert [path.name for path in tree.iterdir()] == [".git"]

    (tree / ".git").write_text(f"gitdir: ../../.git/worktrees/{commit}\n")
    root.ok("reset", "--hard", commit, "--", cwd=tree)
    assert (tree / "a").read_text() == "1"
    root.ok("worktree", "prune")
    assert root.ok("rev-parse", "HEAD", cwd=tree) == commit


def test_a_worktree_whose_folder_is_gone_can_be_added_again(root: Plain, url: str) -> None:
    commit = fetch(root, url, "main", "--depth", "1")
    words = ["worktree", "add", "--force", "--detach", ".worktrees/x/" + commit, commit, "--no-checkout"]
    root.ok(*words)
    (root.folder / ".worktrees" / "x").rename(root.folder / "away")

    root.ok(*words)


def test_a_config_that_is_not_there_and_one_that_does_not_parse_are_told_apart(root: Plain) -> None:
    assert root.run("config", "--list", "-z").returncode == 0
    (root.folder / ".git" / "config").write_text("[broken\n")

    assert root.run("config", "--list", "-z").returncode == 128

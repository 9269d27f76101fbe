"""What a ref names, which words git is given, and what a changed or a foreign repository does."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from podmates_gitsync.git.commands import GitError
from podmates_gitsync.sync.syncer import Synced
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume, commands


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "first"})
    repository.git("tag", "-a", "v1", "-m", "one")
    repository.git("tag", "both")
    repository.commit({"a": "second"})
    repository.push("v1", "both", "HEAD:refs/heads/both", "HEAD~1:refs/pull/7/head")
    repository.commit({"a": "third"})
    return repository


COMMITS = {"third": "HEAD", "second": "HEAD~1", "first": "HEAD~2"}
REFS = {
    "HEAD": "third",
    "main": "third",
    "refs/heads/main": "third",
    "refs/pull/7/head": "first",
    "v1": "first",  # an annotated tag is peeled
    "both": "first",  # a tag comes before a branch
    "refs/heads/both": "second",
    "hash of HEAD~1": "second",  # of no branch's tip but that of another name
    "hash of HEAD~2": "first",
}


@pytest.mark.parametrize(("ref", "content"), REFS.items())
def test_a_ref_is_what_git_takes_it_for(volume: Volume, upstream: Repository, ref: str, content: str) -> None:
    if ref.startswith("hash of "):
        ref = upstream.git("rev-parse", ref.removeprefix("hash of "))
    volume.restart(f"--ref={ref}")
    commit = volume.sync().commit

    assert commit == upstream.git("rev-parse", COMMITS[content])  # of a tag, too: not the tag's own hash
    assert volume.files() == {"a": content}
    assert volume.link.resolve().name == commit


def test_an_abbreviated_hash_is_none(volume: Volume, upstream: Repository) -> None:
    short = upstream.head()[:10]
    volume.restart(f"--ref={short}")

    with pytest.raises(GitError, match=f"couldn't find remote ref {short}"):
        volume.sync()


def test_a_tag_that_moves_is_followed(volume: Volume, upstream: Repository) -> None:
    volume.restart("--ref=v1")
    volume.sync()
    upstream.git("tag", "-f", "-a", "v1", "-m", "again")
    upstream.push("+refs/tags/v1")

    assert volume.sync() == Synced(upstream.head(), True)


def test_git_is_given_the_subcommand_first_and_the_url_in_every_fetch(
    volume: Volume, upstream: Repository
) -> None:
    commit = volume.sync().commit
    ran = commands(volume)
    tree = volume.root / ".worktrees" / commit
    wanted = [
        "git init -b git-sync",
        f"git remote add origin {upstream.url}",
        f"git fetch {upstream.url} HEAD --verbose --no-progress --prune --no-auto-gc --depth 1",
        f"git reset --soft {commit} --",
        f"git worktree add --force --detach {tree} {commit} --no-checkout",
    ]
    assert [line for line in ran if line in wanted] == wanted
    assert any(line.startswith(f"git reset --hard {commit} --") for line in ran)
    assert not any(line.split()[1].startswith("-") for line in ran)  # no `git -c …`
    assert not any("submodule" in line for line in ran)  # the commit has none
    assert (volume.root / ".git" / "FETCH_HEAD").read_text().startswith(commit)

    volume.restart("--filter=blob:none", "--depth=2")
    volume.sync()
    assert commands(volume)[len(ran) :].count(
        f"git fetch {upstream.url} HEAD --verbose --no-progress --prune --no-auto-gc --depth 2 "
        "--filter blob:none"
    )


def test_our_branch_and_fetch_head_move_with_each_commit(volume: Volume, upstream: Repository) -> None:
    for content in ("x", "y"):
        commit = upstream.commit({"a": content})
        volume.sync()
        branch = ["git", "-c", "safe.directory=*", "rev-parse", "refs/heads/git-sync"]
        done = subprocess.run(branch, cwd=volume.root, capture_output=True, text=True, timeout=60)
        assert done.stdout == f"{commit}\n"
    assert not any("rev-parse FETCH_HEAD" in line for line in commands(volume))  # the object itself says it


def test_a_changed_depth_deepens_and_shortens(volume: Volume) -> None:
    for depth, known in ((1, 1), (2, 2), (0, 3), (1, 1)):
        volume.restart(f"--depth={depth}")
        volume.sync()
        count = ["git", "-c", "safe.directory=*", "rev-list", "--count", "git-sync"]
        done = subprocess.run(count, cwd=volume.root, capture_output=True, text=True, timeout=60)
        assert done.stdout == f"{known}\n", depth


def test_a_changed_repository_is_fetched_from_and_nothing_is_wiped(
    volume: Volume, upstream: Repository, tmp_path: Path
) -> None:
    volume.sync()
    (volume.root / "foreign").write_text("x")
    before = (volume.root / ".git").stat().st_ino
    other = Repository(tmp_path / "other")
    commit = other.commit({"b": "other"})
    volume.restart(f"--repo={other.url}")

    assert volume.sync() == Synced(commit, True)
    assert volume.files() == {"b": "other"}
    assert (volume.root / "foreign").read_text() == "x"
    assert (volume.root / ".git").stat().st_ino == before
    assert f"git remote set-url origin {other.url}" in commands(volume)


@pytest.mark.parametrize("form", ["{bare}", "../upstream/bare.git", "file://{bare}"])
def test_a_repository_is_whatever_git_fetches_from(volume: Volume, upstream: Repository, form: str) -> None:
    volume.restart(f"--repo={form.format(bare=upstream.bare)}")  # a relative path counts from root

    assert volume.sync().commit == upstream.head()
    assert volume.files() == {"a": "third"}


def test_git_works_in_a_tree_where_the_volume_is_mounted_elsewhere(volume: Volume, tmp_path: Path) -> None:
    commit = volume.sync().commit
    moved = volume.root.rename(tmp_path / "elsewhere")
    for words, said in ((["status", "--porcelain"], ""), (["rev-parse", "HEAD"], f"{commit}\n")):
        command = ["git", "-c", "safe.directory=*", *words]
        done = subprocess.run(command, cwd=moved / "link", capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (0, said), done.stderr
    moved.rename(volume.root)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_root_inside_another_repository_gets_one_of_its_own(
    volume: Volume, tmp_path: Path, damaged: bool
) -> None:
    """Also where git takes the one in root for none, and looks for one above it."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True, timeout=60)
    before = {path: path.read_bytes() for path in (tmp_path / ".git").rglob("*") if path.is_file()}
    if damaged:
        volume.sync()
        shutil.rmtree(volume.root / ".git" / "objects")
        volume.restart()
    (volume.root / "mine").write_text("x")
    volume.sync()

    assert volume.files() == {"a": "third"}
    assert (volume.root / ".git" / "HEAD").exists()
    assert (volume.root / "mine").exists()
    after = {path: path.read_bytes() for path in (tmp_path / ".git").rglob("*") if path.is_file()}
    assert after == before


def test_no_change_after_the_first_sync_hands_nothing_to_the_hooks(volume: Volume) -> None:
    commit = volume.sync().commit
    volume.handed.clear()
    assert volume.sync() == Synced(commit, False)
    assert volume.handed == []


def test_root_may_have_any_name_that_the_file_system_takes(tmp_path: Path, upstream: Repository) -> None:
    folder = tmp_path / os.fsdecode(b"no text: \xff")
    folder.mkdir()
    volume = Volume(folder, upstream)
    for number in (2, 3):
        upstream.commit({"a": str(number)})
        assert volume.sync().changed
        assert volume.files()["a"] == str(number)
        volume.restart()
    assert "failed checks" not in volume.log.getvalue().partition("updated successfully")[2]
    assert os.listdir(volume.root / ".git" / "worktrees") == [upstream.head()]
    volume.close()

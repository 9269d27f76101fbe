"""Parts of a repository, as git's own commands in git-sync's order choose them."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume

ALLOW = ["-c", "protocol.file.allow=always"]
FILES = {"top": "1", "docs/a": "1", "docs/deep/b": "1", "docs-more/x": "1", "src/c": "1", "src/deep/d": "1"}


@pytest.fixture(autouse=True)
def submodules_from_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """A submodule from a path is what git refuses by default."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "always")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    repository = Repository(tmp_path_factory.mktemp("upstream") / "plain")
    repository.commit(FILES)
    return repository


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    """`docs/sub` is a submodule, and so is `leaf` in it."""
    folder = tmp_path / "upstream"
    leaf, inner, outer = (Repository(folder / name) for name in ("leaf", "inner", "outer"))
    leaf.commit({"x": "leaf"})
    inner.commit({"x": "inner"})
    inner.git(*ALLOW, "submodule", "add", "--quiet", leaf.url, "leaf")
    inner.commit({})
    outer.commit(FILES)
    outer.git(*ALLOW, "submodule", "add", "--quiet", inner.url, "docs/sub")
    outer.commit({})
    return outer


def as_git_sync_does(folder: Path, upstream: Repository, sparse: bytes, submodules: list[str]) -> set[str]:
    """Return the files that git-sync's commands check out."""

    def git(where: Path, *words: str) -> str:
        command = ["git", "-c", "safe.directory=*", *words]
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    root, commit = folder / "root", upstream.head()
    tree = folder / commit
    git(folder, "init", "--quiet", str(root))
    git(root, "fetch", "--quiet", upstream.url, "HEAD", "--depth", "1")
    git(root, "worktree", "add", "--force", "--detach", str(tree), commit, "--no-checkout")
    chosen = root / ".git" / "worktrees" / commit / "info" / "sparse-checkout"
    chosen.parent.mkdir()
    chosen.write_bytes(sparse)
    git(tree, "sparse-checkout", "init")
    git(tree, "reset", "--quiet", "--hard", commit, "--")
    if submodules:
        git(tree, "submodule", "update", "--init", *submodules)
    return files(tree)


def files(tree: Path) -> set[str]:
    found = {
        os.path.relpath(os.path.join(where, name), tree)
        for where, _, names in os.walk(tree)
        for name in names
    }
    return {name for name in found if Path(name).name != ".git"}


MODES = {"recursive": ["--recursive", "--depth", "1"], "shallow": ["--depth", "1"], "off": []}
COMBINED = [("recursive", "checkout"), ("recursive", "link"), ("shallow", "link"), ("off", "link")]
if os.environ.get("SOAK") == "1":
    COMBINED = list(itertools.product(MODES, ("auto", "checkout", "link", "reflink")))

PATTERNS = {
    "a directory": b"/docs/\n",
    "directories as git writes them": b"/*\n!/*/\n/docs/\n",
    "a directory without those in it": b"/*\n!/*/\n/docs/\n!/docs/*/\n/docs/deep/\n",
    "no slash in front": b"docs/\n",
    "no slash behind": b"/docs\n",
    "a file": b"/src/c\n",
    "a directory and a file": b"/docs/\n/src/c\n",
    "all but one": b"/*\n!/src/\n",
    "a negated glob and a name": b"!*\ntop\n",
    "everything": b"/*\n",
    "a name anywhere": b"deep\n",
    "a glob": b"/docs*/\n",
    "comments and empty lines": b"# ours\n\n/docs/\n",
    "a space behind": b"/docs/ \n",
    "lines that end as on Windows": b"/docs/\r\n/src/\r\n",
    "no end of the last line": b"/docs/",
    "nothing": b"",
    "nothing that is there": b"/none/\n",
}


@pytest.mark.parametrize("name", PATTERNS)
def test_a_sparse_file_chooses_what_it_chooses_for_git_sync(
    plain: Repository, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "sparse"
    file.write_bytes(PATTERNS[name])
    volume = Volume(tmp_path, plain)
    volume.restart(f"--sparse-checkout-file={file}", "--submodules=off")
    volume.sync()
    assert files(volume.tree()) == as_git_sync_does(folder(tmp_path, "as"), plain, PATTERNS[name], [])
    volume.close()


@pytest.mark.parametrize(("mode", "way"), COMBINED)
def test_submodules_come_where_the_file_that_names_them_is_left_out(
    volume: Volume, upstream: Repository, tmp_path: Path, mode: str, way: str
) -> None:
    file = tmp_path / "sparse"
    file.write_text("/docs/a\n/src/\n")
    volume.restart(f"--sparse-checkout-file={file}", f"--submodules={mode}", f"--publish={way}")
    volume.sync()
    wanted = as_git_sync_does(folder(tmp_path, "as"), upstream, file.read_bytes(), MODES[mode])
    upstream.commit({"docs/a": "2"})  # this tree may share files with the one before
    if way == "link":
        for name in ("leaf", "inner"):  # whose repositories it takes over, too
            shutil.rmtree(upstream.folder.parent / name / "bare.git")
    volume.sync()
    assert files(volume.tree()) == wanted
    assert ".gitmodules" not in wanted
    assert ("docs/sub/x" in wanted) == (mode != "off")
    assert ("docs/sub/leaf/x" in wanted) == (mode == "recursive")


def test_submodules_come_with_a_path_too(volume: Volume, upstream: Repository) -> None:
    volume.restart("--path=docs")
    volume.sync()
    upstream.commit({"docs/a": "2"})
    volume.sync()
    submodule = {"docs/sub/.gitmodules", "docs/sub/x", "docs/sub/leaf/x"}
    assert files(volume.tree()) == {"docs/a", "docs/deep/b"} | submodule


def test_a_path_brings_no_submodule_from_elsewhere(volume: Volume, upstream: Repository) -> None:
    upstream.commit({"src/[ab]*/x": "1"})
    volume.restart("--path=src", "--path=src/[ab]*")
    volume.sync()
    assert files(volume.tree()) == {"src/c", "src/deep/d", "src/[ab]*/x"}

    upstream.commit({"[d]ocs/*/x": "1"})  # read as a pattern it names the submodule in docs
    volume.restart("--path=[d]ocs/*")
    volume.sync()
    assert files(volume.tree()) == {"[d]ocs/*/x"}


def folder(parent: Path, name: str) -> Path:
    made = parent / name
    made.mkdir()
    return made

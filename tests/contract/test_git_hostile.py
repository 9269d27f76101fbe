"""Whatever a repository, a ref or a URL is: nothing outside the tree is touched, what is published stays."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.git_raw import COMMIT, FILE, LINK, TREE, RawRepository
from tests.support.git_repo import Repository
from tests.support.gitsync_surroundings import Surroundings, try_sync
from tests.support.gitsync_volume import Volume

A_COMMIT = "1" * 40


WAYS = ["", "link"] if os.environ.get("SOAK") == "1" else [""]


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


@pytest.fixture(params=WAYS, ids=lambda way: way or "auto")
def volume(tmp_path: Path, upstream: Repository, request: pytest.FixtureRequest) -> Iterator[Volume]:
    made = Volume(tmp_path, upstream)
    made.restart(*([f"--publish={request.param}"] if request.param else []))
    yield made
    made.close()


NAMES = [
    ".git",
    ".GIT",
    ".Git",
    "git~1",
    "GIT~1",
    ".git ",
    ".git.",
    ".git::$INDEX_ALLOCATION",
    ".g\u200cit",
    "..",
    ".",
    "",
    "a/../../outside",
    "/etc/passwd",
    "c:\\x",
    "new\nline",
    "\x01\x1b[31m",
    "-rf",
    "n" * 255,
    "n" * 256,
]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_name_of_any_kind_does_no_harm(volume: Volume, upstream: Repository, kind: str) -> None:
    volume.sync()
    around, raw = Surroundings(volume), RawRepository(upstream)
    blob = raw.blob(b"[core]\n\tfsmonitor = touch ../outside/pwned\n")
    inner = raw.tree([(FILE, "config", blob), (FILE, "precious", blob)])
    refused = []
    for name in NAMES:
        before = volume.tree().name
        commit = raw.publish(raw.tree([(FILE, name, blob) if kind == "file" else (TREE, name, inner)]))
        worked = try_sync(volume)
        assert volume.tree().name == (commit if worked else before), name
        around.assert_same()
        refused += [] if worked else [name]
    assert {".git", "..", "a/../../outside"} <= set(refused)
    good = upstream.commit({"a": "2"})
    volume.sync()
    assert volume.tree().name == good
    assert volume.files() == {"a": "2"}


CONTENTS: dict[str, Callable[[RawRepository, str], list[tuple[str, str, str]]]] = {
    "link to a file outside": lambda raw, _: [(LINK, "l", raw.blob(b"/etc/passwd"))],
    "link to a folder outside": lambda raw, _: [(LINK, "l", raw.blob(b"../../../outside"))],
    "link to itself": lambda raw, _: [(LINK, "l", raw.blob(b"l"))],
    "link to .git": lambda raw, _: [(LINK, "l", raw.blob(b"../../.git"))],
    "link and folder of one name": lambda raw, blob: [
        (LINK, "d", raw.blob(b"../../../outside")),
        (TREE, "d", raw.tree([(FILE, "precious", blob), (FILE, "new", blob)])),
    ],
    "folder and link of one name": lambda raw, blob: [
        (TREE, "d", raw.tree([(FILE, "precious", blob)])),
        (LINK, "d", raw.blob(b"../../../outside")),
    ],
    ".gitmodules is a link": lambda raw, _: [(LINK, ".gitmodules", raw.blob(b"/etc/passwd"))],
    ".gitattributes is a link": lambda raw, _: [(LINK, ".gitattributes", raw.blob(b"/etc/passwd"))],
    ".gitattributes with a filter": lambda raw, blob: [
        (FILE, ".gitattributes", raw.blob(b"* filter=evil diff=evil merge=evil\n")),
        (FILE, "x", blob),
    ],
    ".gitmodules that is nonsense": lambda raw, _: [(FILE, ".gitmodules", raw.blob(b"[submodule\n\0"))],
    "a submodule without .gitmodules": lambda raw, _: [(COMMIT, "s", A_COMMIT)],
}


def test_contents_of_any_kind_do_no_harm(volume: Volume, upstream: Repository) -> None:
    volume.sync()
    around, raw = Surroundings(volume), RawRepository(upstream)
    blob = raw.blob(b"evil")
    for kind, make in CONTENTS.items():
        before = volume.tree().name
        commit = raw.publish(raw.tree(make(raw, blob)))
        worked = try_sync(volume)
        assert volume.tree().name == (commit if worked else before), kind
        around.assert_same()
    upstream.commit({"a": "2"})
    volume.sync()
    assert volume.files() == {"a": "2"}


@pytest.mark.parametrize("levels", [1800, 10_000])
def test_directories_in_directories_do_no_harm(volume: Volume, upstream: Repository, levels: int) -> None:
    first = volume.sync().commit
    around, raw = Surroundings(volume), RawRepository(upstream)
    commit = raw.publish(raw.chain("d", levels))

    published = commit if try_sync(volume) else first
    assert volume.tree().name == published
    upstream.commit({"a": "2"})
    volume.sync()
    assert volume.files() == {"a": "2"}
    assert len(list((volume.root / ".worktrees").iterdir())) == 1
    around.assert_same()


def test_thousands_of_refs_are_not_copied(volume: Volume, upstream: Repository) -> None:
    commit = upstream.head()
    lines = sorted(f"refs/{kind}/{number:05}" for number in range(3000) for kind in ("heads/many", "tags"))
    header = "# pack-refs with: peeled fully-peeled sorted \n"
    (upstream.bare / "packed-refs").write_text(header + "".join(f"{commit} {line}\n" for line in lines))
    volume.sync()

    assert volume.files() == {"a": "1"}
    known = [path for path in (volume.root / ".git" / "refs").rglob("*") if path.is_file()]
    assert [path.name for path in known] == ["git-sync"]


def test_a_huge_file_comes_and_goes(volume: Volume, upstream: Repository) -> None:
    upstream.commit({"huge": b"\0" * (32 << 20)})
    volume.sync()
    assert (volume.tree() / "huge").stat().st_size == 32 << 20

    upstream.commit({"huge": None})
    volume.sync()
    assert volume.files() == {"a": "1"}


REFS = [
    "nope",
    "a..b",
    "a@{1}",
    "a b",
    "a\nb",
    "\x01\x7f\x1b[31m",
    "refs/../../x",
    "^main",
    "main:refs/heads/git-sync",
    "é" * 100,
    "x" * 100_000,
    "refs/heads/*",
]


def test_a_ref_of_any_kind_fails_and_takes_nothing_away(volume: Volume, upstream: Repository) -> None:
    first = volume.sync().commit
    around = Surroundings(volume)
    upstream.commit({"a": "2"})
    for ref in REFS:
        volume.restart(f"--ref={ref}")
        assert not try_sync(volume), ref
        assert volume.tree().name == first
        around.assert_same()
    for line in volume.log.getvalue().splitlines():
        json.loads(line)


REPOS = ["ext::touch pwned", "/etc", "file:///dev/zero", "no such\nplace", "x" * 100_000, "a@b:-c", "::"]


def test_a_repository_of_any_name_fails_and_takes_nothing_away(volume: Volume) -> None:
    first = volume.sync().commit
    for repo in REPOS:
        volume.restart(f"--repo={repo}")
        assert not try_sync(volume), repo
        assert volume.tree().name == first
    assert not list(volume.root.parent.rglob("pwned"))


def test_a_link_in_the_place_of_a_trees_git_file_is_not_written_through(
    volume: Volume, tmp_path: Path
) -> None:
    volume.sync()
    other = tmp_path / "other"
    (volume.tree() / ".git").rename(other)
    (volume.tree() / ".git").symlink_to(other)
    before = other.stat().st_mtime_ns
    volume.restart()
    volume.sync()

    assert other.stat().st_mtime_ns == before
    assert not (volume.tree() / ".git").is_symlink()
    assert volume.files() == {"a": "1"}

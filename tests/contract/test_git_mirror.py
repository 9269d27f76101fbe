"""The mirror follows what real git checks out: every kind of change, and nothing but the change."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from podmates_gitsync.mirror.journal import MirrorError
from podmates_gitsync.mirror.listing import MANIFEST
from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume
from tests.support.mirrored import content, state


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1", "deep/b": "1", "deep/er/c": "1"})
    return repository


@pytest.fixture
def volume(tmp_path: Path, upstream: Repository) -> Iterator[Volume]:
    made = Volume(tmp_path, upstream)
    made.restart(f"--mirror-dir={tmp_path / 'mirror'}")
    yield made
    made.close()


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "mirror"


def test_it_holds_what_git_has_and_nothing_else(volume: Volume, mirror: Path) -> None:
    volume.sync()

    assert content(mirror) == {"a": "1", "deep/b": "1", "deep/er/c": "1"}
    assert not mirror.is_symlink()
    assert not (mirror / ".git").exists()


def test_only_what_changed_is_touched(volume: Volume, mirror: Path, upstream: Repository) -> None:
    volume.sync()
    before = state(mirror)
    upstream.commit({"deep/b": "2", "new/file": "2"})
    volume.sync()
    after = state(mirror)

    assert content(mirror) == {"a": "1", "deep/b": "2", "deep/er/c": "1", "new/file": "2"}
    assert {name for name in before if before[name] != after[name]} == {"deep/b"}


def test_a_commit_that_changes_no_file_touches_none(
    volume: Volume, mirror: Path, upstream: Repository
) -> None:
    volume.sync()
    before = state(mirror)
    upstream.commit({}, "empty")

    assert volume.sync().changed
    assert state(mirror) == before


def test_links_executables_and_odd_names_are_as_in_the_repository(
    volume: Volume, mirror: Path, upstream: Repository
) -> None:
    odd = 'deep/ two\n"lines" \udcff'
    (upstream.work / "link").symlink_to("deep/b")
    (upstream.work / "away").symlink_to("/no/where")
    (upstream.work / "run").write_text("#!/bin/sh\n")
    (upstream.work / "run").chmod(0o755)
    (upstream.work / odd).write_text("odd")
    upstream.commit({})
    volume.sync()

    assert os.readlink(mirror / "link") == "deep/b"
    assert os.readlink(mirror / "away") == "/no/where"
    assert stat.S_IMODE((mirror / "run").stat().st_mode) == 0o755
    assert stat.S_IMODE((mirror / "a").stat().st_mode) == 0o644
    assert (mirror / odd).read_text() == "odd"

    before = state(mirror)
    (upstream.work / "run").chmod(0o644)
    (upstream.work / "link").unlink()
    (upstream.work / "link").symlink_to("deep")
    upstream.commit({"away": None})
    volume.sync()

    assert stat.S_IMODE((mirror / "run").stat().st_mode) == 0o644
    assert os.readlink(mirror / "link") == "deep"
    assert not (mirror / "away").is_symlink()
    assert {n for n, s in state(mirror).items() if before[n] != s} == {"run", "link"}


KINDS: dict[str, tuple[dict[str, str], dict[str, str | None]]] = {
    "file to folder": ({"x": "f"}, {"x": None, "x/y/z": "n"}),
    "folder to file": ({"x/y/z": "f", "x/w": "f"}, {"x": None, "x ": "beside"}),
    "folder to link": ({"x/y": "f"}, {"x": None}),
    "link to folder": ({}, {"x/y": "n"}),
    "link to file": ({}, {"x": "n"}),
    "deeper": ({"x/y": "f"}, {"x": None, "x/y/z": "n"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_path_may_become_another_kind_of_thing(
    volume: Volume, mirror: Path, upstream: Repository, kind: str
) -> None:
    first, second = KINDS[kind]
    if kind.startswith("link"):
        (upstream.work / "x").symlink_to("deep")
    upstream.commit(first)
    volume.sync()
    if kind.startswith("link"):
        (upstream.work / "x").unlink()
    upstream.commit({name: text for name, text in second.items() if text is None}, push=False)
    if kind == "folder to file":
        (upstream.work / "x").write_text("n")
    if kind == "folder to link":
        (upstream.work / "x").symlink_to("deep")
    upstream.commit({name: text for name, text in second.items() if text is not None})
    volume.sync()

    assert content(mirror) == content(upstream.work)


def test_folders_that_we_made_go_when_they_are_empty(
    volume: Volume, mirror: Path, upstream: Repository
) -> None:
    volume.sync()
    (mirror / "theirs").mkdir()
    (mirror / "deep" / "theirs.txt").write_text("theirs")
    upstream.commit({"theirs/ours": "1", "deep": None})
    volume.sync()
    assert content(mirror) == {"a": "1", "theirs/ours": "1", "deep/theirs.txt": "theirs"}
    assert not (mirror / "deep" / "er").exists()

    (mirror / "deep" / "theirs.txt").unlink()
    upstream.commit({"theirs": None})
    volume.sync()

    assert content(mirror) == {"a": "1"}
    assert (mirror / "theirs").is_dir()  # made by somebody else
    assert not (mirror / "deep").exists()


def test_submodules_are_mirrored_with_their_files(
    tmp_path: Path, volume: Volume, mirror: Path, upstream: Repository
) -> None:
    part = Repository(tmp_path / "part")
    part.commit({"inner/s": "1"})
    upstream.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", part.url, "part")
    upstream.commit({})
    os.environ["GIT_ALLOW_PROTOCOL"] = "file"
    try:
        volume.sync()
    finally:
        del os.environ["GIT_ALLOW_PROTOCOL"]

    assert content(mirror)["part/inner/s"] == "1"
    assert not (mirror / "part" / ".git").exists()


def test_a_sparse_tree_gives_a_sparse_mirror(volume: Volume, mirror: Path) -> None:
    volume.sync()
    volume.restart(f"--mirror-dir={mirror}", "--path=deep/er")
    volume.sync()

    assert "deep/er/c" in content(mirror)
    assert "deep/b" not in content(mirror)


def test_line_ends_that_change_without_the_blob_are_followed(
    volume: Volume, mirror: Path, upstream: Repository
) -> None:
    upstream.commit({"text": "one\ntwo\n"})
    volume.sync()
    assert (mirror / "text").read_bytes() == b"one\ntwo\n"
    upstream.commit({".gitattributes": "text text eol=crlf\n"})
    volume.sync()

    assert (mirror / "text").read_bytes() == b"one\r\ntwo\r\n"


def test_more_files_than_git_says_in_a_megabyte(volume: Volume, mirror: Path, upstream: Repository) -> None:
    folder = "/".join(["folder" * 40] * 7)
    names = [f"{folder}/{number}" for number in range(700)]
    upstream.commit(dict.fromkeys(names, "x"))
    volume.sync()

    assert sum(1 for path in mirror.rglob("*") if path.is_file()) == 700 + 3 + 1  # and the manifest


def test_a_repository_cannot_have_our_names(volume: Volume, mirror: Path, upstream: Repository) -> None:
    upstream.commit({MANIFEST: "evil"})
    with pytest.raises(MirrorError, match=r"cannot be mirrored under its name"):
        volume.sync()

    assert not (mirror / MANIFEST).exists()

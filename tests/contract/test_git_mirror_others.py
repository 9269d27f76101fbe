"""What a mirror does with files that somebody changed, and with files of others, over real git."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from podmates_gitsync.mirror.journal import MirrorError
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


def again(volume: Volume, mirror: Path, policy: str = "overwrite") -> None:
    """Let a new process sync."""
    volume.restart(f"--mirror-dir={mirror}", f"--mirror-local-changes={policy}")
    volume.sync()


@pytest.mark.parametrize("what", ["changed", "replaced by a link", "executable", "deleted", "moved away"])
@pytest.mark.parametrize("policy", ["overwrite", "keep", "fail"])
def test_local_changes(volume: Volume, mirror: Path, upstream: Repository, policy: str, what: str) -> None:
    volume.sync()
    match what:
        case "changed":
            (mirror / "a").write_text("local")
        case "replaced by a link":
            (mirror / "a").unlink()
            (mirror / "a").symlink_to("deep/b")
        case "executable":
            (mirror / "a").chmod(0o755)
        case "deleted":
            (mirror / "a").unlink()
        case "moved away":
            (mirror / "a").rename(mirror / "a.old")
    before = state(mirror)
    upstream.commit({"a": "2", "deep/b": "2"})
    volume.syncer.close()
    volume.restart(f"--mirror-dir={mirror}", f"--mirror-local-changes={policy}")
    if policy == "fail":
        with pytest.raises(MirrorError, match=r"a .somebody changed it"):
            volume.sync()
        assert state(mirror) == before
        return
    volume.sync()

    after = state(mirror)
    assert (mirror / "deep" / "b").read_text() == "2"
    if policy == "keep":
        assert after.get("a") == before.get("a")
        assert "are kept" in volume.log.getvalue()
    else:
        assert (mirror / "a").read_text() == "2"
        assert not (mirror / "a").is_symlink()
        assert (mirror / "deep" / "b").stat().st_mode & 0o100 == 0


def test_a_start_puts_right_what_somebody_changed(volume: Volume, mirror: Path) -> None:
    volume.sync()
    before = state(mirror)
    (mirror / "a").write_text("local")
    (mirror / "deep" / "er" / "c").unlink()
    again(volume, mirror)

    assert content(mirror) == {"a": "1", "deep/b": "1", "deep/er/c": "1"}
    assert state(mirror)["deep/b"] == before["deep/b"]


def test_a_touched_or_restored_file_with_the_same_content_is_no_change(
    volume: Volume, mirror: Path, upstream: Repository
) -> None:
    volume.sync()
    os.utime(mirror / "a")
    restored = mirror / "deep" / "b.restored"
    restored.write_text("1")
    restored.rename(mirror / "deep" / "b")
    before = state(mirror)
    upstream.commit({"deep/b": "2"})
    again(volume, mirror, "fail")

    assert content(mirror) == {"a": "1", "deep/b": "2", "deep/er/c": "1"}
    assert state(mirror)["a"] == before["a"]


@pytest.mark.parametrize("policy", ["overwrite", "keep", "fail"])
def test_a_file_of_others_in_the_way_is_never_touched(
    volume: Volume, mirror: Path, upstream: Repository, policy: str
) -> None:
    volume.sync()
    (mirror / "theirs").write_text("theirs")
    before = state(mirror)
    upstream.commit({"theirs": "ours", "a": "2"})
    volume.restart(f"--mirror-dir={mirror}", f"--mirror-local-changes={policy}")
    if policy == "keep":
        volume.sync()
        assert (mirror / "a").read_text() == "2"
    else:
        with pytest.raises(MirrorError, match=r"theirs .it is not ours"):
            volume.sync()
        assert state(mirror) == before
        (mirror / "theirs").write_text("ours")  # the same as in the repository: it may become ours
        volume.sync()
        upstream.commit({"theirs": "ours, too"})
        volume.sync()
        assert (mirror / "theirs").read_text() == "ours, too"
        return
    assert (mirror / "theirs").read_text() == "theirs"
    upstream.commit({"theirs": None})
    volume.sync()

    assert (mirror / "theirs").read_text() == "theirs"


def test_a_folder_with_files_of_others_is_never_removed(
    volume: Volume, mirror: Path, upstream: Repository
) -> None:
    volume.sync()
    (mirror / "deep" / "theirs").write_text("theirs")
    upstream.commit({"deep": None}, push=False)
    upstream.commit({"deep": "a file now", "a": "2"})
    with pytest.raises(MirrorError, match=r"deep/theirs"):
        volume.sync()
    assert content(mirror)["deep/theirs"] == "theirs"
    assert content(mirror)["deep/b"] == "1"

    (mirror / "deep" / "theirs").unlink()
    synced = volume.sync()

    assert content(mirror) == {"a": "2", "deep": "a file now"}
    assert synced.changed  # those who wait for the mirror are told now
    assert volume.handed[-1] == ("after", synced.commit)


def test_no_link_in_the_mirror_is_followed(
    tmp_path: Path, volume: Volume, mirror: Path, upstream: Repository
) -> None:
    volume.sync()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b").write_text("precious")
    (mirror / "deep").rename(tmp_path / "deep")
    (mirror / "deep").symlink_to(outside)
    (mirror / "a").unlink()
    (mirror / "a").symlink_to(outside / "b")
    upstream.commit({"deep/b": "2", "deep/new": "2"})
    with pytest.raises(MirrorError, match=r"deep .it is not ours"):
        volume.sync()
    assert content(outside) == {"b": "precious"}

    upstream.commit({"deep": None, "a": None})  # ours in there are gone: nothing to remove, nothing followed
    volume.sync()

    assert content(outside) == {"b": "precious"}
    assert (mirror / "deep").is_symlink()
    assert not (mirror / "a").is_symlink()

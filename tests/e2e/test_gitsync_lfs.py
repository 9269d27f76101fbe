"""Large files of git-lfs are in the tree, come from the repository's own server, and do not pile up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git_http import GitServer
from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.moving import files_below
from tests.support.programs import need
from tests.support.waiting import until

LARGE = b"\0large" * 5000


def pointer(content: bytes) -> str:
    name = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize {len(content)}\n"


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    need("git-lfs", "git-lfs")
    repository = Repository(tmp_path / "upstream")
    repository.commit({".gitattributes": "*.bin filter=lfs -text\n", "x.bin": pointer(LARGE), "a": "1"})
    return repository


@pytest.fixture
def server(upstream: Repository) -> Iterator[GitServer]:
    with GitServer(upstream.folder, ("user", "secret-word")) as made:
        made.large[hashlib.sha256(LARGE).hexdigest()] = LARGE
        yield made


def with_password(server: GitServer) -> str:
    return f"http://user:secret-word@127.0.0.1:{server.port}/bare.git"


def test_large_files_come_with_the_repositorys_password_and_old_ones_go(
    upstream: Repository, server: GitServer, tmp_path: Path
) -> None:
    with Gitsync(tmp_path, with_password(server), "--lfs=on") as sidecar:
        sidecar.wait_published(upstream.head())
        assert (sidecar.link / "x.bin").read_bytes() == LARGE

        newer = LARGE + b"more"
        server.large[hashlib.sha256(newer).hexdigest()] = newer
        sidecar.wait_published(upstream.commit({"x.bin": pointer(newer)}))
        assert (sidecar.link / "x.bin").read_bytes() == newer
        store = sidecar.root / ".git" / "lfs" / "objects"
        until(lambda: len(files_below(store)) == 1, 60, "the old file to go")
        assert "secret-word" not in sidecar.stderr


def test_a_server_that_the_repository_names_is_not_asked(
    upstream: Repository, server: GitServer, tmp_path: Path
) -> None:
    with GitServer(tmp_path) as evil:
        lines = f"[lfs]\n\turl = {evil.url}/x.git/info/lfs\n\tfetchexclude = *\n"
        lines += f'[remote "origin"]\n\tlfsurl = {evil.url}/y\n'
        commit = upstream.commit({".lfsconfig": lines})
        with Gitsync(tmp_path, with_password(server), "--lfs=on") as sidecar:
            sidecar.wait_published(commit)
            assert (sidecar.link / "x.bin").read_bytes() == LARGE
        assert evil.requests == []


def test_a_large_file_that_is_missing_fails_the_sync_and_the_tree_before_stays(
    upstream: Repository, server: GitServer, tmp_path: Path
) -> None:
    with Gitsync(tmp_path, with_password(server), "--lfs=on", "--max-failures=-1") as sidecar:
        first = upstream.head()
        sidecar.wait_published(first)
        wish = "[lfs]\n\tskipdownloaderrors = true\n"  # of the repository's; it has no say
        upstream.commit({"x.bin": pointer(b"nobody has it"), ".lfsconfig": wish})
        until(lambda: "error syncing repo" in sidecar.stderr, 60, "a failure")
        assert sidecar.published() == first


def test_without_it_the_pointer_is_in_the_tree(
    upstream: Repository, server: GitServer, tmp_path: Path
) -> None:
    with Gitsync(tmp_path, with_password(server)) as sidecar:
        sidecar.wait_published(upstream.head())
        assert (sidecar.link / "x.bin").read_text() == pointer(LARGE)


def test_a_machine_without_git_lfs_ends_the_start(upstream: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "path"
    folder.mkdir()
    (folder / "git").symlink_to(need("git", "git"))
    with Gitsync(tmp_path, upstream.url, "--lfs=on", env={"PATH": str(folder)}) as sidecar:
        assert sidecar.wait(60) == 1
        assert "git-lfs, which is not found" in sidecar.stderr

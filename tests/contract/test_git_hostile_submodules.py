"""Submodules of any URL, name and path run nothing, leave the tree nowhere, and get no password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from podmates_gitsync.files.removal import remove
from tests.support.git_http import GitServer
from tests.support.git_raw import COMMIT, FILE, RawRepository
from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.gitsync_surroundings import Surroundings, try_sync
from tests.support.gitsync_volume import Volume

A_COMMIT = "1" * 40


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


@pytest.fixture
def swept(tmp_path: Path) -> Iterator[None]:
    """Leave nothing behind: pytest removes old folders by recursion, and ends with an error at deep ones."""
    yield
    remove(tmp_path)
    tmp_path.mkdir()


URLS = [
    "ext::sh -c touch% {there}",
    "-u./pwned",
    "--upload-pack=touch {there}",
    "file:///etc",
    "../../../../etc",
    "ssh://-oProxyCommand=touch%20{there}/x",
    "https://127.0.0.1:1/%0ahost=example.com/x",
    "git://127.0.0.1:1/x",
    "fd::0",
]
PLACES = [("s", "../../x"), ("../s", "s"), (".git/hooks", "a\nb"), ("-s", "-s"), ("/tmp/s", "s")]


def test_a_submodule_of_any_url_runs_nothing_and_keeps_what_is_published(
    volume: Volume, upstream: Repository
) -> None:
    first = volume.sync().commit
    around, raw = Surroundings(volume), RawRepository(upstream)
    for url in (each.format(there=volume.root.parent / "pwned") for each in URLS):
        text = f'[submodule "s"]\n\tpath = s\n\turl = "{url}"\n'.encode()
        raw.publish(raw.tree([(FILE, ".gitmodules", raw.blob(text)), (COMMIT, "s", A_COMMIT)]))

        assert not try_sync(volume), url
        assert volume.tree().name == first
        around.assert_same()
        assert not list(volume.root.rglob("pwned")), url


@pytest.mark.parametrize(("place", "name"), PLACES)
def test_a_submodule_of_any_name_and_path_does_no_harm(
    volume: Volume, upstream: Repository, place: str, name: str
) -> None:
    volume.sync()
    around, raw, there = Surroundings(volume), RawRepository(upstream), volume.root.parent / "pwned"
    lines = [f'[submodule "{name}"]', f"\tpath = {place}", f"\turl = {upstream.url}"]
    text = "\n".join([*lines, f"\tupdate = !touch {there}", ""]).encode()
    raw.publish(raw.tree([(FILE, ".gitmodules", raw.blob(text)), (COMMIT, place, A_COMMIT)]))

    try_sync(volume)
    around.assert_same()
    assert not list(volume.root.rglob("pwned"))


def test_a_submodule_whose_url_was_wrong_comes_when_it_is_right(
    volume: Volume, upstream: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")
    inner = Repository(tmp_path / "inner")
    commit = inner.commit({"c": "1"})
    raw = RawRepository(upstream)
    volume.sync()
    for url in ("file:///nowhere", inner.url):
        text = f'[submodule "s"]\n\tpath = s\n\turl = {url}\n'.encode()
        raw.publish(raw.tree([(FILE, ".gitmodules", raw.blob(text)), (COMMIT, "s", commit)]))
        assert try_sync(volume) == (url == inner.url)
    assert (volume.tree() / "s" / "c").read_text() == "1"


@pytest.mark.usefixtures("swept")
def test_a_submodule_whose_name_is_a_thousand_directories_is_followed_as_any_other(
    volume: Volume, upstream: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of what looks through them may have a limit of its own, in the next process neither."""
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")
    inner, raw = Repository(tmp_path / "inner"), RawRepository(upstream)
    commit = inner.commit({"c": "1"})
    text = f'[submodule "{"/".join(["s"] * 1000)}"]\n\tpath = s\n\turl = {inner.url}\n'.encode()
    for number in range(3):
        entries = [(FILE, ".gitmodules", raw.blob(text)), (FILE, "a", raw.blob(b"%d" % number))]
        raw.publish(raw.tree([*entries, (COMMIT, "s", commit)]))
        if number == 2:
            volume.restart()
        volume.sync()
        assert (volume.tree() / "a").read_text() == str(number)
        assert (volume.tree() / "s" / "c").read_text() == "1"


def test_a_submodule_elsewhere_gets_no_password_of_the_repository(
    tmp_path: Path, upstream: Repository
) -> None:
    raw = RawRepository(upstream)
    with GitServer(upstream.folder, ("user", "secret")) as server, GitServer(tmp_path) as other:
        other.credentials = ("x", "y")
        text = f'[submodule "s"]\n\tpath = s\n\turl = {other.url}/s.git\n'.encode()
        raw.publish(raw.tree([(FILE, ".gitmodules", raw.blob(text)), (COMMIT, "s", A_COMMIT)]))
        repo = server.url.replace("http://", "http://user:secret@") + "/bare.git"
        with Gitsync(tmp_path, repo) as process:
            assert process.wait(60) == 1
    assert server.delivered
    assert other.requests
    assert not set(other.delivered) & set(server.delivered)  # newer git tries with an empty name and password

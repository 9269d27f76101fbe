"""Large files come from the repository's own server, whatever the repository says."""

from __future__ import annotations

import pytest

from podmates_gitsync.git.lfs import config, endpoint, objects


@pytest.mark.parametrize(
    ("repo", "url"),
    [
        ("https://h/a/b", "https://h/a/b.git/info/lfs"),
        ("https://h/a/b.git/", "https://h/a/b.git/info/lfs"),
        ("ssh://git@h/a/b.git", "ssh://git@h/a/b.git"),
        ("git@h:a/b.git", "git@h:a/b.git"),
        ("file:///a/b", "file:///a/b"),
        ("/a/b", "file:///a/b"),
    ],
)
def test_the_server_is_that_of_the_repository(repo: str, url: str) -> None:
    assert endpoint(repo) == url
    assert dict(config(repo))["lfs.url"] == url


def test_the_files_of_a_commit_are_read_from_a_list() -> None:
    one, two = "a" * 64, "b" * 64

    assert objects(f"{one} * dir/{two} - x\n{two} - odd name\nnonsense\n") == {one, two}

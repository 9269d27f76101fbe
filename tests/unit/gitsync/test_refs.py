"""Names of git are told apart by their form."""

from __future__ import annotations

import pytest

from podmates_gitsync.git.refs import default_link, fetched, is_hash

HASH = "d25c7cb50ef25a3b08f515c3b4804cbc7a3acf9e"
LINKS = {
    "https://host/group/repo.git": "repo.git",
    "https://host/group/repo/": "repo",
    "git@host:group/repo": "repo",
    "repo": "repo",
    "/srv/repo///": "repo",
}


@pytest.mark.parametrize(("repo", "link"), LINKS.items())
def test_the_link_is_called_like_the_repository(repo: str, link: str) -> None:
    assert default_link(repo) == link


def test_only_a_full_hash_is_a_hash() -> None:
    assert is_hash(HASH)
    assert is_hash("0" * 64)
    assert not is_hash(HASH[:39])
    assert not is_hash(HASH.upper())


def test_the_first_line_of_fetch_head_counts() -> None:
    text = f"{HASH}\t\tbranch 'main' of file:///srv/x\n{'0' * 40}\tnot-for-merge\tother\n"

    assert fetched(text) == HASH


@pytest.mark.parametrize("text", ["", "\n", "nonsense\tx\n"], ids=repr)
def test_an_empty_fetch_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="names no object"):
        fetched(text)

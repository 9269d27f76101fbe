"""A directory of `--path` is a pattern that means that directory and nothing else."""

from __future__ import annotations

import pytest

from podmates_gitsync.trees.sparse import normal, patterns


@pytest.mark.parametrize(
    ("given", "path"),
    [("docs", "docs"), ("/docs/", "docs"), ("./a//b/.", "a/b"), ("-x", "-x"), ("a b ", "a b "), ("!n", "!n")],
)
def test_a_path_is_made_normal(given: str, path: str) -> None:
    assert normal(given) == path


@pytest.mark.parametrize(
    "given", ["", "/", ".", "..", "a/../b", "../etc", ".git", "a/.GIT/hooks", "a\nb", "a\rb", "a\0b"]
)
def test_a_path_that_is_none_or_leads_out_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"must|names"):
        normal(given)


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("a/b", "/a/b/\n"),
        ("*", "/\\*/\n"),
        ("a?[b]\\", "/a\\?\\[b]\\\\/\n"),
        ("!a", "/!a/\n"),
        ("#a", "/#a/\n"),
        ("a ", "/a /\n"),
    ],
)
def test_no_character_of_a_path_is_special(path: str, pattern: str) -> None:
    assert patterns([path]) == pattern


def test_several_paths_are_a_line_each() -> None:
    assert patterns(["a", "b/c"]) == "/a/\n/b/c/\n"

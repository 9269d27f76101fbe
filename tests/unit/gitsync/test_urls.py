"""User information leaves a URL before anything reaches a command line."""

from __future__ import annotations

import pytest

from podmates_gitsync.git.urls import bare, has_password

BARE = {
    "https://host/x": ("https://host/x", None, None),
    "https://user:password@host/x": ("https://host/x", "user", "password"),
    "http://token@host:8080/x": ("http://host:8080/x", "token", None),
    "HTTPS://u:p@host": ("HTTPS://host", "u", "p"),
    "https://u:p%40ss%2F%25@host/a%20b": ("https://host/a%20b", "u", "p@ss/%"),
    "https://u%3Aser:p:q@host/x": ("https://host/x", "u:ser", "p:q"),
    "https://us@er:p@host/x": ("https://host/x", "us@er", "p"),
    "https://:p@host/x": ("https://host/x", "", "p"),
    "https://u:100%@host/x": ("https://host/x", "u", "100%"),
    "https://host/x@y": ("https://host/x@y", None, None),
    "https://host/x:y@z": ("https://host/x:y@z", None, None),
    "ssh://git@host/x": ("ssh://git@host/x", None, None),
    "git@host:x": ("git@host:x", None, None),
    "file:///a@b": ("file:///a@b", None, None),
}
PASSWORDS = {
    "ssh://git:password@host/x": True,
    "ssh://git@host/x": False,
    "https://u:p@host/x": False,  # taken out before
    "git@host:x": False,
    "ssh://host/a:b@c": False,
    "https:/u:p@host/x": True,  # a slash forgotten
    "HTTP:u:p@host": True,
    "http:host/x": False,
    "https:/host/a@b": False,
}


@pytest.mark.parametrize(("url", "parts"), BARE.items())
def test_a_url_is_taken_apart(url: str, parts: tuple[str, str | None, str | None]) -> None:
    assert bare(url) == parts


@pytest.mark.parametrize(("url", "has"), PASSWORDS.items())
def test_a_password_that_would_reach_a_command_line_is_seen(url: str, has: bool) -> None:
    assert has_password(url) is has

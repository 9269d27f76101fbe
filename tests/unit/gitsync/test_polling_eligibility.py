"""The question is asked in process only where git would ask in the very same way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from podmates_gitsync.polling.eligibility import Endpoint, Held, Setup, credential, endpoint, objection

REPO = "https://example.com/a/b.git"
HELPER = "cache --timeout 3600"
OURS = (
    ("credential.helper", HELPER),
    ("core.askpass", "true"),
    ("safe.directory", "*"),
    ("remote.origin.url", REPO),
    ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"),
    (f"remote.{REPO}.promisor", "true"),
    (f"remote.{REPO}.partialclonefilter", "blob:none"),
    ("submodule.x.url", "https://elsewhere/x"),
    ("gc.auto", "0"),
)
PLAIN = Setup(
    repo=REPO,
    ref="main",
    variables=frozenset({"PATH", "HOME", "GIT_SYNC_REPO", "GIT_SERVER_SERVICE_HOST", "GIT_PORT_80_TCP_ADDR"}),
    own=frozenset({"GIT_SYNC_REPO"}),
    config=OURS,
    helper=HELPER,
)
ONE = Held("https://example.com/a/b.git", "user", "word")

ALLOWED: dict[str, dict[str, Any]] = {
    "as it is": {},
    "http": {"repo": "http://example.com:8080/x", "config": ()},
    "an address": {"repo": "http://[::1]:8080/x", "config": ()},
    "HEAD": {"ref": "HEAD"},
    "a full name": {"ref": "refs/pull/7/head"},
    "our credential": {"held": [ONE]},
    "a credential for another server": {"held": [Held("https://other.example.com", "u", "p")]},
    "one for another port": {"held": [Held("https://example.com:8443/", "u", "p")]},
    "one for another scheme": {"held": [Held("http://example.com/", "u", "p")]},
    "ours and another's": {"held": [ONE, Held("https://other.example.com", "u", "p")]},
}
REFUSED: dict[str, dict[str, Any]] = {
    "ssh": {"repo": "ssh://git@example.com/x"},
    "scp's form": {"repo": "git@example.com:x"},
    "a file": {"repo": "file:///x"},
    "a user in the address": {"repo": "https://user@example.com/x"},
    "a query": {"repo": "https://example.com/x?y"},
    "dots in the path": {"repo": "https://example.com/a/../x"},
    "no path": {"repo": "https://example.com"},
    "no such port": {"repo": "https://example.com:99999/x"},
    "letters outside ASCII": {"repo": "https://exämple.com/x"},
    "another git": {"git": "/usr/local/bin/git-wrapper"},
    "a hash": {"ref": "a" * 40},
    "a proxy": {"variables": frozenset({"https_proxy"})},
    "a proxy in capitals": {"variables": frozenset({"ALL_PROXY"})},
    "no_proxy": {"variables": frozenset({"no_proxy"})},
    "a variable of git": {"variables": frozenset({"GIT_SSL_NO_VERIFY"})},
    "configuration by variables": {"variables": frozenset({"GIT_CONFIG_COUNT"})},
    "a .netrc": {"netrc": True},
    "two credentials": {"held": [ONE, Held("https://example.com/c", "other", "word")]},
    "a credential that spells the port": {"held": [Held("https://example.com:443/", "u", "p")]},
    "a credential in capitals": {"held": [Held("https://EXAMPLE.com/", "u", "p")]},
    "a colon in the user": {"held": [Held(REPO, "us:er", "word")]},
    "a line break in the password": {"held": [Held(REPO, "user", "wo\rrd")]},
    "another address by url.": {"config": [*OURS, ("url.https://mirror/.insteadof", "https://example.com/")]},
    "http.proxy": {"config": [*OURS, ("http.proxy", "http://proxy")]},
    "a cookie": {"config": [*OURS, ("http.cookiefile", "/cookies")]},
    "http for one address": {"config": [*OURS, ("http.https://example.com.sslverify", "false")]},
    "a remote of that name": {"config": [*OURS, (f"remote.{REPO}.proxy", "x")]},
    "protocol.version": {"config": [*OURS, ("protocol.version", "0")]},
    "core.gitproxy": {"config": [*OURS, ("core.gitproxy", "x")]},
    "another helper": {"config": [*OURS, ("credential.helper", "store")]},
    "a helper for one address": {"config": [*OURS, ("credential.https://example.com.helper", HELPER)]},
    "a user by credential.": {"config": [*OURS, ("credential.username", "x")]},
    "an included file": {"config": [*OURS, ("include.path", "/x")]},
    "one for some directories": {"config": [*OURS, ("includeif.gitdir:/x.path", "/x")]},
}


@pytest.mark.parametrize("changed", ALLOWED.values(), ids=ALLOWED)
def test_a_plain_setup_is_asked_in_process(changed: dict[str, Any]) -> None:
    assert objection(replace(PLAIN, **changed)) is None


@pytest.mark.parametrize("changed", REFUSED.values(), ids=REFUSED)
def test_what_only_git_understands_is_left_to_git(changed: dict[str, Any]) -> None:
    assert objection(replace(PLAIN, **changed)) is not None


def test_the_credential_of_exactly_that_server_is_sent_and_no_other() -> None:
    assert credential(replace(PLAIN, held=[ONE])) == ONE
    assert credential(replace(PLAIN, held=[Held("https://example.com", "u", "p")])) is not None
    for url in ("http://example.com/", "https://example.com:8443/", "https://example.com.evil.example/", "x"):
        assert credential(replace(PLAIN, held=[Held(url, "u", "p")])) is None, url


def test_an_address_is_taken_apart() -> None:
    assert endpoint("http://example.com/a/b.git/") == Endpoint(
        "http", "example.com", 80, "example.com", "/a/b.git"
    )
    assert endpoint("https://[::1]:8443/%7Ex") == Endpoint("https", "::1", 8443, "[::1]:8443", "/%7Ex")

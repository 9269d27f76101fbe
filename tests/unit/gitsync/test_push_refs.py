"""A push is synced for when it can be ours, and its commit is waited for when it certainly is."""

from __future__ import annotations

import pytest

from podmates_gitsync.push.payloads import concerns
from tests.support.push_requests import PROVIDERS, ZEROS, push
from tests.unit.gitsync.test_push_providers import COMMIT, SECRET, judged


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if name != "generic"])
def test_other_and_deleted_refs_are_not_synced_for(provider: str) -> None:
    tag = push(provider, SECRET, ref="refs/tags/v1", commit=COMMIT)

    assert judged(push(provider, SECRET, ref="refs/heads/feature/main")).result == "other_ref"
    assert judged(push(provider, SECRET, commit=ZEROS))[:2] == (200, "deleted_ref")
    assert judged(tag).result == "other_ref"
    assert judged(tag, "v1")[:4] == (202, "queued", "refs/tags/v1", COMMIT)


TOLD = ("forgejo", "gitea", "gogs", "gitlab", "azure", "github")  # who name the default branch
FEATURE, TAG = "refs/heads/feature", "refs/tags/v1"


@pytest.mark.parametrize(
    ("providers", "ref", "wanted", "result", "announced"),
    [
        (TOLD, "refs/heads/main", "HEAD", "queued", COMMIT),
        (TOLD, FEATURE, "HEAD", "other_ref", ""),
        (TOLD, TAG, "HEAD", "other_ref", ""),
        (("bitbucket", "bitbucket-dc"), "refs/heads/main", "HEAD", "queued", ""),
        (("bitbucket", "bitbucket-dc"), FEATURE, "HEAD", "queued", ""),  # it may be the default branch
        (("bitbucket", "bitbucket-dc"), TAG, "HEAD", "other_ref", ""),
        ((*TOLD, "bitbucket", "bitbucket-dc"), FEATURE, "feature", "queued", COMMIT),
        ((*TOLD, "bitbucket", "bitbucket-dc"), FEATURE, "heads/feature", "queued", COMMIT),
        ((*TOLD, "bitbucket", "bitbucket-dc"), TAG, TAG, "queued", COMMIT),
        ((*TOLD, "bitbucket", "bitbucket-dc"), FEATURE, "f" * 40, "queued", ""),  # whatever came with it
        (("generic",), FEATURE, "HEAD", "queued", ""),
    ],
)
def test_only_a_commit_that_is_sure_to_come_is_waited_for(
    providers: tuple[str, ...], ref: str, wanted: str, result: str, announced: str
) -> None:
    for provider in providers:
        verdict = judged(push(provider, SECRET, ref=ref, commit=COMMIT), wanted)
        assert (provider, verdict.result, verdict.commit) == (provider, result, announced)


@pytest.mark.parametrize("odd", [None, "", 7, ["main"], {"name": "main"}])
def test_a_default_branch_that_cannot_be_read_is_not_told(odd: object) -> None:
    sent = push("github", SECRET, ref=FEATURE, commit=COMMIT, repository={"default_branch": odd})

    assert judged(sent, "HEAD")[:4] == (202, "queued", FEATURE, "")


@pytest.mark.parametrize(
    ("wanted", "ours", "others"),
    [
        ("HEAD", ["refs/heads/main", "refs/heads/x"], ["refs/tags/v1"]),
        ("main", ["refs/heads/main", "refs/tags/main"], ["refs/heads/x/main", "refs/heads/mai", "main2"]),
        ("refs/heads/main", ["refs/heads/main"], ["refs/tags/main"]),
        ("heads/main", ["refs/heads/main"], ["refs/heads/heads/m"]),
        (COMMIT, ["refs/heads/x", "refs/tags/v1"], []),
    ],
)
def test_a_ref_is_ours_by_gits_rules(wanted: str, ours: list[str], others: list[str]) -> None:
    assert [concerns(ref, wanted) for ref in ours] == [True] * len(ours)
    assert [concerns(ref, wanted) for ref in others] == [False] * len(others)

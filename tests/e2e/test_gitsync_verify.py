"""Only what a known key signed is published, where that is asked for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.ports import free_port
from tests.support.signing import Key, commit, tag
from tests.support.waiting import until
from tests.support.web import get

REFUSED = "hash refused, not published"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return Key(tmp_path_factory.mktemp("keys"), "good")


@pytest.fixture
def signers(tmp_path: Path, key: Key) -> str:
    (tmp_path / "allowed").write_text(key.allowed())
    return "--verify-ssh-allowed-signers-file=allowed"  # relative: to where the user is


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "upstream")


def test_enforce_publishes_signed_commits_only(
    tmp_path: Path, upstream: Repository, key: Key, signers: str
) -> None:
    port = free_port()
    flags = ["--verify=enforce", signers, "--error-file=error", f"--http-bind=127.0.0.1:{port}"]
    with Gitsync(tmp_path, upstream.url, *flags, "--http-metrics", "--max-failures=-1") as process:
        first = commit(upstream, "one", key)
        process.wait_published(first)
        bad = commit(upstream, "two")
        process.wait_line(REFUSED)
        until((process.root / "error").exists, 60, "the error file")
        assert process.published() == first
        assert [path.name for path in (process.root / ".worktrees").iterdir()] == [first]
        held = json.loads((process.root / "error").read_text())
        assert held["Args"] == {"hash": bad, "reason": "signature"}

        third = commit(upstream, "three", key)
        process.wait_published(third)
        until(lambda: not (process.root / "error").exists(), 60, "the error file to go")
        metrics = get(f"http://127.0.0.1:{port}/metrics").body
        assert 'git_sync_rejected_total{reason="signature"} 1\n' in metrics
        assert "git_fetch_count_total 2\n" in metrics


def test_what_must_be_signed_is_as_the_flag_says(
    tmp_path: Path, upstream: Repository, key: Key, signers: str
) -> None:
    """A signed tag of a commit that is not, and the other way about."""
    found, always = {}, ["--one-time", "--verify=enforce", signers.replace("=", f"={tmp_path}/")]
    for name, of_commit, of_tag in (("tagged", None, key), ("plain", key, None)):
        commit(upstream, name, of_commit)
        tag(upstream, name, of_tag)
        for objects in ("commit", "tag", "both"):
            flags = [f"--ref={name}", f"--verify-objects={objects}", *always]
            with Gitsync(tmp_path / f"{name}-{objects}", upstream.url, *flags) as process:
                found[name, objects] = process.wait(60)

    good = {("tagged", "tag"), ("plain", "commit")}
    assert found == {pair: 0 if pair in good else 1 for pair in found}


def test_audit_publishes_and_tells(tmp_path: Path, upstream: Repository, key: Key, signers: str) -> None:
    commit(upstream, "one")
    with Gitsync(tmp_path, upstream.url, "--one-time", "--verify=audit", signers) as process:
        assert process.wait(60) == 0
        assert process.published() == upstream.head()
        (told,) = [m for m in process.messages() if m["msg"].startswith("signature is not good")]
        assert told["hash"] == upstream.head()


def test_enforcement_that_begins_late_takes_nothing_away(
    tmp_path: Path, upstream: Repository, signers: str
) -> None:
    """What an earlier process published unsigned stays, and is told of."""
    commit(upstream, "one")
    with Gitsync(tmp_path, upstream.url, "--one-time") as process:
        assert process.wait(60) == 0
    with Gitsync(tmp_path, upstream.url, "--one-time", "--verify=enforce", signers) as process:
        assert process.wait(60) == 1
        assert process.published() == upstream.head()
        assert (process.link / "a").read_text() == "one"


def test_a_signature_comes_before_the_gate(
    tmp_path: Path, upstream: Repository, key: Key, signers: str
) -> None:
    """Nothing of a commit that nobody vouches for is run, or even checked out."""
    asked = tmp_path / "asked"
    hook = tmp_path / "gate"
    hook.write_text(f"#!/bin/sh\necho $GITSYNC_HASH >> {asked}\n")
    hook.chmod(0o755)
    flags = ["--one-time", "--verify=enforce", signers, "--pre-publish-exechook-mode=gate"]
    flags.append(f"--pre-publish-exechook-command={hook}")
    commit(upstream, "one")
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        assert process.wait(60) == 1
        assert not asked.exists()
        assert not (process.root / ".worktrees").exists()
    good = commit(upstream, "two", key)
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        assert process.wait(60) == 0
    assert asked.read_text() == f"{good}\n"


@pytest.mark.parametrize("missing", ["signers", "ssh-keygen"])
def test_what_it_cannot_check_with_ends_the_start(
    tmp_path: Path, upstream: Repository, signers: str, missing: str
) -> None:
    commit(upstream, "one")
    env = {}
    if missing == "signers":
        (tmp_path / "allowed").unlink()
    else:
        programs = tmp_path / "programs"
        programs.mkdir()
        (programs / "git").symlink_to(shutil.which("git") or "git")
        env["PATH"] = str(programs)
    with Gitsync(tmp_path, upstream.url, "--verify=enforce", signers, env=env) as process:
        assert process.wait(60) == 1
        assert "cannot verify signatures" in process.stderr
        assert not process.link.is_symlink()

"""A repository made for a test can be cloned over HTTP, and only with the credentials asked for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.git_http import GitServer
from tests.support.git_repo import Repository, git_environment
from tests.support.processes import run


def clone(url: str, target: Path, *options: str) -> int:
    argv = ["git", *options, "clone", "--quiet", url, str(target)]
    return run(argv, env=git_environment(target.parent)).status


@pytest.mark.parametrize("version", ["0", "2"])
def test_a_clone_over_http_is_what_was_committed(tmp_path: Path, version: str) -> None:
    repository = Repository(tmp_path)
    repository.commit({"a.txt": "old", "b/c.bin": bytes(range(256))})
    commit = repository.commit({"a.txt": None, "d.txt": "new"})
    with GitServer(tmp_path) as server:
        target = tmp_path / "clone"

        assert clone(f"{server.url}/bare.git", target, "-c", f"protocol.version={version}") == 0
        assert {path.name for path in target.rglob("*") if ".git" not in path.parts} == {
            "b",
            "c.bin",
            "d.txt",
        }
        assert (target / ".git/refs/heads/main").read_text().strip() == commit
        assert any("git-upload-pack" in request for request in server.requests)


def test_a_fetch_with_many_haves_sends_a_compressed_body_that_is_understood(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    for number in range(40):
        repository.commit({"n": str(number)}, push=False)
    repository.push()
    with GitServer(tmp_path) as server:
        target = tmp_path / "clone"
        assert clone(f"{server.url}/bare.git", target) == 0
        last = repository.commit({"n": "last"})
        environment = git_environment(tmp_path)
        subprocess.run(["git", "fetch", "--quiet"], cwd=target, env=environment, check=True, timeout=60)

        assert (target / ".git/refs/remotes/origin/main").read_text().strip() == last


def test_credentials_are_asked_for_and_failures_are_made_on_demand(tmp_path: Path) -> None:
    Repository(tmp_path).commit({"a": "1"})
    with GitServer(tmp_path, ("user", "secret")) as server:
        assert clone(f"{server.url}/bare.git", tmp_path / "without") != 0
        known = server.url.replace("http://", "http://user:secret@")
        assert clone(f"{known}/bare.git", tmp_path / "with") == 0
        server.failure = 503
        assert clone(f"{known}/bare.git", tmp_path / "down") != 0

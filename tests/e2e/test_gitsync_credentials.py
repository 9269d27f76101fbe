"""Passwords reach the server through git's own machinery, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git_http import GitServer
from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.waiting import until

USER, PASSWORD = "deploy", "p@ss/wo%rd"


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


@pytest.fixture
def server(upstream: Repository) -> Iterator[GitServer]:
    with GitServer(upstream.folder, (USER, PASSWORD)) as running:
        yield running


def ways(server: GitServer, folder: Path) -> dict[str, tuple[str, list[str], dict[str, str]]]:
    """Return repo, flags and variables of each way to give a password."""
    url = f"{server.url}/bare.git"
    (folder / "password").write_text(PASSWORD + "\n")
    return {
        "variable": (url, [f"--username={USER}"], {"GITSYNC_PASSWORD": PASSWORD}),
        "old variable": (url, [], {"GITSYNC_USERNAME": USER, "GIT_SYNC_PASSWORD": PASSWORD}),
        "file": (url, [f"--username={USER}", f"--password-file={folder}/password"], {}),
        "old flag": (url, [f"--username={USER}", f"--password={PASSWORD}"], {}),
        "URL": (url.replace("://", f"://{USER}:p%40ss%2Fwo%25rd@"), [], {}),
    }


def command_lines() -> str:
    """Return the command lines of all processes but those that a test gave a password itself."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
    return "\n".join(line for line in found if "git-sync --repo" not in line)


@pytest.mark.parametrize("way", ["variable", "old variable", "file", "old flag", "URL"])
def test_every_way_to_give_a_password_works_and_no_log_shows_it(
    tmp_path: Path, server: GitServer, upstream: Repository, way: str
) -> None:
    repo, flags, env = ways(server, tmp_path)[way]
    with Gitsync(tmp_path, repo, *flags, "-v9", env=env) as process:
        process.wait_published(upstream.head())
        process.wait_published(upstream.commit({"a": "2"}))
        assert PASSWORD not in command_lines()
        (folder,) = tmp_path.glob("git-sync.credential.*")
        process.stop()
        until(lambda: str(folder) not in command_lines(), 30, "the cache's daemon to end")

        assert PASSWORD not in process.output
        assert "p%40ss" not in process.output
        assert list(tmp_path.glob("git-sync.*")) == []
        for text in (process.root / ".git" / "config", process.root / ".git" / "FETCH_HEAD"):
            assert "ss/wo" not in text.read_text()
            assert "ss%2Fwo" not in text.read_text()


def test_a_wrong_password_fails_without_asking_anybody(tmp_path: Path, server: GitServer) -> None:
    env = {"GITSYNC_PASSWORD": "wrong"}
    with Gitsync(tmp_path, f"{server.url}/bare.git", f"--username={USER}", env=env) as process:
        assert process.wait(60) == 1
        assert "Authentication failed" in process.messages()[-1]["error"]


def test_no_password_fails_without_asking_anybody(tmp_path: Path, server: GitServer) -> None:
    asked, program = tmp_path / "asked", tmp_path / "ask"
    program.write_text(f"#!/bin/sh\n: > {asked}\n")
    program.chmod(0o755)
    env = {"SSH_ASKPASS": str(program)}  # of somebody's desktop
    with Gitsync(tmp_path, f"{server.url}/bare.git", env=env) as process:
        assert process.wait(60) == 1
    assert not asked.exists()


def test_a_rotated_password_file_is_read_at_the_next_sync(
    tmp_path: Path, server: GitServer, upstream: Repository
) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    flags = [f"--username={USER}", f"--password-file={file}", "--max-failures=-1"]
    with Gitsync(tmp_path, f"{server.url}/bare.git", *flags) as process:
        process.wait_published(upstream.head())
        server.credentials = (USER, "new")
        commit = upstream.commit({"a": "2"})
        process.wait_line("Authentication failed")
        file.with_suffix(".new").write_text("new")
        os.replace(file.with_suffix(".new"), file)

        process.wait_published(commit)

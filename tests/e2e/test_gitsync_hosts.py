"""A repository and its submodule on two hosts: each server gets the password that is for it, no other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git_http import GitServer
from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync

SECRET, OTHER = "s3cr3t", "0th3r"
USER = "deploy"


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "upstream")


@pytest.fixture
def server(upstream: Repository) -> Iterator[GitServer]:
    with GitServer(upstream.folder, (USER, SECRET)) as running:
        yield running


def credential(url: str, **more: str) -> str:
    return json.dumps({"url": url, "username": USER, **{name.replace("_", "-"): more[name] for name in more}})


@pytest.fixture
def elsewhere(tmp_path: Path, upstream: Repository) -> Iterator[GitServer]:
    """Return another server, for a submodule of the repository."""
    part = Repository(tmp_path / "part")
    commit = part.commit({"b": "1"})
    with GitServer(part.folder, (USER, OTHER)) as running:
        text = f'[submodule "part"]\n\tpath = part\n\turl = {running.url}/bare.git\n'
        upstream.commit({".gitmodules": text}, push=False)
        upstream.git("update-index", "--add", "--cacheinfo", f"160000,{commit},part")
        upstream.git("commit", "--quiet", "-m", "a part")
        upstream.push()
        yield running


@pytest.mark.parametrize("way", ["file", "variable", "both"])
def test_a_submodule_on_another_host_gets_its_own_credential(
    tmp_path: Path, server: GitServer, elsewhere: GitServer, way: str
) -> None:
    (tmp_path / "word").write_text(f"{OTHER}\n")
    own, its = credential(server.url, password=SECRET), credential(elsewhere.url, password=OTHER)
    flags, env = {
        "file": (
            [f"--credential={own}", "--credential", credential(elsewhere.url, password_file="word")],
            {},
        ),
        "variable": ([], {"GITSYNC_CREDENTIAL": f"[{own},\n{its}]"}),
        "both": ([f"--credential={own}"], {"GITSYNC_CREDENTIAL": its}),
    }[way]

    with Gitsync(tmp_path, f"{server.url}/bare.git", "--one-time", "-v9", *flags, env=env) as process:
        assert process.wait(60) == 0, process.output
        assert (process.link / "part" / "b").read_text() == "1"
        for secret in (SECRET, OTHER):
            assert secret not in process.output
    assert len(set(elsewhere.delivered)) == len(set(server.delivered)) == 1
    assert set(elsewhere.delivered) != set(server.delivered)


def test_a_submodule_on_another_host_gets_no_password_of_the_repository(
    tmp_path: Path, server: GitServer, elsewhere: GitServer
) -> None:
    flags = [f"--username={USER}", "--one-time"]
    env = {"GITSYNC_PASSWORD": SECRET}
    with Gitsync(tmp_path, f"{server.url}/bare.git", *flags, env=env) as process:
        assert process.wait(60) == 1
        assert "Failed to clone 'part'" in process.messages()[-1]["error"]
    assert server.delivered
    assert not set(elsewhere.delivered) & set(server.delivered)

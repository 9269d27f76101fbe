"""Following a repository that is served as hosting services do: nginx before git's own backend."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from tests.support.git_repo import Repository, git_environment
from tests.support.gitsync import Gitsync
from tests.support.nginx_git import NginxGit
from tests.support.programs import need
from tests.support.waiting import until


@pytest.mark.parametrize("credentials", [None, ("user", "hunter2")], ids=["open", "with a password"])
def test_a_push_through_nginx_is_published(tmp_path: Path, credentials: tuple[str, str] | None) -> None:
    upstream = Repository(tmp_path / "upstream")
    # Larger than nginx keeps in memory, and than git sends in one piece.
    first = upstream.commit({"index.html": "first", "large": random.Random(0).randbytes(4 << 20)})
    with NginxGit(upstream.folder, credentials) as server:
        url = f"{server.url}/bare.git"
        env, flags, pushing = {}, [], url
        if credentials:
            user, password = credentials
            env, flags = {"GITSYNC_PASSWORD": password}, [f"--username={user}"]
            pushing = url.replace("//", f"//{user}:{password}@")
        with Gitsync(tmp_path, url, "--ref=main", *flags, env=env) as process:
            process.wait_published(first)
            second = upstream.commit({"index.html": "second"}, push=False)
            push = [need("git", "git"), "push", "--quiet", pushing, "HEAD:main"]
            subprocess.run(push, cwd=upstream.work, env=git_environment(tmp_path), check=True, timeout=60)

            process.wait_published(second)
            assert (process.link / "index.html").read_text() == "second"
            assert (process.link / "large").stat().st_size == 4 << 20

        until(lambda: "200 POST /bare.git/git-receive-pack" in server.requests, what="the push in the log")
        assert any(line.startswith("200 POST /bare.git/git-upload-pack") for line in server.requests)
        assert not credentials or any(line.startswith("401 ") for line in server.requests)

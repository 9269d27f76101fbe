"""Act one: a commit is pushed, and the page served from the shared volume changes."""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path

from tests.support.git_http import GitServer
from tests.support.git_repo import Repository
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.programs import script
from tests.support.waiting import until
from tools.demo.stage import Stage


def page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as response:
        text: str = response.read().decode().strip()
        return text


def play(stage: Stage, folder: Path) -> None:
    """Run the act below *folder*.

    Raises:
        AssertionError: something that was announced did not happen.
    """
    stage.act("1. Sidecar gitsync: git push deploys")
    repository = Repository(folder / "repository")
    first = repository.commit({"index.html": "<h1>first</h1>"})
    volume, port = folder / "volume", free_port()
    with GitServer(repository.folder) as remote:
        follow = ["--repo", f"{remote.url}/bare.git", "--ref", "main", "--root", str(volume)]
        serve = ["http.server", "--bind", "127.0.0.1", str(port), "--directory", str(volume / "site")]
        with (
            Process([script("podmates-gitsync"), *follow, "--link", "site", "--period", "250ms"]) as sidecar,
            Process([sys.executable, "-m", *serve]),
        ):
            stage.say(f"a web server serves {volume / 'site'}, gitsync follows {remote.url}/bare.git")
            with stage.step("the first commit appears"):
                until(lambda: page(port) == "<h1>first</h1>", 60, "the first page", ignoring=(OSError,))
            stage.show(f"GET /  →  {page(port)}    (site → {(volume / 'site').readlink()})")
            second = repository.commit({"index.html": "<h1>second</h1>"})
            with stage.step("git push, and the page is the new one"):
                until(lambda: page(port) == "<h1>second</h1>", 60, "the second page", ignoring=(OSError,))
            stage.show(f"GET /  →  {page(port)}    (site → {(volume / 'site').readlink()})")
            assert first != second
            assert (volume / "site").resolve().name == second, "the link names the commit that was pushed"
            with stage.step("SIGTERM ends it (status 143, as git-sync)"):
                assert sidecar.stop() in (143, -15), sidecar.output  # the latter as a parent sees it

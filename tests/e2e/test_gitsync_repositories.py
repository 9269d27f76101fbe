"""Several repositories in one process: each on its own, none in another's way."""

from __future__ import annotations

import os
import re
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.git_http import GitServer
from tests.support.git_repo import Repository
from tests.support.gitsync import drop_in
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.waiting import until

PAGE = "index.html"


class Several(Process):
    """The sidecar with a file of repositories; roots are below ``folder/roots``."""

    def __init__(
        self,
        folder: Path,
        text: str,
        *flags: str,
        program: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        file = folder / "repositories.toml"
        file.write_text(text)
        self.roots = folder / "roots"
        argv = [*(program or [str(drop_in(folder))]), f"--config={file}", f"--root={self.roots}"]
        more = {"HOME": str(folder), "TMPDIR": str(folder), **(env or {})}
        super().__init__([*argv, "--period=50ms", *flags], env=more, cwd=folder)

    def published(self, name: str) -> str:
        """Return the commit that the link of the repository *name* names; empty for none."""
        try:
            return os.path.basename(os.readlink(self.roots / name / "link"))
        except FileNotFoundError:
            return ""


def table(repo: str, name: str, *lines: str) -> str:
    return "\n".join(["[[repository]]", f'repo = "{repo}"', f'name = "{name}"', 'link = "link"', *lines, ""])


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return str(answer.read().decode())


def test_each_follows_its_own_and_one_in_trouble_stops_no_other(tmp_path: Path) -> None:
    first, second = (Repository(tmp_path / name) for name in ("first", "second"))
    one, two = first.commit({PAGE: "1"}), second.commit({PAGE: "2"})
    port = free_port()
    text = table(first.url, "one") + table(second.url, "two") + table("file:///nowhere", "three")
    flags = [f"--http-bind=127.0.0.1:{port}", "--http-metrics"]

    with Several(tmp_path, text, *flags) as process:
        until(lambda: (process.published("one"), process.published("two")) == (one, two), 60, "both")
        newer = second.commit({PAGE: "3"})
        until(lambda: process.published("two") == newer, 60, "the change")
        assert process.published("one") == one

        process.wait_line("error syncing repo, will retry")
        failed = re.compile(r'git_sync_count_total\{repo="three",status="error"\} [1-9]')
        until(lambda: failed.search(get(port, "/metrics")), 60, "the failure to be counted")
        assert 'git_fetch_count_total{repo="two"} 2\n' in get(port, "/metrics")
        errors = [m for m in process.stderr.splitlines() if "error syncing repo, will retry" in m]
        assert errors
        assert all('"repo":"three"' in line for line in errors)


def test_one_that_cannot_start_stops_no_other(tmp_path: Path) -> None:
    upstream = Repository(tmp_path / "upstream")
    commit = upstream.commit({PAGE: "1"})
    (tmp_path / "a file").write_text("x")
    app = ['github_app_client_id = "Iv1"', "github_app_installation_id = 42", "max_failures = -1"]
    trouble = {
        "settings-of-git": ['git_config = "a.b"'],
        "no-place-for-the-mirror": [f'mirror_dir = "{tmp_path}/a file/mirror"'],
        "no-such-git": ['git = "/nonesuch"'],
        "no-key": [*app, 'github_app_private_key_file = "/nonesuch"'],
    }
    text = "".join(table("https://127.0.0.1:1/x", name, *lines) for name, lines in trouble.items())

    with Several(tmp_path, text + table(upstream.url, "good")) as process:
        until(lambda: process.published("good") == commit, 60, "the good one")
        for name in trouble:
            process.wait_line(f'"error":.*"repo":"{name}"')
        newer = upstream.commit({PAGE: "2"})
        until(lambda: process.published("good") == newer, 60, "the change")


def test_one_password_of_a_host_does_not_reach_another_repository_there(tmp_path: Path) -> None:
    upstream = Repository(tmp_path / "upstream")
    commit = upstream.commit({PAGE: "1"})
    (tmp_path / "password").write_text("right\n")
    with GitServer(upstream.folder, credentials=("user", "right")) as server:
        url = f"{server.url}/bare.git"
        text = table(url, "one", 'username = "user"', f'password_file = "{tmp_path}/password"')

        with Several(tmp_path, text + table(url, "two")) as process:
            until(lambda: process.published("one") == commit, 60, "the one with the password")
            process.wait_line(r'"error":.*"repo":"two"', 60)
            assert process.published("two") == ""


def test_one_time_ends_when_all_have_and_with_the_worst_status(tmp_path: Path) -> None:
    upstream = Repository(tmp_path / "upstream")
    commit = upstream.commit({PAGE: "1"})
    text = table(upstream.url, "one") + table("file:///nowhere", "two", "max_failures = 2")

    with Several(tmp_path, text, "--one-time") as process:
        assert process.wait(60) == 1
        assert process.published("one") == commit

    with Several(tmp_path, table(upstream.url, "one"), "--one-time") as process:
        assert process.wait(60) == 0


def test_a_fault_of_the_file_ends_it_with_1_and_its_place(tmp_path: Path) -> None:
    with Several(tmp_path, table("x", "one", "perod = 1")) as process:
        assert process.wait(60) == 1
        assert "repositories.toml: repository one: perod: unknown setting" in process.stderr

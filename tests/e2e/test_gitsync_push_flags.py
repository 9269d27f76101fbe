"""Every flag of the push receiver acts: on the command line, in a variable, in the file of repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.test_gitsync_repositories import Several, table
from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.gitsync_push import SECRET, Pushed, ask
from tests.support.ports import free_port
from tests.support.push_requests import push
from tests.support.waiting import stays, until

NEVER = 1.0  # seconds without what would come after 0.2 if the flag did nothing


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "0"})
    return repository


def test_a_provider_that_is_named_is_the_only_one_believed(tmp_path: Path, upstream: Repository) -> None:
    with Pushed(tmp_path, upstream, "--push-provider=gitlab") as process:
        assert process.post(push("github", SECRET)).status == 401
        assert process.post(push("gitlab", SECRET)).status == 202
        assert process.pushes() == {("gitlab", "unauthorized"): 1, ("gitlab", "queued"): 1}


def test_the_debounce_is_how_long_a_second_push_waits(tmp_path: Path, upstream: Repository) -> None:
    with Pushed(tmp_path, upstream, "--push-debounce=1h") as process:
        first = upstream.commit({"a": "1"})
        assert process.post(push("gitea", SECRET, commit=first)).status == 202
        process.wait_published(first)
        upstream.commit({"a": "2"})
        assert process.post(push("gitea", SECRET)).status == 202
        stays(lambda: process.published() == first, NEVER, "the debounce")


def test_the_variables_act_like_the_flags(tmp_path: Path, upstream: Repository) -> None:
    port, secret = free_port(), tmp_path / "secret"
    secret.write_text(SECRET)
    told = {
        "BIND": f"127.0.0.1:{port}",
        "PATH": "/hooks/git/",
        "SECRET_FILE": secret.name,  # from the working directory
        "PROVIDER": "gitea",
        "DEBOUNCE": "1h",
    }
    env = {f"PODMATES_GITSYNC_PUSH_{name}": value for name, value in told.items()}
    with Gitsync(tmp_path, upstream.url, "--ref=main", "--period=1h", env=env) as process:
        process.wait_published(upstream.head())
        assert ask(port, "/push", push("gitea", SECRET)).status == 404
        assert ask(port, "/hooks/git", push("gitlab", SECRET)).status == 401
        first = upstream.commit({"a": "1"})
        assert ask(port, "/hooks/git", push("gitea", SECRET, commit=first)).status == 202
        process.wait_published(first)
        upstream.commit({"a": "2"})
        assert ask(port, "/hooks/git", push("gitea", SECRET)).status == 202
        stays(lambda: process.published() == first, NEVER, "the debounce")
        secret.write_text("the next one")
        assert ask(port, "/hooks/git", push("gitea", "the next one")).status == 202


def test_the_file_tells_the_listener_and_each_repository_its_own(tmp_path: Path) -> None:
    port, secret = free_port(), tmp_path / "secret"
    secret.write_text(SECRET)
    one, two = (Repository(tmp_path / name) for name in ("one", "two"))
    first = {repository: repository.commit({"a": "0"}) for repository in (one, two)}
    common = [
        f'push_bind = "127.0.0.1:{port}"',
        'push_path = "/hooks"',
        f'push_secret_file = ["{secret}"]',
        'ref = "main"',
        "",
    ]
    own = ['push_provider = "gitea"', 'push_debounce = "1h"']
    text = "\n".join(common) + table(one.url, "one", *own) + table(two.url, "two")
    with Several(tmp_path, text, "--period=1h") as process:
        until(lambda: (process.published("one"), process.published("two")) == (first[one], first[two]), 60)
        assert ask(port, "/push/one", push("gitea", SECRET)).status == 404
        assert ask(port, "/hooks/one", push("gitlab", SECRET)).status == 401
        assert ask(port, "/hooks/two", push("gitlab", SECRET)).status == 202
        for number in ("1", "2"):
            commits = {"one": one.commit({"a": number}), "two": two.commit({"a": number})}
            for name, commit in commits.items():
                assert ask(port, f"/hooks/{name}", push("gitea", SECRET, commit=commit)).status == 202
            waiting = ["two"] if number == "2" else ["one", "two"]
            for name in waiting:
                until(lambda n=name, c=commits: process.published(n) == c[n], 60, name)  # type: ignore[misc]
        stays(lambda: process.published("one") != commits["one"], NEVER, "the debounce")

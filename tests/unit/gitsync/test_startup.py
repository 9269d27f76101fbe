"""The start, in its parts: what git is asked, and what it must not inherit."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from podmates_gitsync.errors import StartError
from podmates_gitsync.flags.load import Loader
from podmates_gitsync.git.commands import Git, GitError
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.service.startup import ask_git, cookies, strip_secrets


class Answering:
    """A git that answers, and remembers until when it may."""

    def __init__(self, config: str | None) -> None:
        self.config, self.deadline, self.deadlines = config, 0.0, list[float]()

    def run(self, words: Sequence[str], cwd: Path, **_: Any) -> str:
        self.deadlines.append(self.deadline)
        if words[0] == "version":
            return "git version 2.39.5\n"
        if self.config is None:
            raise GitError("fatal: bad config line 1")
        return self.config


def test_all_of_gits_answers_share_30_seconds() -> None:
    git, stream = Answering("a.b\nc\0x.token\nhunter2\0bare\0"), io.StringIO()
    before = time.monotonic()
    ask_git(cast(Git, git), Log(stream=stream))

    assert len(set(git.deadlines)) == 1
    assert before + 30 <= git.deadlines[0] <= time.monotonic() + 30
    assert '"config":["a.b=c","x.token=REDACTED","bare="]' in stream.getvalue()


def test_a_git_that_fails_ends_the_start() -> None:
    with pytest.raises(StartError, match="bad config line 1"):
        ask_git(cast(Git, Answering(None)), Log(stream=io.StringIO()))


BASE = ["--root=/r", "--repo=https://h/r"]


def test_the_cookie_file_must_be_there(tmp_path: Path) -> None:
    settings = Loader({}).command([*BASE, "--cookie-file"]).settings
    file = tmp_path / "cookie_file"

    with pytest.raises(StartError, match="cannot use the cookie file"):
        cookies(settings, file)
    file.touch()
    assert cookies(settings, file) == [("http.cookieFile", str(file))]
    assert cookies(Loader({}).command(BASE).settings, file) == []


def test_git_inherits_no_variable_that_may_hold_a_secret() -> None:
    names = ["PASSWORD", "CREDENTIAL", "ASKPASS_URL", "GITHUB_APP_PRIVATE_KEY", "WEBHOOK_URL", "GIT_CONFIG"]
    environ = {f"GITSYNC_{name}": "hunter2" for name in names}
    environ |= {"GIT_SYNC_PASSWORD": "hunter2", "GIT_ASKPASS_URL": "hunter2", "GIT_ASKPASS": "/program"}
    environ["GITSYNC_REPO"] = "https://u:hunter2@h/r"

    strip_secrets(Loader(environ).command([]), environ)

    assert environ == {"GIT_ASKPASS": "/program", "GITSYNC_REPO": "https://h/r"}

"""git is asked at the start within one budget, and a failure of it ends the start."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from podmates_gitsync.git.commands import Git, GitError
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.startup import StartError, ask_git


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

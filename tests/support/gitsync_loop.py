"""A loop over a script of syncs, and all that it told."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from podmates_gitsync.flags.load import Loader
from podmates_gitsync.git.commands import GitError
from podmates_gitsync.metrics import SYNCS, Metrics
from podmates_gitsync.reports.files import ErrorFile
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.sync.loop import Loop, Surroundings
from podmates_gitsync.sync.state import State
from podmates_gitsync.sync.syncer import Synced

HASH = "d25c7cb50ef25a3b08f515c3b4804cbc7a3acf9e"
FAIL = GitError("couldn't find remote ref nope")
NEW, SAME = Synced(HASH, True), Synced(HASH, False)


class Ends(BaseException):
    """The script is over."""


class Scripted:
    """Syncs with the results that it was given."""

    def __init__(self, results: Iterable[Synced | Exception]) -> None:
        self._results = iter(results)
        self.cleaned: list[str] = []
        self.forgiving: list[bool] = []
        self.there = ""  # the commit that is published
        self.at_hold: Callable[[], None] = lambda: None
        self.clock = 0.0  # seconds that it took

    def sync(self, deadline: float, *, forced: bool = False, forgiving: bool = False) -> Synced:
        self.clock += 2
        self.forgiving.append(forgiving)
        result = next(self._results, None)
        if result is None:
            raise Ends
        if isinstance(result, Exception):
            raise result
        return result

    def clean(self, commit: str) -> None:
        self.clock += 100
        self.cleaned.append(commit)

    def hold(self) -> None:
        self.at_hold()

    def published(self) -> str:
        return self.there


class Run:
    """A loop over a script, and all that it told."""

    def __init__(
        self,
        folder: Path,
        flags: list[str],
        *results: Synced | Exception,
        first: int | None = None,
        hooks: Sequence[Any] = (),
    ):
        self.stream, self.metrics, self.state = io.StringIO(), Metrics(), State()
        self.error_file, self.touch_file = folder / "error", folder / "sub" / "touched"
        file = ErrorFile(self.error_file)
        self.log = log = Log(9, stream=self.stream).observed(file.observe)
        settings = Loader({}).command(["--repo=r", "--root=/r", "--period=10ms", *flags]).settings
        self.syncer = Scripted(results)
        around = Surroundings(log, self.metrics, self.state, hooks, file, self.touch_file)
        self.loop = Loop(settings, self.syncer, around, first_limit=first)

    def status(self) -> int | None:
        """Run it; None when the script ended before the loop."""
        try:
            return self.loop.run()
        except Ends:
            return None

    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def counts(self) -> dict[str, float]:
        return {labels[0]: value for labels, value in self.metrics.values(SYNCS).items()}

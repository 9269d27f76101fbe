"""What every program here prints: one line for each round done, error met, and wrong answer seen."""

from __future__ import annotations

import sys
import threading


class Wrong(Exception):
    """A reply that a plain server would not have given."""


class Report:
    """Prints what happens until standard input ends."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self._rounds = 0
        threading.Thread(target=self._until_end, daemon=True).start()

    def _until_end(self) -> None:
        sys.stdin.buffer.read()
        self.over.set()

    def round(self) -> None:
        self._rounds += 1
        print(f"round {self._rounds}", flush=True)

    def failed(self, error: BaseException) -> None:
        kind = "wrong" if isinstance(error, Wrong) else "error"
        print(f"{kind} {type(error).__name__}: {' '.join(str(error).split())}", flush=True)


def same(what: str, got: object, wanted: object) -> None:
    """Raises Wrong unless *got* is *wanted*."""
    if got != wanted:
        raise Wrong(f"{what}: {got!r}, not {wanted!r}")

"""What the demo says while it works: each step with the time it took, each figure with where to look."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stage:
    """Narrates on standard output; colours only on a terminal."""

    def __init__(self) -> None:
        terminal = sys.stdout.isatty()
        self._bold, self._dim, self._plain = ("\033[1m", "\033[2m", "\033[0m") if terminal else ("", "", "")

    def act(self, title: str) -> None:
        """Begin one of the three patterns."""
        print(f"\n{self._bold}{title}{self._plain}", flush=True)

    def say(self, text: str) -> None:
        print(f"  {text}", flush=True)

    def show(self, text: str) -> None:
        """Print what a program answered, as it came."""
        for line in text.rstrip("\n").splitlines():
            print(f"  {self._dim}|{self._plain} {line}", flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say what is done and, once it is, how long it took; an exception passes without a time."""
        print(f"  {text} ", end="", flush=True)
        begin = time.monotonic()
        try:
            yield
        except BaseException:
            print("… did not hold", flush=True)
            raise
        print(f"… {self._bold}{time.monotonic() - begin:.2f} s{self._plain}", flush=True)

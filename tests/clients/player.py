"""A program of `programs/`, running: what it has said so far, and waiting for more."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from tests.support.processes import environment
from tests.support.waiting import until


class Player:
    """Runs *argv*; it ends when its standard input does.

    Attributes:
        errors: what its library has raised, in its words.
        wrong: what no plain server would have answered.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        self.rounds = 0
        self.errors: list[str] = []
        self.wrong: list[str] = []
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115  (closed with us)
        self._process = subprocess.Popen(
            argv,
            env=environment({"HOME": tempfile.gettempdir()}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "round":
                self.rounds += 1
            elif word in ("error", "wrong"):
                (self.errors if word == "error" else self.wrong).append(rest)

    def progress(self, rounds: int, timeout: float = 60) -> None:
        """Wait for so many more rounds."""
        wanted = self.rounds + rounds
        with contextlib.suppress(AssertionError):  # said better below
            until(lambda: self.rounds >= wanted or self._process.poll() is not None, timeout)
        assert self.rounds >= wanted, (
            f"{self.rounds} rounds, not {wanted}; errors {self.errors[-5:]}, wrong {self.wrong[-5:]}, "
            f"status {self._process.poll()}: {self._last_words()}"
        )

    def _last_words(self) -> str:
        self._said.seek(0)
        return self._said.read()[-2000:]

    def end(self, timeout: float = 60) -> int:
        """Let it end by itself; return its exit status."""
        assert self._process.stdin
        self._process.stdin.close()
        return self._process.wait(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            try:
                self.end(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(10)
        for stream in (self._process.stdin, self._process.stdout, self._said):
            if stream:
                stream.close()

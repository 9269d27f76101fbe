"""git as a program: GitPython's command layer starts it, we hold the deadline and collect what it says.

The subcommand is always git's first argument and the URL is among the arguments: wrappers given as
``--git`` look at both.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import IO, BinaryIO, Protocol, cast

from podmates_gitsync.govalues import show_duration
from podmates_gitsync.programs import Finished, Running, TimeoutExpired, collect
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.reports.meter import without_steps
from podmates_gitsync.reports.progress import Progress, asked


class GitError(Exception):
    """git failed, was killed at the deadline, or could not be started; the text holds its own words.

    Attributes:
        status: its exit status (negative: the signal that killed it); None if it did not end by itself.
        said: its standard error.
    """

    def __init__(self, text: str, *, status: int | None = None, said: str = "") -> None:
        super().__init__(text)
        self.status, self.said = status, said


class Runner(Protocol):
    """Runs git; a fake in tests."""

    def run(
        self, words: Sequence[str], cwd: Path, *, locked: bool = True, input: str = "", whole: bool = False
    ) -> str: ...


class Git:
    """Runs one program, always with the same additions to the environment.

    Args:
        program: ``--git``.
        additions: variables that git gets beside those of our process.
        log: where commands go, from verbosity 5 on.
        running: is told of every process group.

    Attributes:
        deadline: on the monotonic clock; set at the start of each loop, for everything in it.
        progress: is told of fetches until one has succeeded.
        held: descriptors that git and its helpers inherit, so that a lock lives as long as any of them.
    """

    def __init__(self, program: str, additions: Mapping[str, str], log: Log, running: Running) -> None:
        self._program, self._additions, self._log, self._running = program, additions, log, running
        self.deadline = float("inf")
        self.held: tuple[int, ...] = ()
        self.progress: Progress | None = None

    def run(
        self,
        words: Sequence[str],
        cwd: Path,
        *,
        locked: bool = True,
        input: str = "",
        private: bool = False,
        whole: bool = False,
    ) -> str:
        """Run git with *words* in *cwd* and return its standard output.

        Args:
            words: the subcommand and its arguments.
            cwd: must exist: in a missing one GitPython would run the command in our own.
            locked: let it inherit the lock; not for anything that leaves a daemon behind.
            input: for its standard input; kept in memory, never logged.
            private: what it prints on standard output may hold secrets: log and error are without it.
            whole: return all of it, however long, with every byte of names; log and error are without it.

        Raises:
            GitError: it did not end with status 0 in time.
        """
        progress = self.progress if words[0] == "fetch" else None
        words = asked(words) if progress else words
        shown = shlex.join([self._program, *words])
        if not cwd.is_dir():
            raise GitError(f"Run({shown}): no such directory: {cwd}")
        self._log.info(5, "running command", cwd=str(cwd), cmd=shown)
        seen = progress.feed if progress else None
        try:
            with _in_memory(input) as stream:
                process = self._start(words, cwd, self.held if locked else (), stream=stream)
            done = collect(process, self.deadline, self._running, whole=whole, seen=seen)
        except TimeoutExpired as error:
            raise GitError(f"Run({shown}): context deadline exceeded: {error}") from None
        except OSError as error:
            raise GitError(f"Run({shown}): {error}") from None
        if progress:
            done = done._replace(stderr=without_steps(done.stderr))
        self._check(shown, done._replace(stdout="") if private or whole else done)
        if progress:
            progress.end()
            self.progress = None
        return done.stdout

    def _check(self, shown: str, done: Finished) -> None:
        self._tell(done)
        if done.status:
            text = f"Run({shown}): {_ended(done.status)}: {_said(done)}"
            raise GitError(text, status=done.status, said=done.stderr.strip())

    def _start(
        self, words: Sequence[str], cwd: Path, inherited: tuple[int, ...], *, stream: IO[bytes] | None
    ) -> subprocess.Popen[bytes]:
        import git  # late: see `import_gitpython`

        try:
            handle = git.Git(str(cwd)).execute(
                [self._program, *words],
                istream=cast(BinaryIO, stream),
                as_process=True,
                start_new_session=True,
                env=dict(self._additions),
                pass_fds=inherited,
            )
        except git.exc.GitCommandNotFound as error:
            raise FileNotFoundError(f"{self._program}: cannot be started: {error.stderr or error}") from None
        process = cast("subprocess.Popen[bytes]", handle.proc)
        handle.proc = None  # its finaliser would wait without a limit
        return process

    def _tell(self, done: Finished) -> None:
        self._log.info(
            6,
            "command result",
            stdout=done.stdout,
            stderr=done.stderr,
            time=show_duration(done.seconds),
            status=done.status,
        )


@contextlib.contextmanager
def _in_memory(text: str) -> Iterator[IO[bytes] | None]:
    """Yield a file of *text* that is on no disk; None for no text."""
    if not text:
        yield None
        return
    with open(os.memfd_create("input"), "w+b") as file:
        file.write(text.encode("utf-8", "surrogateescape"))
        file.seek(0)
        yield file


def _ended(status: int) -> str:
    return f"exit status {status}" if status > 0 else f"signal {-status}"


def _said(done: Finished) -> str:
    return f'{{ stdout: "{done.stdout.strip()}", stderr: "{done.stderr.strip()}" }}'


def import_gitpython(environ: MutableMapping[str, str]) -> None:
    """Import the package `git` once, without its demand for a `git` of its own choice on the PATH."""
    environ["GIT_PYTHON_REFRESH"] = "quiet"
    try:
        import git  # noqa: F401
    finally:
        environ.pop("GIT_PYTHON_REFRESH", None)

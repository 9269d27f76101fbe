"""Programs of the user, run directly in a worktree: no shell between."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from podmates_gitsync.files.scratch import Scratch
from podmates_gitsync.govalues import show_duration
from podmates_gitsync.hooks.change import Change, variables
from podmates_gitsync.hooks.runner import HookError, HookNotRun
from podmates_gitsync.programs import Finished, Running, TimeoutExpired, collect, start
from podmates_gitsync.reports.logs import Log

# Signals that a program mostly gets from others, the killer of a machine without memory among them.
_OF_OTHERS = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is run.

    Attributes:
        command: the whole text is its name; with a slash and relative it is looked for in the worktree.
        arguments: given to it as they are.
        timeout: seconds.
    """

    command: str
    arguments: Sequence[str] = ()
    timeout: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every hook of a repository finds.

    Attributes:
        tree: says where the worktree of a commit is.
        environment: complete, but for what is said of the commit.
        ref, link: as hooks are told.
    """

    tree: Callable[[str], Path]
    environment: Mapping[str, str]
    ref: str
    link: str
    scratch: Scratch
    running: Running


class Exechook:
    """A program that is run for a commit."""

    def __init__(self, program: Program, around: Surroundings, log: Log) -> None:
        self._program, self._around, self._log = program, around, log

    def run(self, change: Change) -> None:
        """Run it once, in the tree where the commit is published.

        Raises:
            HookError: it could not be started, did not end in time, or not with status 0.
        """
        self.run_in(self._around.tree(change.commit), change)

    def run_in(self, tree: Path, change: Change) -> None:
        """Run it once in *tree*.

        Raises:
            HookNotRun: it could not be started, or was killed by others or because its repository is ending.
            HookError: it did not end in time, or not with status 0.
        """
        program = self._program
        pairs = {"command": program.command, "timeout": show_duration(program.timeout)}
        self._log.info(0, "running exechook", hash=change.commit, **pairs)
        if not tree.is_dir():
            raise HookNotRun(f"the worktree is gone: {tree}")
        with _file(self._around.scratch, change.files or b"") as files:
            done = self._finished(tree, change, files)
        if done.status:
            said = f'{{ stdout: "{done.stdout.strip()}", stderr: "{done.stderr.strip()}" }}'
            kind = HookNotRun if -done.status in _OF_OTHERS else HookError
            raise kind(f"Run({program.command}): {_ended(done.status)}: {said}")
        self._log.info(1, "exechook succeeded", hash=change.commit, stdout=done.stdout, stderr=done.stderr)

    def _finished(self, tree: Path, change: Change, files: str) -> Finished:
        program, around = self._program, self._around
        told = variables(change, ref=around.ref, link=around.link, files=files)
        environment = {**around.environment, **told}
        try:
            argv = [found(program.command, environment.get("PATH", "")), *program.arguments]
            process = start(argv, tree, environment, name=program.command)
        except (OSError, ValueError) as error:  # ValueError: a NUL in a name or an argument
            raise HookNotRun(f"Run({program.command}): {error}") from None
        try:
            done = collect(process, time.monotonic() + program.timeout, around.running)
        except TimeoutExpired as error:
            raise HookError(f"Run({program.command}): {error}") from None
        if done.status and around.running.closed:
            raise HookNotRun(f"Run({program.command}): killed, because its repository ends")
        return done


def found(command: str, path: str) -> str:
    """Return the file of *command*: itself if it has a slash, else the first in the directories of *path*.

    A relative directory is passed over, as Go does: it would be one of the worktree, whose files are
    another's.

    Raises:
        FileNotFoundError
    """
    if "/" in command:
        return command
    for folder in path.split(os.pathsep) if command else ():
        candidate = os.path.join(folder, command)
        if os.path.isabs(folder) and os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise FileNotFoundError(f"{command!r}: executable file not found in $PATH")


def _ended(status: int) -> str:
    return f"exit status {status}" if status > 0 else f"killed by signal {-status}"


@contextlib.contextmanager
def _file(scratch: Scratch, data: bytes) -> Iterator[str]:
    """Yield the path of a file with *data*; of an empty one where none can be written: "treat as all"."""
    with contextlib.ExitStack() as stack:
        try:
            path = str(stack.enter_context(scratch.file(data)))
        except OSError:
            path = os.devnull
        yield path

"""A plain directory that follows the published tree, file by file, for readers that follow no link."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from podmates_gitsync.mirror import listing, place, records
from podmates_gitsync.mirror.journal import Journal, MirrorError, remove_temporary
from podmates_gitsync.mirror.listing import Entry
from podmates_gitsync.mirror.look import Sight, look, resolve
from podmates_gitsync.mirror.plan import Drop, Plan, Put, Step, plan
from podmates_gitsync.mirror.tree import Blocked, Tree
from podmates_gitsync.mirror.writer import Writer
from podmates_gitsync.reports.logs import Log

_SHOWN = 20  # paths in a line of the log or an error


class Lister(Protocol):
    """Runs git to hear what is in a tree; a fake in tests."""

    def run(self, words: Sequence[str], cwd: Path, *, whole: bool = False) -> str: ...


class _Prepared(NamedTuple):
    """What is to be done to the mirror, and what that was decided on."""

    source: Path
    commit: str
    target: Tree
    sight: Sight
    made: Plan


class Mirror:
    """The directory *target* with what git has in a tree; files of others in it are never touched.

    It is not replaced in one step: each file is, and a reader may see some files of two commits. Files that
    do not change are not touched, whatever commit they come from.

    Args:
        target: as `place.make` returned it.
        local_changes: ``overwrite``, ``keep`` or ``fail``.
        shared: let the group read the manifest and write to it.
    """

    def __init__(
        self, target: Path, *, local_changes: str, git: Lister, log: Log, shared: bool = False
    ) -> None:
        self._target, self._policy, self._git, self._log = target, local_changes, git, log
        self._mode = 0o660 if shared else 0o600
        self._tree: Tree | None = None
        self._journal: Journal | None = None
        self._prepared: _Prepared | None = None
        self._commit = ""  # that of the last run that was done to the end
        self._first = True

    def holds(self, commit: str) -> bool:
        """Return whether this process has brought the mirror to *commit*; a few system calls."""
        return self._commit == commit and self._is_ours()

    def prepare(self, tree: Path, commit: str, deadline: float) -> None:
        """Find out whether `bring` can be done, and how; nothing but the manifest is written.

        Raises:
            GitError: git does not say what is in the tree.
            MirrorError: local changes, or files of others, are in the way; or another process is.
            OSError: something cannot be read, or the manifest cannot be written.
        """
        with self._anew_after_failure():
            target, journal = self._enter(deadline)
            self._prepared = self._prepare(tree, commit, target, journal)

    def bring(self, tree: Path, commit: str, deadline: float) -> None:
        """Bring the mirror to *commit*, which is checked out in *tree*.

        After a failure or a crash the next call goes on from there.

        Raises:
            MirrorError: as for `prepare`; the deadline passed; or somebody changes files meanwhile.
            GitError, OSError: as for `prepare`, or something cannot be written.
        """
        self._commit = ""
        began = time.monotonic()
        with self._anew_after_failure():
            made = self._bring(tree, commit, deadline)
        self._commit, self._first = commit, False
        counts = {kind.__name__.lower(): _count(made.steps, kind) for kind in (Put, Drop)}
        seconds = round(time.monotonic() - began, 3)
        self._log.info(0, "mirror updated", path=str(self._target), hash=commit, seconds=seconds, **counts)

    @contextlib.contextmanager
    def _anew_after_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()  # whatever state it is in, the next call reads it anew
            raise

    def _prepare(self, source: Path, commit: str, target: Tree, journal: Journal) -> _Prepared:
        new = self._listed(source)
        with Tree(source) as tree:
            sight = look(journal.manifest, new, target, tree, first=self._first)
        made = plan(sight.facts, self._policy)
        self._tell(made)
        journal.open()
        return _Prepared(source, commit, target, sight, made)

    def _bring(self, source: Path, commit: str, deadline: float) -> Plan:
        target, journal = self._enter(deadline)
        prepared, self._prepared = self._prepared, None
        if prepared is None or prepared[:3] != (source, commit, target):
            prepared = self._prepare(source, commit, target, journal)
        sight, made = prepared.sight, prepared.made
        with Tree(source) as tree:
            journal.append(records.begun(_places(sight, made.steps)))
            Writer(target, tree, journal, sight).run(made.steps, deadline)
        journal.append(records.ended(commit))
        return made

    def _enter(self, deadline: float) -> tuple[Tree, Journal]:
        """Return the mirror and its manifest, nothing pending in it."""
        if self._tree is not None and self._journal is not None and self._is_ours():
            return self._tree, self._journal
        self.close()
        self._tree = tree = place.enter(self._target, deadline)
        self._journal = journal = Journal(tree, self._mode)
        journal.read()
        resolve(journal.manifest, tree)
        _sweep(tree, journal.manifest.unswept)
        return tree, journal

    def _is_ours(self) -> bool:
        if self._tree is None or self._journal is None:
            return False
        return place.is_entered(self._tree, self._target) and self._journal.is_in_place()

    def _listed(self, source: Path) -> dict[str, Entry]:
        try:
            return listing.listed(self._git.run(listing.WORDS, source, whole=True))
        except ValueError as error:
            raise MirrorError(str(error)) from None

    def _tell(self, made: Plan) -> None:
        if made.refused:
            reasons = [f"{path} ({reason})" for path, reason in sorted(made.refused.items())]
            raise MirrorError(f"the mirror {self._target} was left as it is: {_shown(reasons)}")
        if made.kept:
            self._log.info(0, "local changes in the mirror are kept", files=made.kept[:_SHOWN])

    def close(self) -> None:
        """Leave the mirror to others."""
        if self._journal is not None:
            self._journal.close()
        if self._tree is not None:
            self._tree.close()
        self._tree = self._journal = self._prepared = None


def _places(sight: Sight, steps: Iterable[Step]) -> set[str]:
    """Return the folders in which temporary files will be."""
    return {step.path.rpartition("/")[0] for step in steps if isinstance(step, Put)}


def _sweep(target: Tree, folders: Iterable[str]) -> None:
    """Remove the temporary file that a run that was cut off may have left in one of *folders*."""
    for folder in folders:
        with contextlib.suppress(FileNotFoundError, Blocked):
            remove_temporary(target.folder(folder))


def _count(steps: Iterable[Step], kind: type[Step]) -> int:
    return sum(isinstance(step, kind) for step in steps)


def _shown(reasons: list[str]) -> str:
    more = len(reasons) - _SHOWN
    return ", ".join(reasons[:_SHOWN]) + (f" and {more} more" if more > 0 else "")

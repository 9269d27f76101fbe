"""One sync: look, decide (`plan`), act. What follows from success or failure is the loop's."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from podmates_gitsync.errors import Refused
from podmates_gitsync.git.commands import Git, GitError
from podmates_gitsync.git.repository import Repository
from podmates_gitsync.hooks.change import Hooks
from podmates_gitsync.mirror.mirror import Mirror
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.settings import Settings
from podmates_gitsync.sync.acting import FAILURES, Actor
from podmates_gitsync.sync.admission import Admission, Rules
from podmates_gitsync.sync.news import News, Polls
from podmates_gitsync.sync.plan import Drop, Observed, changes, plan
from podmates_gitsync.sync.telling import Telling
from podmates_gitsync.sync.trust import Trust
from podmates_gitsync.sync.upkeep import CLEANING, Upkeep, full
from podmates_gitsync.trees import publish
from podmates_gitsync.trees.recipe import Recipe
from podmates_gitsync.trees.worktrees import Worktrees

_NO_RULES = Rules()


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync found and did."""

    commit: str
    changed: bool  # the link was replaced, or the mirror brought up to date


class Syncer:
    """Brings one root in step with one ref.

    Args:
        root: an existing directory, resolved.
        link: absolute.
        rules: what must hold for a commit to be published.
        authenticate: gives git the passwords; called at the start of each sync.
        poller: may find out that there is no news without a fetch; None fetches in each sync.
        mirror: follows what is published, before anybody is told.
        waiting: is told True when another process has root, and False when it has left.
    """

    def __init__(
        self,
        settings: Settings,
        root: Path,
        link: Path,
        *,
        git: Git,
        log: Log,
        hooks: Hooks,
        rules: Rules = _NO_RULES,
        authenticate: Callable[[], None] = lambda: None,
        poller: Polls | None = None,
        mirror: Mirror | None = None,
        waiting: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._settings, self._root, self._link = settings, root, link
        self._git, self._log, self._hooks = git, log, hooks
        self._authenticate, self._mirror = authenticate, mirror
        self._admission = Admission(root, rules, log)
        self._repository = Repository(root, git, log)
        self._upkeep = Upkeep(self._repository, link, settings, git=git, log=log, waiting=waiting)
        self._telling = Telling(self._repository, hooks, mirror, git)
        self._trees = Worktrees(root, git, log, Recipe.of(settings))
        self._news = News(self._trees, poller)
        self._filter = settings.filter or ("blob:none" if settings.path else "")  # no more than is used
        self._actor = Actor(
            self._repository, self._trees, link, git=git, log=log, hooks=hooks, admission=self._admission
        )
        self._count = 0  # updates of this process
        self._trust = Trust()
        self._walked: Path | None = None  # a published tree of which all objects were found
        self._forgiving = False  # look again at what was refused
        self._wanted = ""  # the commit that the last fetch brought; empty when it failed
        self._unmet = ""  # the commit that could not be published since the last sync that went well
        self._littered = False  # there are objects of such commits that nobody wants any more

    def sync(self, deadline: float, *, forced: bool = False, forgiving: bool = False) -> Synced:
        """Bring root to what the ref names now.

        Args:
            deadline: of the monotonic clock, in seconds.
            forced, forgiving: without a cheap look at the server; look again at a commit that was refused.

        Raises:
            GitError, OSError, HookError: the sync failed, or
            Refused: the commit is not to be published; what was published before still is.
        """
        trusted = self._trust.take()
        self._forgiving = forgiving
        self._git.deadline = deadline + self._upkeep.own_root()
        self._authenticate()
        try:
            synced = self._bring_or_tidy(trusted, ask=not (forced or self._trust.is_in_trouble))
        except Refused:
            self._went_well()
            raise
        except FAILURES as error:
            hopeless = not trusted or self._trust.is_hopeless(error)
            if hopeless or not self._upkeep.was_in_the_way(error):
                if trusted or self._trust.looked:
                    self._trust.failed(error)
                raise
            synced = self._bring_or_tidy(trusted=False, ask=False)
        self._went_well()
        return synced

    def _went_well(self) -> None:
        self._trust.went_well()
        self._unmet = ""
        self._upkeep.went_well()

    def _bring_or_tidy(self, trusted: bool, ask: bool) -> Synced:
        """Sync; what a failure leaves goes at once, because on a full disk it is what fills it."""
        try:
            return self._bring(trusted, ask)
        except FAILURES as error:
            self._unmet = self._wanted or self._unmet
            with contextlib.suppress(*FAILURES):
                if not self._wanted and full(error):
                    self._actor.give_up()
                self._upkeep.tidy(error, wanted=self._wanted, first=self._count == 0)
            raise

    def _bring(self, trusted: bool, ask: bool) -> Synced:
        intact = self._prepare(trusted)
        published = publish.read(self._link)
        if intact and ask and self._news.none(published, self._git.deadline):
            commit = self._news.commit
            self._admission.recall(commit)
            self._log.info(2, "update not required", ref=self._settings.ref, remote=commit)
            return Synced(commit, False)
        self._wanted = ""
        self._wanted = commit = self._fetch()
        self._littered |= self._unmet not in {"", commit}
        if self._count == 0:
            self._telling.recall(Path(published or "").name)
        try:
            if not self._forgiving:
                self._admission.recall(commit)
            changed = self._update(commit, published, trusted)
        except Refused as refused:
            if refused.at is None:
                self._admission.refuse(refused)
                self._forget_objects(commit)
            self._news.remember(published, commit)
            self._telling.catch_up(Path(publish.read(self._link) or ""), self.published())
            raise
        self._admission.accept(commit)
        self._news.remember(publish.read(self._link), commit)
        return Synced(commit, changed)

    def _prepare(self, trusted: bool) -> bool:
        """Have a sound repository; return whether it was one at the first look, and nothing was done."""
        if trusted and self._repository.looks_sound():
            return True
        self._walked = None
        self._upkeep.heal(first=self._count == 0)
        if not self._repository.is_sound():
            self._renew()
        self._repository.point_at(self._settings.repo)
        self._trust.looked = True
        return False

    def _renew(self) -> None:
        self._log.info(0, "repo directory was empty or failed checks", path=str(self._root))
        self._repository.start_anew()

    def _fetch(self) -> str:
        settings = self._settings
        self._news.fetched()
        return self._repository.fetch(settings.repo, settings.ref, depth=settings.depth, filter=self._filter)

    def _update(self, commit: str, published: str | None, trusted: bool) -> bool:
        tree = self._trees.path(commit)
        waiting = self._actor.waiting
        seen = Observed(
            commit,
            published,
            present=tree.is_symlink() or tree.exists(),
            sound=self._is_complete(tree, commit, published, trusted),
            updated=self._count > 0,
            waiting=str(waiting) if waiting else None,
        )
        standby = self._trees.standby(commit, secrets.token_hex(4))
        steps = plan(seen, canonical=str(tree), standby=str(standby))
        pairs = {"ref": self._settings.ref, "remote": commit, "syncCount": self._count}
        behind = self._telling.is_behind(commit)
        if not steps and not behind:
            self._log.info(2, "update not required", **pairs)
            return False
        self._admission.verify(commit, self._repository.fetched(), self._settings.ref, self._git.deadline)
        local = Path(published).name if published else ""
        self._log.info(0, "update required", local=local, **pairs)
        change = self._telling.change(commit, local)
        self._actor.apply(steps, change, self._mirror)
        if not all(isinstance(step, Drop) for step in steps):
            self._hooks.updated()
            self._count += 1
        self._telling.tell(tree, change)
        self._log.info(0, "updated successfully", **pairs | {"syncCount": self._count})
        return changes(steps) or behind

    def _is_complete(self, tree: Path, commit: str, published: str | None, trusted: bool) -> bool:
        """Return whether *tree* can be published, or stay so, as it is.

        One that nobody reads yet must be one that we made to the end: one that was cut off looks alike.
        """
        if published == str(tree):
            if trusted and (self._count or tree == self._walked):
                return self._trees.looks_sound(tree, commit)
            self._walked = tree if self._trees.is_sound(tree, commit) else None
            return self._walked is not None
        if tree != self._actor.waiting or not self._trees.looks_sound(tree, commit):
            return False
        if not self._actor.is_as_left():
            self._log.info(0, "a worktree was changed before it was published", path=str(tree))
            return False
        return True

    def _forget_objects(self, commit: str) -> None:
        """Collect garbage after a refusal, or commits that are never published would pile up.

        The refused one stays, or each fetch would bring it again.
        """
        settings = self._settings
        self._git.deadline = time.monotonic() + max(settings.sync_timeout, CLEANING)
        try:
            self._repository.advance(commit)
            self._repository.collect_garbage(settings.git_gc, at_once=settings.one_time)
        except FAILURES as error:
            self._log.error(error, "git cleanup failed")

    def published(self) -> str:
        """Return the name of the tree that the link names, a commit if it is ours; empty if there is none."""
        with contextlib.suppress(OSError):
            published = publish.read(self._link)
            if published is not None and Path(published).is_dir():
                return Path(published).name
        return ""

    def hold(self) -> None:
        """Clean up after a sync that published nothing new.

        Nothing is touched in a root that is not ours, nor while nobody knows which tree is of use.
        """
        published = self.published()
        if self._git.held and (published or self._wanted or self._unmet):
            self.clean(published)

    def close(self) -> None:
        """Leave root to others."""
        self._news.close()
        self._telling.close()
        self._upkeep.release()

    def clean(self, commit: str) -> None:
        """Remove what retention allows to; then collect garbage if that is due. Failures are logged only.

        All of it is outside the limit for a sync: what was published stays published however long it takes.
        """
        settings, failures = self._settings, list[Exception]()
        self._git.deadline = time.monotonic() + max(settings.sync_timeout, CLEANING)
        try:
            published = self._trees.entry(Path(publish.read(self._link) or self._root))
            waiting = self._trees.entry(self._actor.waiting or self._root)
            protected = {commit} | {entry.name for entry in (published, waiting) if entry}
            removed = self._trees.remove_stale(protected, settings.stale_worktree_timeout, settings.keep)
            failures += removed.failures
            if removed.entries or self._littered:
                self._repository.collect_garbage(settings.git_gc, at_once=settings.one_time)
                self._littered = False
                self._trust.collected()
        except FAILURES as error:
            self._trust.not_collected(error)
            failures.append(error)
            if isinstance(error, GitError):
                with contextlib.suppress(*FAILURES):  # locks, and packs that each try would add one to
                    self._upkeep.heal(first=False)  # hooks may be at work
        if failures:
            self._log.error("; ".join(str(failure) for failure in failures), "git cleanup failed")

"""The hooks that a repository is configured with, each with what runs it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from podmates_gitsync.files.scratch import Scratch
from podmates_gitsync.hooks import message
from podmates_gitsync.hooks.change import Change, Hooks
from podmates_gitsync.hooks.exechook import Exechook, Program, Surroundings
from podmates_gitsync.hooks.gate import Gate, open_gate
from podmates_gitsync.hooks.memory import Memory
from podmates_gitsync.hooks.runner import Hook, Runner
from podmates_gitsync.hooks.webhook import Call, Webhook
from podmates_gitsync.metrics import Metrics
from podmates_gitsync.programs import Running
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.settings import Settings
from podmates_gitsync.trees.worktrees import FOLDER

BEFORE, AFTER, WEB = "pre-publish-exechook", "exechook", "webhook"


class Place(NamedTuple):
    """Where the hooks' repository is."""

    root: Path
    link: Path


class HookSet:
    """The hooks that are configured, each with its runner; with a gate the first is not run beside.

    Args:
        environment: complete; hooks get it.

    Attributes:
        runners: of the hooks that run beside the syncs.
        gate: what a tree must pass before it is published.
    """

    def __init__(
        self,
        settings: Settings,
        place: Place,
        environment: Mapping[str, str],
        *,
        log: Log,
        metrics: Metrics,
        running: Running,
    ) -> None:
        self._settings, self._root, self._log, self._metrics = settings, place.root, log, metrics
        around = Surroundings(
            tree=lambda commit: place.root / FOLDER / commit,
            environment=environment,
            ref=settings.ref,
            link=str(place.link),
            scratch=Scratch(place.root),
            running=running,
        )
        self._before: list[Runner] = []
        self._after: list[Runner] = []
        self.gate = open_gate
        if settings.pre_publish_exechook_command:
            self._add_before(around)
        if settings.exechook_command:
            program = Program(
                command=settings.exechook_command,
                arguments=settings.exechook_args,
                timeout=settings.exechook_timeout,
            )
            hook = Exechook(program, around, log.named(AFTER))
            self._after.append(self._runner(AFTER, hook, settings.exechook_backoff))
        if settings.webhook_url:
            webhook = Webhook(_call(settings, around), environment, log.named(WEB))
            self._after.append(self._runner(WEB, webhook, settings.webhook_backoff))
        self.runners = [*self._before, *self._after]

    def _add_before(self, around: Surroundings) -> None:
        settings = self._settings
        program = Program(
            command=settings.pre_publish_exechook_command,
            arguments=settings.pre_publish_exechook_args,
            timeout=settings.pre_publish_exechook_timeout,
        )
        hook = Exechook(program, around, self._log.named(BEFORE))
        if settings.pre_publish_exechook_mode == "gate":
            self.gate = Gate(hook, self._count(BEFORE)).admit
        else:
            self._before.append(self._runner(BEFORE, hook, settings.pre_publish_exechook_backoff))

    def _runner(self, name: str, hook: Hook, backoff: float) -> Runner:
        return Runner(
            hook,
            self._log.named(name),
            backoff=backoff,
            once=self._settings.one_time,
            count=self._count(name),
            memory=Memory(self._root, name),
        )

    def _count(self, name: str) -> Callable[[bool], None]:
        return functools.partial(self._metrics.hook, name)

    def close(self) -> None:
        """Try no hook any more."""
        for runner in self.runners:
            runner.close()

    def handed(self) -> Hooks:
        """Return what the syncs hand their commits to."""
        settings = self._settings
        return Hooks(
            before=self._hand_before,
            after=functools.partial(_hand, self._after),
            updated=self._metrics.updated,
            inside=bool(self._before),
            told=self._told,
            wanted=bool(settings.exechook_command or settings.pre_publish_exechook_command)
            or settings.webhook_format == "json",
        )

    def _hand_before(self, change: Change) -> None:
        for runner in self._after:
            runner.expect(change)
        _hand(self._before, change)

    def _told(self) -> str:
        return next(filter(None, (runner.told() for runner in self._after)), "")


def _hand(runners: Sequence[Runner], change: Change) -> None:
    for runner in runners:
        runner.hand(change)


def _call(settings: Settings, around: Surroundings) -> Call:
    def body(change: Change, sent_at: str) -> bytes:
        return message.body(change, repo=settings.repo, ref=settings.ref, link=around.link, sent_at=sent_at)

    return Call(
        url=settings.webhook_url,
        method=settings.webhook_method,
        status=settings.webhook_success_status,
        timeout=settings.webhook_timeout,
        body=body if settings.webhook_format == "json" else None,
        key_file=Path(settings.webhook_secret_file) if settings.webhook_secret_file else None,
    )

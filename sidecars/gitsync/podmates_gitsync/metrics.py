"""What is counted, by git-sync's names; the numbers live here, the text is made in `exposition`."""

from __future__ import annotations

import threading
from typing import NamedTuple

from podmates_gitsync.reports.status import Status


class Metric(NamedTuple):
    """One family of `/metrics`."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


DURATION = Metric(
    "git_sync_duration_seconds", "summary", ("status",), "how long a sync took, clean-up excluded"
)
SYNCS = Metric("git_sync_count_total", "counter", ("status",), "syncs: success, error or noop")
UPDATES = Metric("git_fetch_count_total", "counter", (), "updates of the volume")
HOOKS = Metric(
    "git_sync_hook_run_count_total", "counter", ("name", "status"), "runs of hooks, each try counted"
)
ASKPASS = Metric("git_sync_askpass_calls", "counter", ("status",), "questions to the askpass server")
APP_TOKENS = Metric(
    "git_sync_refresh_github_app_token_count", "counter", ("status",), "tokens asked for as a GitHub App"
)
LAST_SUCCESS = Metric("git_sync_last_success_timestamp_seconds", "gauge", (), "when the last success ended")
LAST_ATTEMPT = Metric("git_sync_last_attempt_timestamp_seconds", "gauge", (), "when the last sync began")
FAILURES = Metric("git_sync_consecutive_failures", "gauge", (), "failures since the last success")
REVISION = Metric("git_sync_revision_info", "gauge", ("ref", "hash"), "1 for what is published")
PUSHES = Metric(
    "git_sync_push_requests_total", "counter", ("provider", "result"), "requests to the push receiver"
)
POLLS = Metric(
    "git_sync_poll_total",
    "counter",
    ("how",),
    "how syncs learned what the ref names: http (asked in process), ls_remote, or fetch",
)
REJECTED = Metric(
    "git_sync_rejected_total",
    "counter",
    ("reason",),
    "commits that the gate (hook) or their signature (signature) kept from being published",
)
CLONED = Metric("git_sync_clone_progress_ratio", "gauge", (), "how far the first clone is, with --progress")
METRICS = (
    *(DURATION, SYNCS, UPDATES, HOOKS, ASKPASS, APP_TOKENS),
    *(LAST_SUCCESS, LAST_ATTEMPT, FAILURES, REVISION, PUSHES, POLLS, REJECTED, CLONED),
)

Series = dict[tuple[str, ...], float]


class Metrics:
    """Counts; safe to use from several threads. Series with labels appear at their first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[Metric, Series] = {metric: {} for metric in METRICS}
        self._values[UPDATES][()] = 0.0
        self._numbers: Series = {}  # of the summary: how many observations

    def synced(self, status: str, seconds: float) -> None:
        """Count a sync that ended with *status*: success, error or noop."""
        with self._lock:
            self._add(SYNCS, (status,), 1)
            self._add(DURATION, (status,), seconds)
            self._numbers[(status,)] = self._numbers.get((status,), 0) + 1

    def updated(self) -> None:
        """Count an update."""
        with self._lock:
            self._add(UPDATES, (), 1)

    def polled(self, how: str) -> None:
        """Count a sync that learned what the ref names by http, ls_remote or fetch."""
        with self._lock:
            self._add(POLLS, (how,), 1)

    def hook(self, name: str, worked: bool) -> None:
        """Count a run of the hook *name*."""
        with self._lock:
            self._add(HOOKS, (name, "success" if worked else "error"), 1)

    def askpass(self, worked: bool) -> None:
        """Count a question to the askpass server."""
        with self._lock:
            self._add(ASKPASS, ("success" if worked else "error",), 1)

    def app_token(self, worked: bool) -> None:
        """Count a request for a GitHub App's token."""
        with self._lock:
            self._add(APP_TOKENS, ("success" if worked else "error",), 1)

    def pushed(self, provider: str, result: str) -> None:
        """Count a request to the push receiver."""
        with self._lock:
            self._add(PUSHES, (provider, result), 1)

    def know(self, status: Status, ref: str) -> None:
        """Show *status* from now on; what is not known has no series."""
        with self._lock:
            for metric, value in (
                (LAST_SUCCESS, status.last_success_at),
                (LAST_ATTEMPT, status.last_attempt_at),
                (FAILURES, status.consecutive_failures),
            ):
                self._values[metric] = {} if value is None else {(): value}
            self._values[REVISION] = {(ref, status.hash): 1} if status.hash else {}

    def cloned(self, ratio: float) -> None:
        """Show how far the first clone is, from 0 to 1."""
        with self._lock:
            self._values[CLONED][()] = ratio

    def rejected(self, reason: str) -> None:
        """Count a commit that is not published, or with ``--verify=audit`` would not be."""
        with self._lock:
            self._add(REJECTED, (reason,), 1)

    def _add(self, metric: Metric, labels: tuple[str, ...], amount: float) -> None:
        series = self._values[metric]
        series[labels] = series.get(labels, 0) + amount

    def values(self, metric: Metric) -> Series:
        """Return label values → number; for the summary, the sum."""
        with self._lock:
            return dict(self._values[metric])

    def numbers(self) -> Series:
        """Return label values → how many syncs the summary holds."""
        with self._lock:
            return dict(self._numbers)

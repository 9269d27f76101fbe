"""`/metrics` reads as Go's client writes it, and any parser of the format takes it."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from podmates_gitsync.metrics import METRICS, Metrics
from podmates_gitsync.reports.exposition import Counts, render
from podmates_gitsync.reports.status import Status


def ours(metrics: Metrics) -> list[str]:
    return [line for line in render(Counts({"": metrics})).splitlines() if line.startswith("git_")]


def test_only_the_series_without_labels_is_there_from_the_start() -> None:
    assert ours(Metrics()) == ["git_fetch_count_total 0"]


def test_whole_numbers_have_no_fraction_and_names_no_other_suffix() -> None:
    metrics = Metrics()
    metrics.synced("success", 0.5)
    metrics.synced("success", 0.25)
    metrics.synced("noop", 1)
    metrics.updated()
    metrics.hook("exechook", True)
    metrics.hook("exechook", False)

    assert ours(metrics) == [
        "git_fetch_count_total 1",
        'git_sync_count_total{status="success"} 2',
        'git_sync_count_total{status="noop"} 1',
        'git_sync_duration_seconds_sum{status="success"} 0.75',
        'git_sync_duration_seconds_count{status="success"} 2',
        'git_sync_duration_seconds_sum{status="noop"} 1',
        'git_sync_duration_seconds_count{status="noop"} 1',
        'git_sync_hook_run_count_total{name="exechook",status="success"} 1',
        'git_sync_hook_run_count_total{name="exechook",status="error"} 1',
    ]


# What git-sync v4 has: name, type, and a series of it after one use with each of its label values.
OF_GIT_SYNC = [
    ("git_fetch_count_total", "counter", ["git_fetch_count_total 1"]),
    (
        "git_sync_askpass_calls",
        "counter",
        ['git_sync_askpass_calls{status="success"} 1', 'git_sync_askpass_calls{status="error"} 1'],
    ),
    (
        "git_sync_refresh_github_app_token_count",
        "counter",
        [
            'git_sync_refresh_github_app_token_count{status="success"} 1',
            'git_sync_refresh_github_app_token_count{status="error"} 1',
        ],
    ),
    (
        "git_sync_count_total",
        "counter",
        [f'git_sync_count_total{{status="{status}"}} 1' for status in ("success", "error", "noop")],
    ),
    (
        "git_sync_duration_seconds",
        "summary",
        [
            f'git_sync_duration_seconds_count{{status="{status}"}} 1'
            for status in ("success", "error", "noop")
        ],
    ),
    (
        "git_sync_hook_run_count_total",
        "counter",
        [
            f'git_sync_hook_run_count_total{{name="{name}",status="{status}"}} 1'
            for name in ("exechook", "pre-publish-exechook", "webhook")
            for status in ("success", "error")
        ],
    ),
]


@pytest.mark.parametrize(("name", "kind", "series"), OF_GIT_SYNC, ids=[row[0] for row in OF_GIT_SYNC])
def test_a_metric_of_git_sync_has_its_name_its_type_and_its_labels(
    name: str, kind: str, series: list[str]
) -> None:
    metrics = Metrics()
    assert name == "git_fetch_count_total" or not any(name in line for line in ours(metrics))
    metrics.updated()
    for status in ("success", "error", "noop"):
        metrics.synced(status, 0.5)
    for worked in (True, False):
        metrics.askpass(worked)
        metrics.app_token(worked)
        for hook in ("exechook", "pre-publish-exechook", "webhook"):
            metrics.hook(hook, worked)

    text = render(Counts({"": metrics}))
    assert f"# TYPE {name} {kind}\n" in text
    assert set(series) <= set(text.splitlines())
    assert f"{name}_total" not in text
    assert "_created" not in text


def test_the_format_is_read_by_prometheus_own_parser() -> None:
    metrics = Metrics()
    metrics.synced("success", 0.5)
    metrics.hook("exechook", True)
    families = {
        family.name: family for family in text_string_to_metric_families(render(Counts({"": metrics})))
    }

    assert families["git_sync_duration_seconds"].type == "summary"
    assert families["git_sync_count"].type == "counter"
    assert families["process_open_fds"].samples[0].value > 0
    counted = [metric for metric in METRICS if metrics.values(metric)]
    assert {metric.name.removesuffix("_total") for metric in counted} <= set(families)


def test_the_name_of_a_repository_is_a_label_where_there_are_several() -> None:
    one, other = Metrics(), Metrics()
    one.synced("noop", 1.0)

    text = render(Counts({"one": one, "other": other}))

    assert 'git_sync_count_total{repo="one",status="noop"} 1\n' in text
    assert 'git_fetch_count_total{repo="other"} 0\n' in text


def test_what_is_known_of_a_repository_is_told_until_it_changes() -> None:
    metrics, old, new = Metrics(), "a" * 40, "b" * 40
    metrics.know(Status().attempted(5.0).failed("no route").succeeded(old, 6.5, 0.0), "main")
    metrics.know(Status().attempted(7.0).succeeded(new, 8.0, 0.0).failed("no route"), "main")

    lines = [line for line in ours(metrics) if "fetch" not in line]
    assert lines == [
        "git_sync_consecutive_failures 1",
        "git_sync_last_attempt_timestamp_seconds 7",
        "git_sync_last_success_timestamp_seconds 8",
        f'git_sync_revision_info{{ref="main",hash="{new}"}} 1',
    ]

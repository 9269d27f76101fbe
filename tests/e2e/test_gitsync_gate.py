"""The pre-publish hook as a gate: what it refuses is not published, and that is no failure."""

from __future__ import annotations

import http.client
import json
import signal
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.ports import free_port
from tests.support.waiting import until
from tests.support.web import get

GATE = "--pre-publish-exechook-mode=gate"


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "good"})
    return repository


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def gate(folder: Path, told: Path) -> str:
    """Return the flag of a gate that lets through what is good, and says what it was asked."""
    link = folder / "root" / "link"
    asked = f'echo "$GITSYNC_HASH $(pwd -P) $(readlink {link})" >> {told}'
    text = f"{asked}\ngrep -q good a || {{ echo bad; exit 3; }}"
    return f"--pre-publish-exechook-command={script(folder / 'gate', text)}"


def test_what_the_gate_refuses_is_never_published_and_asked_about_once(
    tmp_path: Path, upstream: Repository
) -> None:
    told, port = tmp_path / "told", free_port()
    flags = [gate(tmp_path, told), GATE, "--error-file=error", f"--http-bind=127.0.0.1:{port}"]
    after = tmp_path / "after"
    flags += [
        "--http-metrics",
        f"--exechook-command={script(tmp_path / 'hook', f'echo $GITSYNC_HASH >> {after}')}",
    ]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        first = upstream.head()
        process.wait_published(first)
        bad = upstream.commit({"a": "bad"})
        process.wait_line("hash refused, not published")
        error_file = process.root / "error"
        until(error_file.exists, 60, "the error file")
        seen = len(process.messages())
        second_ref = upstream.commit({"b": "bad too"}, push=False)
        fetches = _metrics(port)['git_sync_poll_total{how="fetch"}']
        _noops_pass(port, 3)

        assert process.published() == first
        assert not (process.root / ".worktrees" / bad).exists()
        assert [line.split()[0] for line in lines(told)] == [first, bad]
        held = json.loads(error_file.read_text())
        assert held["Args"] == {"hash": bad, "reason": "hook"}
        assert "exit status 3" in held["Err"]
        metrics = _metrics(port)
        assert metrics['git_sync_poll_total{how="fetch"}'] == fetches
        assert metrics['git_sync_rejected_total{reason="hook"}'] == "1"
        assert 'git_sync_count_total{status="error"}' not in metrics
        assert metrics['git_sync_hook_run_count_total{name="pre-publish-exechook",status="error"}'] == "1"
        assert len([m for m in process.messages()[seen:] if m["msg"] == "hash refused, not published"]) == 0

        good = upstream.commit({"a": "good again"})
        process.wait_published(good)
        until(lambda: not error_file.exists(), 60, "the error file to go")
        until(lambda: lines(after) == [first, good], 60, "the exechook")
        assert second_ref not in told.read_text()
        trees = process.root / ".worktrees"
        assert lines(told)[-1] == f"{good} {trees / good} .worktrees/{first}"


def _metrics(port: int) -> dict[str, str]:
    text = get(f"http://127.0.0.1:{port}/metrics").body
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def _noops_pass(port: int, number: int) -> None:
    def noops() -> int:
        return int(_metrics(port).get('git_sync_count_total{status="noop"}', "0"))

    least = noops() + number
    until(lambda: noops() >= least, 60, "some polls")


def test_a_restart_asks_again_and_remembers_what_was_refused(tmp_path: Path, upstream: Repository) -> None:
    told = tmp_path / "told"
    upstream.commit({"a": "bad"})
    flags = [gate(tmp_path, told), GATE, "--error-file=error"]
    for number in (1, 2):
        with Gitsync(tmp_path, upstream.url, *flags) as process:
            process.wait_line("hash refused, not published")
            assert len(lines(told)) == number
            assert not process.link.is_symlink()
        held = json.loads((process.root / ".git" / "podmates" / "refused.json").read_text())
        assert [each["hash"] for each in held["refused"]] == [upstream.head()]

    script(tmp_path / "gate", "true")
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        process.wait_published(upstream.head())
        until(lambda: not (process.root / "error").exists(), 60, "the error file to go")
    held = json.loads((process.root / ".git" / "podmates" / "refused.json").read_text())
    assert held["refused"] == []


def test_one_time_ends_with_1_and_leaves_the_link(tmp_path: Path, upstream: Repository) -> None:
    flags = ["--one-time", gate(tmp_path, tmp_path / "told"), GATE, "--error-file=error", "--max-failures=-1"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        assert process.wait(60) == 0
    first = upstream.head()
    upstream.commit({"a": "bad"})
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        assert process.wait(60) == 1
        assert process.published() == first
        assert (process.root / "error").exists()


def test_a_gate_that_takes_too_long_refuses(tmp_path: Path, upstream: Repository) -> None:
    hook = script(tmp_path / "slow", "exec sleep 600")
    flags = ["--one-time", GATE, f"--pre-publish-exechook-command={hook}"]
    with Gitsync(tmp_path, upstream.url, *flags, "--pre-publish-exechook-timeout=1s") as process:
        assert process.wait(60) == 1
        (refused,) = [m for m in process.messages() if m["msg"] == "hash refused, not published"]
        assert "killed at the deadline" in refused["error"]


def test_a_gate_that_removes_the_tree_has_not_let_it_through(tmp_path: Path, upstream: Repository) -> None:
    hook = script(tmp_path / "remover", 'exec rm -rf "$PWD"')
    with Gitsync(
        tmp_path, upstream.url, "--one-time", GATE, f"--pre-publish-exechook-command={hook}"
    ) as process:
        assert process.wait(60) == 1
        (refused,) = [m for m in process.messages() if m["msg"] == "hash refused, not published"]
        assert "left no worktree" in refused["error"]
        assert not process.link.is_symlink()


def test_a_gate_that_cannot_start_fails_the_sync(tmp_path: Path, upstream: Repository) -> None:
    flags = [GATE, "--pre-publish-exechook-command=./not-there", "--max-failures=2"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        assert process.wait(60) == 1
        assert process.messages()[-1]["msg"] == "too many failures, aborting"
        assert not process.link.is_symlink()


def test_a_restart_after_a_refusal_is_ready_with_what_is_published(
    tmp_path: Path, upstream: Repository
) -> None:
    flags = [gate(tmp_path, tmp_path / "told"), GATE]
    with Gitsync(tmp_path, upstream.url, *flags, "--one-time") as process:
        assert process.wait(60) == 0
    upstream.commit({"a": "bad"})
    port = free_port()
    with Gitsync(tmp_path, upstream.url, *flags, f"--http-bind=127.0.0.1:{port}") as process:
        process.wait_line("hash refused, not published")
        until(lambda: get(f"http://127.0.0.1:{port}/").status == 200, 60, "readiness", ignoring=(OSError,))


def test_a_gate_that_our_end_kills_has_refused_nothing(tmp_path: Path, upstream: Repository) -> None:
    begun = tmp_path / "begun"
    hook = script(tmp_path / "slow", f"echo > {begun}; exec sleep 600")
    with Gitsync(tmp_path, upstream.url, GATE, f"--pre-publish-exechook-command={hook}") as process:
        until(begun.exists, 60, "the gate to begin")
        process.send(signal.SIGTERM)
        assert process.wait(60) == -signal.SIGTERM
        assert not (process.root / ".git" / "podmates" / "refused.json").exists()
    flags = [GATE, "--pre-publish-exechook-command=true", "--one-time"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        assert process.wait(60) == 0
        assert process.published() == upstream.head()


def test_a_refused_commit_is_tried_again_when_somebody_insists(tmp_path: Path, upstream: Repository) -> None:
    told, secret, port = tmp_path / "told", tmp_path / "secret", free_port()
    secret.write_text("a secret of some length")
    flags = [
        gate(tmp_path, told),
        GATE,
        f"--push-bind=127.0.0.1:{port}",
        f"--push-secret-file={secret}",
        "-v=2",
    ]
    bad = upstream.commit({"a": "bad"})
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        process.wait_line("hash refused, not published")
        script(tmp_path / "gate", f"echo $GITSYNC_HASH >> {told}")
        until(lambda: _still(process) > 0, 60, "a poll")
        seen = _still(process)
        assert _sync(port, "/sync") == 202
        until(lambda: _still(process) > seen + 1, 60, "a sync that nobody insisted on")
        assert len(lines(told)) == 1
        assert _sync(port, "/sync?force=1&wait=60s") == 200
        assert process.published() == bad
        assert len(lines(told)) == 2


def _still(process: Gitsync) -> int:
    return len([message for message in process.messages() if message["msg"] == "hash is still refused"])


def _sync(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, headers={"Authorization": "Bearer a secret of some length"})
        return connection.getresponse().status
    finally:
        connection.close()

"""Failures are counted, successes told in the order that consumers rely on, and the end has its status."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from podmates_gitsync.errors import Refused
from podmates_gitsync.metrics import DURATION, REVISION
from podmates_gitsync.sync import loop
from podmates_gitsync.sync.syncer import Synced
from tests.support.gitsync_loop import FAIL, HASH, NEW, SAME, Run, Scripted
from tests.support.waiting import until

LIMITS: dict[str, tuple[list[str], int | None, list[Synced | Exception], int | None]] = {
    "0 is the first failure": ([], None, [FAIL], 1),
    "1 is the first failure": (["--max-failures=1"], None, [FAIL], 1),
    "2 is the second in a row": (["--max-failures=2"], None, [FAIL, NEW, FAIL, FAIL, NEW], 1),
    "a success starts anew": (["--max-failures=2"], None, [FAIL, NEW, FAIL, SAME, FAIL, SAME], None),
    "negative is never": (["--max-failures=-1"], None, [FAIL] * 9, None),
    "the first limit until the first success": ([], 3, [FAIL, FAIL, NEW, SAME, FAIL], 1),
    "the first limit reached": (["--max-failures=-1"], 2, [FAIL, FAIL, NEW], 1),
}


@pytest.mark.parametrize(("flags", "first", "results", "status"), LIMITS.values(), ids=LIMITS.keys())
def test_failures_in_a_row_are_limited(
    tmp_path: Path,
    flags: list[str],
    first: int | None,
    results: list[Synced | Exception],
    status: int | None,
) -> None:
    assert Run(tmp_path, flags, *results, first=first).status() == status


def test_the_last_failure_says_how_many_there_were(tmp_path: Path) -> None:
    run = Run(tmp_path, ["--max-failures=2"], FAIL, FAIL)
    run.status()
    errors = [message for message in run.messages() if "error" in message]

    assert [message["msg"] for message in errors] == [
        "error syncing repo, will retry",
        "too many failures, aborting",
    ]
    assert (errors[1]["failCount"], errors[1]["maxFailures"]) == (2, 2)
    assert run.counts() == {"error": 2}


def test_the_error_file_holds_gits_words_until_the_next_success(tmp_path: Path) -> None:
    run = Run(tmp_path, ["--max-failures=-1"], FAIL)
    run.status()

    held = json.loads(run.error_file.read_text())
    assert held["Err"] == "couldn't find remote ref nope"
    assert held["Args"] == {"failCount": 1}
    assert run.error_file.stat().st_mode & 0o777 == 0o644

    again = Run(tmp_path, [], NEW)
    again.status()
    assert not again.error_file.exists()


def test_the_first_success_counts_as_one_even_without_a_change(tmp_path: Path) -> None:
    run = Run(tmp_path, [], SAME, SAME, NEW)
    run.status()

    assert run.counts() == {"success": 2, "noop": 1}
    assert run.state.ready.is_set()
    assert run.syncer.cleaned == [HASH] * 3


def test_the_duration_is_that_of_the_sync_without_the_clean_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, ["--max-failures=-1"], NEW, FAIL, SAME, SAME)
    clock = SimpleNamespace(monotonic=lambda: run.syncer.clock, time=lambda: 0.0)
    monkeypatch.setattr(loop, "time", clock)
    run.status()

    sums = {labels[0]: value for labels, value in run.metrics.values(DURATION).items()}
    assert sums == {"success": 2, "error": 2, "noop": 4}


@pytest.mark.parametrize(
    ("flag", "lines"), [("--init-period=0", 0), ("--init-period=20ms", 1), ("--init-period=10ms", 0)]
)
def test_the_first_success_ends_the_first_period(tmp_path: Path, flag: str, lines: int) -> None:
    run = Run(tmp_path, ["--max-failures=-1", flag, "-v2"], FAIL, SAME, SAME)
    run.status()

    assert {m["level"] for m in run.messages() if m["msg"] in {"syncing", "next sync"}} == {2}
    pauses = [message["wait"] for message in run.messages() if message["msg"] == "next sync"]
    first = flag.partition("=")[2]
    assert pauses == ["10ms" if first == "0" else first, "10ms", "10ms"]  # 0: there is no first period
    told = [message for message in run.messages() if message["msg"].startswith("first success")]
    assert [message["level"] for message in told] == [0] * lines


def test_the_touch_file_is_touched_on_success_only(tmp_path: Path) -> None:
    run = Run(tmp_path, ["--max-failures=-1"], FAIL)
    run.status()
    assert not run.touch_file.exists()

    Run(tmp_path, [], SAME).status()
    assert run.touch_file.exists()


def test_a_touch_that_fails_is_logged_only(tmp_path: Path) -> None:
    (tmp_path / "sub").write_text("a file where the directory belongs")
    run = Run(tmp_path, [], NEW, SAME)

    assert run.status() is None
    assert [message["msg"] for message in run.messages() if "error" in message] == [
        "failed to touch touch-file"
    ]
    assert run.counts() == {"success": 1, "noop": 1}


def test_counts_and_readiness_are_there_when_the_file_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, [], NEW, SAME, NEW)
    seen: list[tuple[dict[str, float], bool]] = []
    monkeypatch.setattr(loop, "touch", lambda _: seen.append((run.counts(), run.state.ready.is_set())))
    run.status()

    assert seen == [({"success": 1}, True), ({"success": 2, "noop": 1}, True)]


def test_one_time_ends_with_the_first_success(tmp_path: Path) -> None:
    run = Run(tmp_path, ["--one-time", "--max-failures=3"], FAIL, FAIL, NEW, NEW)

    assert run.status() == 0
    assert run.messages()[-1]["msg"] == "exiting after one sync"
    assert not run.error_file.exists()


def test_a_hash_is_synced_once_and_then_the_loop_is_parked(tmp_path: Path) -> None:
    run = Run(tmp_path, [f"--ref={HASH}"], NEW)
    run.error_file.write_text("of an earlier process")
    thread = threading.Thread(target=run.loop.run, daemon=True)
    thread.start()
    until(lambda: run.state.parked, 30, "the loop to be parked")
    thread.join(0.2)

    assert thread.is_alive()
    assert not run.error_file.exists()
    told = [message["level"] for message in run.messages() if message["msg"].startswith("ref is a hash")]
    assert told == [0]


REFUSED, STILL = Refused(HASH, "hook", "exit status 3"), Refused(HASH, "hook", "exit status 3", at=1.0)


def test_a_refused_commit_is_a_noop_and_no_failure(tmp_path: Path) -> None:
    run = Run(tmp_path, ["--max-failures=2"], FAIL, REFUSED, STILL, FAIL, STILL)

    assert run.status() is None
    assert run.counts() == {"error": 2, "noop": 3}
    assert not run.touch_file.exists()
    assert [each.reason for each in run.state.status.rejected] == ["hook"]
    assert run.state.status.consecutive_failures == 0


def test_a_refusal_is_said_once_and_stays_in_the_error_file_until_something_is_published(
    tmp_path: Path,
) -> None:
    run = Run(tmp_path, ["--max-failures=-1"], REFUSED, STILL, STILL)
    run.status()

    said = [message for message in run.messages() if message["msg"] == "hash refused, not published"]
    assert [(m["error"], m["hash"], m["reason"]) for m in said] == [("exit status 3", HASH, "hook")]
    held = json.loads(run.error_file.read_text())
    assert (held["Err"], held["Args"]) == ("exit status 3", {"hash": HASH, "reason": "hook"})

    after_trouble = Run(tmp_path, ["--max-failures=-1"], REFUSED, FAIL, STILL)
    after_trouble.status()
    assert json.loads(run.error_file.read_text())["Err"] == "exit status 3"

    text = run.error_file.read_text()
    for next_one in (NEW, SAME):  # another commit is published, or the ref is back at the published one
        run.error_file.write_text(text)
        Run(tmp_path, [], next_one).status()
        assert not run.error_file.exists()


@pytest.mark.parametrize("published", [True, False])
def test_a_refusal_at_the_start_is_ready_only_with_what_an_earlier_process_published(
    tmp_path: Path, published: bool
) -> None:
    run = Run(tmp_path, [], REFUSED)
    run.syncer.there = "f" * 40 if published else ""
    run.status()

    assert run.state.ready.is_set() is published


def test_the_first_success_after_refusals_counts_as_one(tmp_path: Path) -> None:
    run = Run(tmp_path, [], REFUSED, SAME, SAME)
    run.syncer.there = HASH
    run.status()

    assert run.counts() == {"noop": 2, "success": 1}
    assert run.touch_file.exists()


def test_one_time_ends_with_1_when_the_commit_is_refused(tmp_path: Path) -> None:
    run = Run(tmp_path, ["--one-time", "--max-failures=-1"], REFUSED, NEW)

    assert run.status() == 1
    assert run.messages()[-1]["msg"] == "exiting after one sync"
    assert run.error_file.exists()


def test_a_refused_hash_as_ref_does_not_park_the_loop(tmp_path: Path) -> None:
    assert Run(tmp_path, [f"--ref={HASH}"], REFUSED, STILL).status() is None


def test_a_forced_wish_looks_again_once_and_a_push_does_not(tmp_path: Path) -> None:
    run = Run(tmp_path, [], REFUSED, STILL, STILL)
    run.state.wishes.push(force=True)
    run.status()
    assert run.syncer.forgiving == [True, False, False, False]

    run = Run(tmp_path, [], STILL)
    run.state.wishes.push(HASH)
    run.status()
    assert run.syncer.forgiving == [False, False]


def test_who_asks_during_the_last_sync_is_told(tmp_path: Path) -> None:
    told = list[str]()

    class Asked(Scripted):
        def sync(self, deadline: float, *, forced: bool = False, forgiving: bool = False) -> Synced:
            run.state.wishes.push(done=told.append)
            return super().sync(deadline, forced=forced)

    run = Run(tmp_path, [f"--ref={HASH}"])
    run.syncer = Asked([NEW])
    run.loop._syncer = run.syncer
    threading.Thread(target=run.loop.run, daemon=True).start()
    until(lambda: told == [HASH], 30, "word of the publish")


def test_a_failure_after_the_link_moved_tells_what_the_link_names(tmp_path: Path) -> None:
    run = Run(tmp_path, ["--max-failures=-1"], SAME, FAIL)
    run.syncer.there = other = "e" * 40
    run.status()

    status = run.state.status
    assert (status.hash, status.previous_hash, status.consecutive_failures) == (other, HASH, 1)
    assert run.metrics.values(REVISION) == {("HEAD", other): 1}


@pytest.mark.parametrize("limit", ["0", "-1"])
def test_a_failure_is_cleaned_up_after_and_said_last(tmp_path: Path, limit: str) -> None:
    """What the clean-up says must not take the place of the failure in the error file."""
    run = Run(tmp_path, [f"--max-failures={limit}"], FAIL)
    run.syncer.at_hold = lambda: run.log.error("a smaller one", "git cleanup failed")
    run.status()

    assert [message["msg"] for message in run.messages()].count("git cleanup failed") == 1
    assert str(FAIL) in run.error_file.read_text()


def test_a_clean_up_does_not_take_the_place_of_a_refusal(tmp_path: Path) -> None:
    run = Run(tmp_path, [], REFUSED)
    run.syncer.at_hold = lambda: run.log.error("a smaller one", "git cleanup failed")
    run.status()

    assert json.loads(run.error_file.read_text())["Msg"] == "hash refused, not published"

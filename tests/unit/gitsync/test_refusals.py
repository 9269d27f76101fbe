"""What was refused is remembered, and looked at again by the next process only."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from podmates_gitsync.errors import Refused
from podmates_gitsync.hooks.change import Change
from podmates_gitsync.hooks.gate import Gate
from podmates_gitsync.hooks.runner import HookError, HookNotRun
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.sync.admission import Admission, Rules
from podmates_gitsync.sync.refusals import KEPT, Refusals

A, B = "a" * 40, "b" * 64


def refused(commit: str, text: str = "no") -> Refused:
    return Refused(commit, "hook", text)


def file_of(root: Path) -> Path:
    return root / ".git" / "podmates" / "refused.json"


def test_a_refusal_stands_for_this_process_and_is_known_to_the_next(tmp_path: Path) -> None:
    refusals = Refusals(tmp_path)
    assert refusals.standing(A) is None
    assert refusals.add(refused(A), 1.5)
    assert not refusals.add(refused(A, "still no"), 2.5)

    standing = refusals.standing(A)
    assert standing is not None
    assert (standing.text, standing.at) == ("still no", 2.5)
    after = Refusals(tmp_path)
    assert after.standing(A) is None
    assert [(each.hash, each.reason, each.at) for each in after.listed()] == [(A, "hook", 2.5)]
    assert after.add(refused(A), 3)


def test_what_is_published_is_forgotten(tmp_path: Path) -> None:
    refusals = Refusals(tmp_path)
    refusals.add(refused(A), 1)
    refusals.add(refused(B), 2)
    refusals.remove(A)
    refusals.remove(A)

    assert refusals.standing(A) is None
    assert [each.hash for each in Refusals(tmp_path).listed()] == [B]


def test_memory_and_file_are_bounded(tmp_path: Path) -> None:
    refusals = Refusals(tmp_path)
    for number in range(KEPT + 9):
        refusals.add(refused(f"{number:040x}", "\0" * (1 << 20)), number)

    assert [each.at for each in refusals.listed()] == list(range(9, KEPT + 9))
    assert len(Refusals(tmp_path).listed()) == KEPT
    assert file_of(tmp_path).stat().st_size < 1 << 20


BROKEN = {
    "empty": "",
    "not JSON": "{",
    "a list": "[]",
    "nested too deep": "[" * 100_000,
    "no list": '{"refused": 7}',
    "no objects": '{"refused": [7]}',
    "a field is missing": json.dumps({"refused": [{"hash": A, "reason": "hook"}]}),
    "no hash": json.dumps({"refused": [{"hash": "../x", "reason": "hook", "text": "", "at": 1}]}),
    "another reason": json.dumps({"refused": [{"hash": A, "reason": "x", "text": "", "at": 1}]}),
    "no time": json.dumps({"refused": [{"hash": A, "reason": "hook", "text": "", "at": "x"}]}),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_a_file_that_is_not_ours_is_nothing(tmp_path: Path, text: str) -> None:
    file_of(tmp_path).parent.mkdir(parents=True)
    file_of(tmp_path).write_text(text)

    assert Refusals(tmp_path).listed() == []


def test_where_nothing_can_be_written_the_process_remembers(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("not a directory")
    refusals = Refusals(tmp_path)
    refusals.add(refused(A), 1)

    assert refusals.standing(A) is not None


class Signs:
    """Finds the faults that it was told, one after the other."""

    def __init__(self, *faults: str) -> None:
        self.faults = list(faults)

    def fault(self, commit: str, fetched: str, ref: str, deadline: float) -> str:
        return self.faults.pop(0)


def admission(root: Path, rules: Rules) -> tuple[Admission, io.StringIO]:
    stream = io.StringIO()
    return Admission(root, rules, Log(0, stream=stream)), stream


def test_audit_tells_and_counts_once_and_lets_through(tmp_path: Path) -> None:
    counts: list[str] = []
    rules = Rules(signatures=Signs("bad", "bad", "bad", ""), audit=True, count=counts.append)
    audited, stream = admission(tmp_path, rules)
    for commit in (A, A, B, B):
        audited.verify(commit, commit, "main", 0)

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["hash"], line["fault"]) for line in lines] == [(A, "bad"), (A, "bad"), (B, "bad")]
    assert all("error" not in line for line in lines)
    assert counts == ["signature", "signature"]


def test_enforce_refuses_and_counts_a_commit_once(tmp_path: Path) -> None:
    counts: list[str] = []
    enforced, _ = admission(tmp_path, Rules(signatures=Signs("bad", "bad", ""), count=counts.append))
    for _ in range(2):
        with pytest.raises(Refused, match="bad") as refusal:
            enforced.verify(A, A, "main", 0)
        assert (refusal.value.reason, refusal.value.at) == ("signature", None)
        enforced.refuse(refusal.value)
    assert counts == ["signature"]

    with pytest.raises(Refused) as again:
        enforced.recall(A)
    assert again.value.at is not None
    enforced.verify(A, A, "main", 0)
    enforced.accept(A)
    enforced.recall(A)


class Says:
    """A hook that ends as it was told."""

    def __init__(self, error: HookError | None) -> None:
        self.error = error

    def run_in(self, tree: Path, change: Change) -> None:
        if self.error:
            raise self.error


GATES: dict[str, tuple[HookError | None, type[Exception] | None, bool]] = {
    "yes": (None, None, True),
    "no": (HookError("exit status 1"), Refused, False),
    "neither": (HookNotRun("not found"), HookNotRun, False),
}


@pytest.mark.parametrize(("error", "raised", "counted"), GATES.values(), ids=GATES.keys())
def test_a_gate_says_yes_no_or_neither(
    tmp_path: Path, error: HookError | None, raised: type[Exception] | None, counted: bool
) -> None:
    counts: list[bool] = []
    (tmp_path / ".git").write_text("gitdir: elsewhere\n")
    gate = Gate(Says(error), counts.append)
    if raised is None:
        gate.admit(tmp_path, Change(A))
    else:
        with pytest.raises(raised):
            gate.admit(tmp_path, Change(A))

    assert counts == [counted]

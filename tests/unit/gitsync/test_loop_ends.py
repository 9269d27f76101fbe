"""A loop ends after the hooks, and a pause begins when it has ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.gitsync_loop import NEW, SAME, Run


class Hook:
    """Ends its first try with *result*, once it is asked for that."""

    def __init__(self, result: bool, error_file: Path) -> None:
        self.result, self.error_file = result, error_file
        self.seen: list[bool] = []

    def settle(self, seconds: float) -> None:
        """It is not quick."""

    def first_result(self) -> bool:
        self.seen.append(self.error_file.exists())
        return self.result


@pytest.mark.parametrize(("result", "status"), [(True, 0), (False, 1)])
def test_one_time_waits_for_every_hook_then_the_error_file_goes(
    tmp_path: Path, result: bool, status: int
) -> None:
    hooks = [Hook(result, tmp_path / "error"), Hook(True, tmp_path / "error")]
    run = Run(tmp_path, ["--one-time"], NEW, hooks=hooks)
    run.error_file.write_text("of an earlier process")

    assert run.status() == status
    assert [hook.seen for hook in hooks] == [[True], [True]]
    assert not run.error_file.exists()
    last = run.messages()[-1]
    assert (last["msg"], last["level"], last["status"]) == ("exiting after one sync", 0, status)


def test_the_pause_begins_when_the_loop_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, pauses = Run(tmp_path, ["--period=1h"], NEW, SAME), list[float]()
    monkeypatch.setattr(run.state.wishes, "pause", pauses.append)
    run.status()

    assert pauses == [3600, 3600]  # however long the sync and the clean-up took

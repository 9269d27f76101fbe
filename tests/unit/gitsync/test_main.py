"""The very first steps, before anything is read."""

from __future__ import annotations

import pytest

from podmates_gitsync import __main__ as program


def test_an_init_that_cannot_be_made_ends_with_127(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(program, "init_when_first", fail)

    assert program.main() == 127
    assert "no more processes" in capsys.readouterr().err

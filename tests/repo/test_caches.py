"""What a machine needs once has a place for every user."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.caches import cache


def test_a_user_whom_the_system_does_not_know_has_a_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert cache().is_relative_to(tmp_path) and cache().name == "podmates"

"""git reads a configuration of ours, from a file or from memory."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from podmates_gitsync.git.gitconfig import DEFAULTS, PrivateConfig, render


def read_by_git(path: str, key: str) -> str:
    done = subprocess.run(
        ["git", "config", "--file", path, key], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.removesuffix("\n")


@pytest.mark.parametrize("value", ["x", "", ' "quoted\\" # ; ', "two\nlines\tand a tab"], ids=repr)
def test_git_reads_back_what_was_written(tmp_path: Path, value: str) -> None:
    path = tmp_path / "config"
    path.write_text(render([("some", "key", value)]))

    assert read_by_git(str(path), "some.key") == value


def test_the_file_is_for_us_only_and_goes_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    config = PrivateConfig(render(DEFAULTS))
    path = Path(config.path)

    assert path.name.startswith("git-sync.gitconfig.")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_by_git(config.path, "safe.directory") == "*"
    config.remove()
    config.remove()
    assert not path.exists()


def test_without_a_writable_directory_it_is_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    config = PrivateConfig(render(DEFAULTS))

    assert config.path.startswith(f"/proc/{os.getpid()}/fd/")
    assert read_by_git(config.path, "gc.pruneExpire") == "now"
    config.remove()

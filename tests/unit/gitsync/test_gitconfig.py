"""git reads a configuration of ours, from a file or from memory."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from podmates_gitsync.flags.load import Loader
from podmates_gitsync.git.configpairs import ConfigPairError
from podmates_gitsync.git.gitconfig import DEFAULTS, PrivateConfig, chosen, render


def read_by_git(path: str, key: str) -> str:
    done = subprocess.run(
        ["git", "config", "--file", path, key], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.removesuffix("\n")


@pytest.mark.parametrize("value", ["x", "", ' "quoted\\" # ; ', "two\nlines\tand a tab"], ids=repr)
def test_git_reads_back_what_was_written(tmp_path: Path, value: str) -> None:
    path = tmp_path / "config"
    path.write_text(render([("some.key", value)]))

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


def test_what_a_killed_one_left_goes_and_what_somebody_holds_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    held = PrivateConfig("[a]\n\tb = held\n")
    (tmp_path / "git-sync.gitconfig.left").write_text("[http]\n\textraHeader = secret\n")
    (tmp_path / "git-sync.gitconfig.link").symlink_to(held.path)
    config = PrivateConfig(render(DEFAULTS))

    assert {path.name for path in tmp_path.iterdir()} == {
        Path(held.path).name,
        "git-sync.gitconfig.link",
        Path(config.path).name,
    }
    assert read_by_git(held.path, "a.b") == "held"
    assert read_by_git(config.path, "safe.directory") == "*"


def test_without_a_writable_directory_it_is_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    config = PrivateConfig(render(DEFAULTS))

    assert config.path.startswith(f"/proc/{os.getpid()}/fd/")
    assert read_by_git(config.path, "gc.pruneExpire") == "now"
    config.remove()


def test_git_reads_subsections_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(render([('http.https://host/a "b\\.proxy', "p"), ("x..y", "z")]))

    assert read_by_git(str(path), 'http.https://host/a "b\\.proxy') == "p"
    assert read_by_git(str(path), "x..y") == "z"


def test_what_the_user_says_replaces_the_defaults_and_the_last_one_counts(tmp_path: Path) -> None:
    flags = [
        "--git-config=safe.directory:/git,a.b:1",
        "--git-config-add=a.b:2,a.c:3",
        "--git-config-add=a.b:4",
    ]
    settings = Loader({}).command(["--repo=r", "--root=/r", *flags]).settings
    path = tmp_path / "config"
    path.write_text(render([*DEFAULTS, *chosen(settings)]))

    words = ["git", "config", "--file", str(path), "--get-all", "safe.directory"]
    assert subprocess.run(words, capture_output=True, text=True, timeout=30).stdout == "/git\n"
    assert [read_by_git(str(path), key) for key in ("a.b", "a.c", "gc.autoDetach")] == ["4", "3", "false"]


def test_each_use_of_the_flag_is_read_alone() -> None:
    settings = Loader({}).command(
        ["--git-config-add=a.b:1,", "--git-config-add=", "--git-config-add=a.c:2,a.d:3"]
    )

    assert chosen(settings.settings) == [("a.b", "1"), ("a.c", "2"), ("a.d", "3")]
    with pytest.raises(ConfigPairError):
        chosen(Loader({}).command(['--git-config-add=a.b:"1', '--git-config-add=2"']).settings)

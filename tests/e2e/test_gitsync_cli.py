"""What the command line prints, refuses and checks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.gitsync import drop_in
from tests.support.ports import free_port
from tests.support.processes import Finished, run
from tests.support.programs import script


@pytest.fixture
def git_sync(tmp_path: Path) -> str:
    return str(drop_in(tmp_path))


def ours(*words: str, **env: str) -> Finished:
    return run([script("podmates-gitsync"), *words], env=env)


def test_the_version_is_one_line(git_sync: str) -> None:
    done = run([git_sync, "--version", "--help"])

    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("flag", ["--help", "-h", "-?"])
def test_help_goes_to_standard_output_with_the_environments_defaults(git_sync: str, flag: str) -> None:
    done = run([git_sync, flag], env={"GITSYNC_ROOT": "/git"})

    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: git-sync")
    assert '(default "/git")' in done.stdout


def test_the_help_shows_bytes_that_are_no_text(git_sync: str) -> None:
    done = run([git_sync, "--help"], env={"GITSYNC_ROOT": "/\udcff"})

    assert done.status == 0
    assert '(default "/\\udcff")' in done.stdout


def test_the_manual_goes_to_standard_output(git_sync: str) -> None:
    done = run([git_sync, "--man"])

    assert (done.status, done.stderr) == (0, "")
    assert "\t" not in done.stdout


def test_the_help_comes_before_the_manual(git_sync: str) -> None:
    assert run([git_sync, "--man", "--help"]).stdout.startswith("Usage: git-sync")


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("--nope", "unknown flag: --nope"),
        ("--period=1", 'invalid argument "1" for "--period" flag: time: missing unit in duration "1"'),
        ("-version", 'invalid argument "ersion" for "-v, --verbose" flag'),
    ],
)
def test_a_wrong_flag_is_told_before_and_after_the_usage_and_ends_with_2(
    git_sync: str, tmp_path: Path, word: str, reason: str
) -> None:
    done = run([git_sync, f"--root={tmp_path}/root", "--repo=x", word])

    assert (done.status, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert lines[0].startswith(reason)
    assert lines[0] == lines[-1]
    assert "Usage: git-sync" in done.stderr
    assert not (tmp_path / "root").exists()


def test_a_wrong_variable_is_fatal_even_with_help(git_sync: str) -> None:
    done = run([git_sync, "--help"], env={"GITSYNC_DEPTH": ""})

    assert done.status == 1
    assert done.stderr.startswith("FATAL: ")
    assert "GITSYNC_DEPTH" in done.stderr


def test_a_wrong_value_is_told_before_and_after_the_usage_and_ends_with_1(
    git_sync: str, tmp_path: Path
) -> None:
    done = run([git_sync, f"--root={tmp_path}/root", "--repo=x", "--period=1ms", "--error-file=error"])

    assert (done.status, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert lines[0] == lines[-1] == "invalid flag: --period must be at least 10ms"
    assert (tmp_path / "root" / "error").read_text() == lines[0]


def test_no_root_is_told_before_there_is_an_error_file(git_sync: str, tmp_path: Path) -> None:
    file, faults = tmp_path / "error", {"--root=": False, f"--root={tmp_path}/root": True}
    for root, written in faults.items():
        done = run([git_sync, root, f"--error-file={file}"])  # and no repository

        assert (done.status, file.exists()) == (1, written)
        assert f" --{'repo' if written else 'root'} must be" in done.stderr.splitlines()[0]


def test_a_git_that_is_not_there_is_told(git_sync: str, tmp_path: Path) -> None:
    done = run([git_sync, f"--root={tmp_path}/root", "--repo=x", "--git=/nonesuch"])

    assert done.status == 1
    assert "git executable not found" in done.stderr
    assert not (tmp_path / "root").exists()


def test_a_password_in_an_ssh_url_is_refused_and_not_shown(git_sync: str, tmp_path: Path) -> None:
    done = run([git_sync, f"--root={tmp_path}/root"], env={"GITSYNC_REPO": "ssh://u:hunter2@127.0.0.1/x"})

    assert done.status == 1
    assert "which only a URL of" in done.stderr
    assert "hunter2" not in done.stderr


def test_check_shows_no_password() -> None:
    env = {"GITSYNC_REPO": "https://u:hunter2@host/x", "GITSYNC_ROOT": "/r"}
    done = ours("check", **env)

    assert done.status == 0
    assert "hunter2" not in done.stdout
    assert "repo = https://***@host/x" in done.stdout


def test_positional_arguments_are_ignored_under_the_drop_in_name_only(git_sync: str) -> None:
    assert run([git_sync, "check", "--version"]).status == 0
    assert "--root must be specified" in run([git_sync, "check"]).stderr
    assert ours("chekc", "--root=/r", "--repo=x").status == 2


def test_check_prints_every_setting_and_where_it_comes_from(tmp_path: Path) -> None:
    done = ours("check", f"--root={tmp_path}/root", GITSYNC_REPO="https://host/x")

    assert done.status == 0
    assert "repo = https://host/x  (GITSYNC_REPO)" in done.stdout
    assert "period = 10.0  (default)" in done.stdout
    assert not (tmp_path / "root").exists()


def test_check_refuses_with_2() -> None:
    done = ours("check", "--root=/r")

    assert (done.status, done.stdout) == (2, "")
    assert done.stderr == "required flag: --repo must be specified\n"


def test_probe_finds_the_address_in_the_file_of_several(tmp_path: Path) -> None:
    file = tmp_path / "repositories.toml"
    file.write_text(f'http_bind = "127.0.0.1:{free_port()}"\n[[repository]]\nrepo = "x/y"\nroot = "/x"\n')

    assert ours("probe", "ready", f"--config={file}").status == 1  # nobody listens there

    file.write_text("wrong")
    assert ours("probe", "ready", f"--config={file}").status == 2


def test_probe_without_http_says_so_with_2() -> None:
    done = ours("probe", "ready")

    assert done.status == 2
    assert "GITSYNC_HTTP_BIND" in done.stderr

"""Names of v3 are put into the fields of today, and beat them."""

from __future__ import annotations

import pytest

from podmates_gitsync.flags.legacy import rewrite
from podmates_gitsync.flags.load import Loader, deprecations

REWRITTEN: dict[str, tuple[list[str], str, object]] = {
    "branch": (["--branch=b"], "ref", "b"),
    "branch with rev HEAD": (["--branch=b", "--rev=HEAD"], "ref", "b"),
    "branch beats ref": (["--branch=b", "--ref=r"], "ref", "b"),
    "rev": (["--rev=v1"], "ref", "v1"),
    "dest": (["--dest=d", "--link=l"], "link", "d"),
    "wait": (["--wait=1.23456"], "period", 1.234),
    "no wait": (["--wait=0"], "period", 10.0),
    "timeout": (["--timeout=7"], "sync_timeout", 7),
    "failures": (["--max-sync-failures=-1"], "max_failures", -1),
    "hook": (["--sync-hook-command=x"], "exechook_command", "x"),
    "verbosity": (["--v=3"], "verbose", 3),
    "verbosity 0": (["--v=0", "-v6"], "verbose", 0),
    "ssh is ignored": (["--ssh"], "ref", "HEAD"),
}


@pytest.mark.parametrize(("argv", "name", "value"), REWRITTEN.values(), ids=REWRITTEN.keys())
def test_an_old_flag_sets_a_new_field(argv: list[str], name: str, value: object) -> None:
    settings, _ = rewrite(Loader({}).command(argv).settings)

    assert getattr(settings, name) == value


def test_old_variables_do_the_same_without_a_warning() -> None:
    loader = Loader({"GIT_SYNC_BRANCH": "b", "GIT_SYNC_DEST": "d", "GIT_SYNC_SSH": "nonsense"})
    settings, notes = rewrite(loader.command([]).settings)

    assert (settings.ref, settings.link, loader.warnings) == ("b", "d", [])
    assert notes == ["setting --link from deprecated --dest", "setting --ref from deprecated --branch"]


def test_the_password_flag_and_the_one_for_tests_set_the_password() -> None:
    for flag in ("--password=hunter2", "--__env__GITSYNC_PASSWORD=hunter2"):
        settings, notes = rewrite(Loader({"GITSYNC_PASSWORD": "q"}).command([flag]).settings)

        assert settings.password.reveal() == "hunter2"
        assert "hunter2" not in " ".join(notes)


def test_each_old_flag_on_the_command_line_is_warned_about() -> None:
    command = Loader({"GIT_SYNC_DEST": "d"}).command(["--branch=b", "--ssh", "--__env__GITSYNC_PASSWORD=x"])

    assert deprecations(command) == [
        "Flag --branch has been deprecated, use --ref",
        "Flag --ssh has been deprecated, no longer necessary",
    ]

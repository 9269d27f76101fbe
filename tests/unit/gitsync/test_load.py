"""Variables give the defaults, flags win, and faults are told one at a time."""

from __future__ import annotations

import pytest

from podmates_common.reference import effective
from podmates_gitsync.flags.load import FlagError, Loader, VariableError, flag_lines, presentable

MINIMAL = ["--repo=r", "--root=/r"]


def test_defaults_are_those_of_git_sync() -> None:
    settings = Loader({}).command(MINIMAL).settings

    assert (settings.ref, settings.depth, settings.period, settings.sync_timeout) == ("HEAD", 1, 10.0, 120.0)
    assert (settings.max_failures, settings.git_gc, settings.submodules) == (0, "always", "recursive")
    assert settings.ssh_key_file == ("/etc/git-secret/ssh",)


def test_a_flag_beats_a_variable_and_the_origin_is_known() -> None:
    command = Loader({"GITSYNC_REF": "v", "GITSYNC_DEPTH": "0x10"}).command([*MINIMAL, "--ref=f"])

    assert (command.settings.ref, command.settings.depth) == ("f", 16)
    assert [command.loaded.origins[name] for name in ("ref", "depth", "git")] == [
        "--ref",
        "GITSYNC_DEPTH",
        "default",
    ]


def test_the_old_variable_beats_the_new_one_and_only_the_winner_is_parsed() -> None:
    loader = Loader({"GITSYNC_PERIOD": "nonsense", "GIT_SYNC_PERIOD": "3s"})

    assert loader.command(MINIMAL).settings.period == 3.0
    assert len(loader.warnings) == 2


@pytest.mark.parametrize("name", ["DEPTH", "ONE_TIME", "PERIOD", "MAX_FAILURES"])
def test_an_empty_variable_is_a_fault_unless_it_is_text(name: str) -> None:
    with pytest.raises(VariableError, match=f"GITSYNC_{name}"):
        Loader({f"GITSYNC_{name}": ""})


def test_an_empty_text_is_a_value() -> None:
    assert Loader({"GITSYNC_REF": ""}).command(MINIMAL).settings.ref == ""


def test_key_files_in_a_variable_are_a_path_list_and_flags_replace_it() -> None:
    loader = Loader({"GITSYNC_SSH_KEY_FILE": "/a:/b"})

    assert loader.command(MINIMAL).settings.ssh_key_file == ("/a", "/b")
    assert Loader({"GITSYNC_SSH_KEY_FILE": ""}).command(MINIMAL).settings.ssh_key_file == ()
    assert loader.command([*MINIMAL, "--ssh-key-file=/c", "--ssh-key-file", "/d"]).settings.ssh_key_file == (
        "/c",
        "/d",
    )


def test_of_a_flag_given_twice_the_last_one_counts() -> None:
    assert Loader({}).command([*MINIMAL, "--ref=a", "--ref", "b", "-v1", "--verbose=2"]).settings.ref == "b"
    assert Loader({}).command([*MINIMAL, "-v1", "--verbose=2"]).settings.verbose == 2


def test_a_variable_with_our_prefix_must_be_known() -> None:
    with pytest.raises(VariableError, match="PODMATES_GITSYNC_PERIODE"):
        Loader({"PODMATES_GITSYNC_PERIODE": "1s"})


def test_what_kubernetes_injects_for_a_service_is_no_setting() -> None:
    Loader({"PODMATES_GITSYNC_SERVICE_HOST": "10.0.0.1", "PODMATES_GITSYNC_PORT": "tcp://10.0.0.1:80"})


def test_v3_flags_of_its_log_are_unknown() -> None:
    with pytest.raises(FlagError, match="unknown shorthand flag"):
        Loader({}).command(["-logtostderr"])


def test_flags_of_the_command_line_are_listed_sorted_without_passwords() -> None:
    command = Loader({"GITSYNC_REF": "v"}).command(
        ["--root=/r", "--repo=https://user:secret@host/x", "--password=secret"]
    )

    assert flag_lines(command) == ["--repo=https://***@host/x", "--root=/r"]


LEVELS = {
    "those given only": (0, ["--depth=16", "--repo=r", "--root=/r"]),
    "others that are not empty": (4, ["--period=10s", "--one-time=false", "--depth=16", "--ref=v"]),
    "all": (6, ["--filter=", "--git-config-add=", "--period=10s", "--depth=16"]),
}


@pytest.mark.parametrize(("verbosity", "wanted"), LEVELS.values(), ids=LEVELS.keys())
def test_the_more_verbose_the_more_flags_are_listed(verbosity: int, wanted: list[str]) -> None:
    command = Loader({"GITSYNC_REF": "v", "GITSYNC_VERBOSE": str(verbosity)}).command(
        [*MINIMAL, "--depth=0x10", "--branch=b", "--__env__GITSYNC_PASSWORD=hunter2"]
    )
    lines = flag_lines(command)

    assert lines == sorted(lines)
    assert set(wanted) <= set(lines)
    assert not any(line.startswith(("--branch", "--__env__", "--password=")) for line in lines)
    if verbosity == 0:
        assert lines == wanted
    assert any(line.endswith("=") for line in lines) == (verbosity == 6)


def test_secrets_in_values_are_masked_in_the_list_and_in_what_check_prints() -> None:
    argv = [
        *("--repo=https://u:hunter2@h/r", "--git-config=http.extraHeader:hunter2,user.name:A"),
        *('--git-config-add=x.token:"hunter2', "--git-config-add=a.b:c"),
        '--credential=[{"url":"https://h","username":"u","password":"hunter2"}]',
    ]
    command = Loader({}).command([*argv, "--root=/r"])
    lines = flag_lines(command)

    assert "--git-config=http.extraHeader:REDACTED,user.name:A" in lines
    assert [line for line in lines if "-add" in line] == [
        "--git-config-add=REDACTED",
        "--git-config-add=a.b:c",
    ]
    assert any("REDACTED" in line for line in lines if line.startswith("--credential="))
    assert "hunter2" not in str(lines)
    assert "hunter2" not in effective(presentable(command).loaded).replace("u:hunter2@", "")


@pytest.mark.parametrize("argv", [["--version"], ["--version=true"], ["--help", "--version"]], ids=str)
def test_print_and_exit_flags_are_told(argv: list[str]) -> None:
    command = Loader({}).command(argv)

    assert command.printing("version")
    assert not Loader({}).command(["--version=false"]).printing("version")


def test_help_shows_each_flag_once_with_the_environments_default_and_no_hidden_one() -> None:
    text = Loader({"GITSYNC_ROOT": "/git"}).usage("git-sync")

    assert '(default "/git")' in text
    assert text.count("--period duration") == 1
    assert "GITSYNC_PASSWORD" in text
    assert "--branch" not in text
    assert "__env__" not in text


def test_a_url_of_a_server_is_shown_without_its_query() -> None:
    argv = [*MINIMAL, "--askpass-url=http://u:hunter2@h/p?hunter2", "--webhook-url=http://h/hunter2/T0?x=1"]

    lines = flag_lines(Loader({}).command(argv))

    assert lines[0] == "--askpass-url=http://***@h/REDACTED"
    assert lines[-1] == "--webhook-url=http://h/REDACTED"

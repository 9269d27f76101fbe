"""Every flag of git-sync v4 with its type, its default and all names of its variable, and those of v3.

The tables are copied from what git-sync documents and does, not from our declarations.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest

from podmates_common.redact import Secret
from podmates_common.settings import options
from podmates_gitsync.flags.legacy import rewrite
from podmates_gitsync.flags.load import Loader, VariableError, deprecations
from podmates_gitsync.settings import PREFIX, Settings


class Flag(NamedTuple):
    """A flag; its variables begin with GITSYNC_ unless they are spelt out, the current one first."""

    flag: str
    default: Any
    sample: str  # a text for it that is not its default
    value: Any  # what that text means
    variables: str  # names without their beginning; "N O" for new and old

    @property
    def names(self) -> list[str]:
        ending = self.flag.strip("-").replace("-", "_").upper()
        short = {"N": f"GITSYNC_{ending}", "O": f"GIT_SYNC_{ending}"}
        return [short.get(word, word) for word in self.variables.split()]


FLAGS = [
    Flag("--repo", "", "https://h/r", "https://h/r", "N O"),
    Flag("--ref", "HEAD", "v1", "v1", "N"),
    Flag("--depth", 1, "0x10", 16, "N O"),
    Flag("--filter", "", "blob:none", "blob:none", "N"),
    Flag("--submodules", "recursive", "off", "off", "N O"),
    Flag("--sparse-checkout-file", "", "/x", "/x", "N O"),
    Flag("--root", "", "/x", "/x", "N O"),
    Flag("--link", "", "x", "x", "N O"),
    Flag("--error-file", "", "x", "x", "N O"),
    Flag("--touch-file", "", "x", "x", "N O"),
    Flag("--group-write", False, "true", True, "N O"),
    Flag("--stale-worktree-timeout", 0, "1h", 3600, "N"),
    Flag("--period", 10, "1m", 60, "N O"),
    Flag("--init-period", 0, "1s", 1, "N"),
    Flag("--sync-timeout", 120, "1s", 1, "N O"),
    Flag("--one-time", False, "1", True, "N O"),
    Flag("--sync-on-signal", "", "SIGHUP", "SIGHUP", "N O"),
    Flag("--max-failures", 0, "-1", -1, "N O"),
    Flag("--init-max-failures", 0, "3", 3, "N"),
    Flag("--exechook-command", "", "/x y", "/x y", "N O"),
    Flag("--exechook-timeout", 30, "1s", 1, "N O"),
    Flag("--exechook-backoff", 3, "1s", 1, "N O"),
    Flag("--pre-publish-exechook-command", "", "/x", "/x", "N"),
    Flag("--pre-publish-exechook-timeout", 30, "1s", 1, "N"),
    Flag("--pre-publish-exechook-backoff", 3, "1s", 1, "N"),
    Flag("--webhook-url", "", "http://h", "http://h", "N O"),
    Flag("--webhook-method", "POST", "GET", "GET", "N O"),
    Flag("--webhook-success-status", 200, "-1", -1, "N O"),
    Flag("--webhook-timeout", 1, "2s", 2, "N O"),
    Flag("--webhook-backoff", 3, "2s", 2, "N O"),
    Flag("--username", "", "u", "u", "N O"),
    Flag("--password-file", "", "/x", "/x", "N O"),
    Flag("--ssh-key-file", ("/etc/git-secret/ssh",), "/x", ("/x",), "N O GIT_SSH_KEY_FILE"),
    Flag("--ssh-known-hosts", True, "F", False, "N GIT_SYNC_KNOWN_HOSTS GIT_KNOWN_HOSTS"),
    Flag("--ssh-known-hosts-file", "/etc/git-secret/known_hosts", "/x", "/x", "N O GIT_SSH_KNOWN_HOSTS_FILE"),
    Flag("--cookie-file", False, "t", True, "N O GIT_COOKIE_FILE"),
    Flag("--askpass-url", "", "http://h", "http://h", "N O GIT_ASKPASS_URL"),
    Flag("--github-base-url", "https://api.github.com/", "http://h", "http://h", "N"),
    Flag("--github-app-private-key-file", "", "/x", "/x", "N"),
    Flag("--github-app-client-id", "", "x", "x", "N"),
    Flag("--github-app-application-id", 0, "7", 7, "N"),
    Flag("--github-app-installation-id", 0, "7", 7, "N"),
    Flag("--add-user", False, "T", True, "N O"),
    Flag("--git", "git", "/x", "/x", "N O"),
    Flag("--git-config", "", "a.b:c", "a.b:c", "N O"),
    Flag("--git-config-add", (), "a.b:c", ("a.b:c",), "PODMATES_GITSYNC_GIT_CONFIG_ADD"),
    Flag("--git-gc", "always", "auto", "auto", "N O"),
    Flag("--http-bind", "", ":1", ":1", "N O"),
    Flag("--http-metrics", False, "true", True, "N O"),
    Flag("--http-pprof", False, "true", True, "N O"),
    Flag("--verbose", 0, "6", 6, "N"),
]
# Old flag, old variable, a text, the field of today that it sets, and to what.
OLD: list[tuple[str, str, str, str, Any]] = [
    ("--branch", "GIT_SYNC_BRANCH", "b", "ref", "b"),
    ("--rev", "GIT_SYNC_REV", "v1", "ref", "v1"),
    ("--dest", "GIT_SYNC_DEST", "d", "link", "d"),
    ("--wait", "GIT_SYNC_WAIT", "1.5", "period", 1.5),
    ("--timeout", "GIT_SYNC_TIMEOUT", "7", "sync_timeout", 7),
    ("--max-sync-failures", "GIT_SYNC_MAX_SYNC_FAILURES", "7", "max_failures", 7),
    ("--sync-hook-command", "GIT_SYNC_HOOK_COMMAND", "x", "exechook_command", "x"),
    ("--change-permissions", "GIT_SYNC_PERMISSIONS", "511", "change_permissions", 511),
    ("--password", "", "hunter2", "password", "hunter2"),
    ("--v", "", "3", "verbose", 3),
]
SECRETS = {
    "password": ["GITSYNC_PASSWORD", "GIT_SYNC_PASSWORD"],
    "github_app_private_key": ["GITSYNC_GITHUB_APP_PRIVATE_KEY"],
}
# Wrong or empty for each type of value but text.
NOT_A_VALUE = ["", "x", "1x"]


def field(flag: str) -> str:
    return flag.strip("-").replace("-", "_")


def read(environ: dict[str, str], *argv: str) -> Settings:
    settings, _ = rewrite(Loader(environ).command(argv).settings)
    return settings


def by_flag(row: Flag) -> Any:
    return row.flag


@pytest.mark.parametrize("row", FLAGS, ids=by_flag)
def test_a_flag_of_v4_has_its_default_its_type_and_every_name_of_its_variable(row: Flag) -> None:
    name = field(row.flag)
    assert getattr(read({}), name) == row.default
    assert getattr(read({}, f"{row.flag}={row.sample}"), name) == row.value
    for variable in row.names:
        loader = Loader({variable: row.sample})
        assert getattr(loader.command([]).settings, name) == row.value
        old = variable != row.names[0]
        assert any(variable in line and row.names[0] in line for line in loader.warnings) == old
        # a flag wins over each of them
        shown = "false" if row.default is False else row.sample
        wanted = False if row.default is False else row.value
        assert (
            getattr(Loader({variable: row.sample}).command([f"{row.flag}={shown}"]).settings, name) == wanted
        )


@pytest.mark.parametrize("row", [row for row in FLAGS if len(row.names) > 1], ids=by_flag)
def test_an_older_name_beats_a_newer_one_which_is_not_even_parsed(row: Flag) -> None:
    *losers, last = row.names
    loader = Loader({**dict.fromkeys(losers, "not a value"), last: row.sample})

    assert getattr(loader.command([]).settings, field(row.flag)) == row.value
    assert len([line for line in loader.warnings if "overridden" in line]) == len(losers)


@pytest.mark.parametrize(
    "row", [row for row in FLAGS if not isinstance(row.default, str | tuple)], ids=by_flag
)
@pytest.mark.parametrize("text", NOT_A_VALUE, ids=repr)
def test_a_number_switch_or_duration_must_parse(row: Flag, text: str) -> None:
    for variable in row.names:
        with pytest.raises(VariableError, match=variable):
            Loader({variable: text})


@pytest.mark.parametrize(("flag", "variable", "text", "name", "value"), OLD, ids=[row[0] for row in OLD])
def test_a_name_of_v3_sets_the_field_of_today(
    flag: str, variable: str, text: str, name: str, value: Any
) -> None:
    ways = [({}, [f"{flag}={text}"]), *([({variable: text}, [])] if variable else [])]
    for environ, argv in ways:
        loader = Loader(environ)
        command = loader.command(argv)
        settings, notes = rewrite(command.settings)
        found = getattr(settings, name)

        assert (found.reveal() if isinstance(found, Secret) else found) == value
        assert len(notes) == (0 if name == "change_permissions" else 1)  # that one ends the start instead
        assert loader.warnings == []
        assert len(deprecations(command)) == len(argv)
        assert "hunter2" not in str(notes + deprecations(command))


@pytest.mark.parametrize(("name", "variables"), SECRETS.items())
def test_a_secret_comes_from_its_variable_only(name: str, variables: list[str]) -> None:
    for variable in variables:
        assert getattr(read({variable: "hunter2"}), name).reveal() == "hunter2"
    hidden = f"--__env__{variables[0]}"
    assert getattr(read({variables[0]: "x"}, f"{hidden}=hunter2"), name).reveal() == "hunter2"
    assert getattr(read({variables[0]: "x"}, f"{hidden}="), name).reveal() == "x"


def test_no_variable_was_invented_for_a_flag_of_git_sync() -> None:
    known = {name for row in FLAGS for name in row.names} | {row[1] for row in OLD}
    known |= {name for names in SECRETS.values() for name in names} | {"GITSYNC_CREDENTIAL"}
    ours = {name for row in options(Settings, PREFIX) for name in row.variables}

    assert {name for name in ours if not name.startswith(PREFIX)} == known - {
        "",
        "PODMATES_GITSYNC_GIT_CONFIG_ADD",
    }
    Loader({"GIT_SYNC_SSH": "nonsense", "GIT_SYNC_V": "x"})  # not read at all


def test_help_has_a_line_for_each_flag_with_its_type_and_its_default() -> None:
    text = Loader({}).usage("git-sync")
    first, _, beyond = text.partition(" FLAGS THAT GIT-SYNC DOES NOT KNOW:\n")
    listed = re.findall(r"^  (?:-\w, |    )(--[\w-]+)", first, re.MULTILINE)
    assert listed == sorted(listed)
    assert set(listed) == {row.flag for row in FLAGS} | {"--credential", "--help", "--man", "--version"}
    for line in (
        "--depth int  ",
        "--period duration  ",
        "--ssh-key-file stringArray  ",
        '(default "HEAD")',
        "(default 10s)",
        "(default 2m0s)",
        "(default [/etc/git-secret/ssh])",
        "(default true)",
        "-v, --verbose int",
        "-h, --help  ",
    ):
        assert line in first, line
    assert not re.search(r'\(default (""|0s?|false|\[\])\)', text)
    flags, _, variables = beyond.partition("\n\n ENVIRONMENT VARIABLES:\n")
    own = re.findall(r"^      (--[\w-]+)", flags, re.MULTILINE)
    assert own == sorted(own)
    assert "--mirror-dir" in own
    assert variables.split()[0] == "GITSYNC_PASSWORD"
    assert "GITSYNC_GITHUB_APP_PRIVATE_KEY" in variables
    assert text.startswith("Usage: git-sync [FLAGS...]\n")
    assert "check" in Loader({}).usage("podmates-gitsync").splitlines()[0]
    for hidden in ("--branch", "--password ", "__env__", "__?", "--ssh ", "--v "):
        assert hidden not in text


def test_defaults_in_the_help_are_what_the_environment_made_them_and_show_no_secret() -> None:
    environ = {
        "GITSYNC_ROOT": "/git",
        "GIT_SYNC_PERIOD": "90s",
        "GITSYNC_DEPTH": "0x10",
        "GITSYNC_REPO": "https://u:hunter2@h/r",
        "GITSYNC_GIT_CONFIG": "http.extraHeader:hunter2",
        "GITSYNC_CREDENTIAL": '{"url":"https://h","username":"u","password":"hunter2"}',
        "GITSYNC_PASSWORD": "hunter2",
    }
    loader = Loader(environ)
    text = loader.usage("git-sync")

    for shown in ('(default "/git")', "(default 1m30s)", "(default 16)"):
        assert shown in text
    assert "hunter2" not in text + loader.manual()


def test_the_manual_is_80_columns_without_tabs_and_names_every_flag_and_variable() -> None:
    text = Loader({}).manual()

    assert max(map(len, text.splitlines())) <= 80
    assert "\t" not in text
    for row in FLAGS:
        assert row.flag in text
        assert row.names[0] in text
    for head in ("EXAMPLE", "HOOKS", "AUTHENTICATION", "SIGNALS", "EXIT STATUS", "SETTINGS OF GIT"):
        assert f"\n{head}\n" in text

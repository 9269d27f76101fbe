"""The file of several repositories: what is inherited, what is not, and every way to get it wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from podmates_common.files import LARGEST
from podmates_gitsync.flags.load import Loader
from podmates_gitsync.flags.repositories import FileError, Told, read
from podmates_gitsync.settings import Settings

TWO = """
[[repository]]
repo = "https://example.com/docs/site.git"

[[repository]]
name = "other"
repo = "https://example.com/other"
"""


def told(folder: Path, text: str, *flags: str, environ: dict[str, str] | None = None) -> list[Told]:
    file = folder / "repositories.toml"
    file.write_text(text)
    return read(Loader(environ or {}).command([f"--config={file}", *flags]))[1]


def settings(folder: Path, text: str, *flags: str, environ: dict[str, str] | None = None) -> list[Settings]:
    return [command.settings for _, command in told(folder, text, *flags, environ=environ)]


def test_a_name_is_the_last_part_of_the_url_unless_given(tmp_path: Path) -> None:
    assert [name for name, _ in told(tmp_path, TWO, "--root=/git")] == ["site", "other"]


def test_each_root_is_below_the_common_one_unless_given(tmp_path: Path) -> None:
    text = TWO + 'root = "/srv/other"\n'

    assert [s.root for s in settings(tmp_path, text, "--root=/git/")] == ["/git/site", "/srv/other"]


def test_a_table_beats_a_flag_beats_a_variable_beats_the_top_of_the_file(tmp_path: Path) -> None:
    text = 'period = "4s"\nref = "top"\ndepth = 4\nsubmodules = "off"\n' + TWO + 'period = "1s"\n'

    one, other = settings(
        tmp_path,
        text,
        "--root=/git",
        "--period=2s",
        "--ref=flag",
        environ={"GITSYNC_REF": "variable", "GITSYNC_DEPTH": "3"},
    )

    assert (one.period, other.period) == (2, 1)
    assert (one.ref, one.depth, one.submodules) == ("flag", 3, "off")


def test_values_may_have_tomls_own_types(tmp_path: Path) -> None:
    text = TWO + 'ssh_key_file = ["/a", "/b"]\nssh_known_hosts = false\ndepth = 0\n'

    other = settings(tmp_path, text, "--root=/git")[1]

    assert other.ssh_key_file == ("/a", "/b")
    assert not other.ssh_known_hosts
    assert other.depth == 0


def test_a_repository_never_gives_up_unless_it_was_told_when(tmp_path: Path) -> None:
    assert [s.max_failures for s in settings(tmp_path, TWO, "--root=/git")] == [-1, -1]
    assert [s.max_failures for s in settings(tmp_path, TWO, "--root=/git", "--max-failures=3")] == [3, 3]


def test_where_a_value_comes_from_is_known(tmp_path: Path) -> None:
    other = told(tmp_path, TWO + 'ref = "v1"\n', "--root=/git", "--period=2s")[1].command

    assert other.loaded.origins["ref"].endswith("repository other")
    assert other.loaded.origins["period"] == "--period"


FAULTS = {
    "no table": ("", "no [[repository]] in it"),
    "not TOML": ("repo", "Expected"),
    "not a table": ("repository = 1\n", "no [[repository]] in it"),
    "unknown at the top": ("perod = '1s'\n" + TWO, "perod: unknown setting"),
    "unknown in a table": (TWO + "perod = '1s'\n", "repository other: perod: unknown setting"),
    "a name of v3": (TWO + "branch = 'x'\n", "repository other: branch: unknown setting"),
    "a secret": (TWO + "password = 'x'\n", "repository other: password: unknown setting"),
    "not of its kind": (TWO + "period = 3\n", "repository other: period: "),
    "a NUL": (TWO + 'ref = "a\\u0000"\n', "repository other: ref: there is a NUL in it"),
    "a NUL in a list": (TWO + 'path = ["a", "\\u0000"]\n', "repository other: path: there is a NUL in it"),
    "a NUL at the top": ('link = "\\u0000"\n' + TWO, "link: there is a NUL in it"),
    "a wrong value": (
        TWO + "period = '1ms'\n",
        "repository other: invalid flag: --period must be",
    ),
    "no repo": ("[[repository]]\nname = 'x'\n", "repository x: required flag: --repo must be specified"),
    "no name": ("[[repository]]\nrepo = '/'\n", "repository 1: it needs a name"),
    "a name that is a path": (
        TWO + "[[repository]]\nrepo='x'\nname='../x'\n",
        "repository 3: it needs a name",
    ),
    "one name twice": (
        TWO + "[[repository]]\nrepo='x/other'\nroot='/x'\n",
        "two repositories are called other",
    ),
    "one root twice": (TWO + "root = '/git/site'\n", "the roots of site and other are not apart"),
    "a root in a root": (TWO + "root = '/git/site/x'\n", "the roots of site and other are not apart"),
    "one link twice": (TWO + "link = '/git/site/site.git'\n", "site and other have the same link"),
    "one mirror, relative": ("mirror_dir = 'm'\n" + TWO, "site and other have the same mirror_dir"),
    "a mirror in a root": (
        TWO + "mirror_dir = '/git/site/m'\n",
        "the mirror_dir of other and the root of site are not apart",
    ),
    "a mirror around a root": (
        TWO + "root = '/x'\nmirror_dir = '/git'\n",
        "the mirror_dir of other and the root of site are not apart",
    ),
    "a mirror in a mirror": (
        "[[repository]]\nrepo='a/site'\nmirror_dir='/m'\n[[repository]]\nrepo='a/other'\nmirror_dir='/m/x'\n",
        "the mirrors of site and other are not apart",
    ),
    "a touch-file in a mirror": (
        "[[repository]]\nrepo='a/site'\ntouch_file='/m/t'\n[[repository]]\nrepo='a/other'\nmirror_dir='/m'\n",
        "the touch_file of site is in the mirror_dir of other",
    ),
    "a link in a mirror": (
        "[[repository]]\nrepo='a/site'\nlink='/m/l'\n[[repository]]\nrepo='a/other'\nmirror_dir='/m'\n",
        "the link of site is in the mirror_dir of other",
    ),
    "one error file": ("error_file = '/e'\n" + TWO, "site and other have the same error_file"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_place(name: str, tmp_path: Path) -> None:
    text, fault = FAULTS[name]

    with pytest.raises(FileError) as raised:
        told(tmp_path, text, "--root=/git")

    assert str(raised.value).startswith(f"{tmp_path}/repositories.toml: ")
    assert fault in str(raised.value)


OF_ALL = "http_bind http_metrics http_pprof push_bind push_path verbose group_write sync_on_signal one_time"


@pytest.mark.parametrize("key", [*OF_ALL.split(), "add_user"])
def test_what_the_process_has_once_is_in_no_table(key: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=f"repository other: {key}: belongs at the top of the file"):
        told(tmp_path, TWO + f"{key} = 'true'\n", "--root=/git")


OF_ONE = "repo username password_file credential askpass_url github_app_private_key_file"
OF_ONE += " github_app_client_id github_app_application_id github_app_installation_id"


@pytest.mark.parametrize("key", OF_ONE.split())
def test_a_password_is_never_inherited(key: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=f"{key}: belongs into a "):
        told(tmp_path, f"{key} = '1'\n" + TWO, "--root=/git")


def test_nor_from_a_flag_or_a_variable(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"^GITSYNC_PASSWORD belongs into a "):
        told(tmp_path, TWO, "--root=/git", environ={"GITSYNC_PASSWORD": "x"})
    with pytest.raises(FileError, match=r"^--username belongs into a "):
        told(tmp_path, TWO, "--root=/git", "--username=x")
    with pytest.raises(FileError, match=r"^--password belongs into a "):
        told(tmp_path, TWO, "--root=/git", "--password=x")


def test_a_file_that_is_missing_or_too_large_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="/nowhere: No such file"):
        read(Loader({}).command(["--config=/nowhere"]))
    with pytest.raises(FileError, match=f"larger than {LARGEST} bytes"):
        told(tmp_path, "#" * (LARGEST + 1))


def test_credentials_are_tables_of_a_repository(tmp_path: Path) -> None:
    text = (
        TWO
        + """
    [[repository.credential]]
    url = "https://a"
    username = "u"
    password = "hunter2"
    [[repository.credential]]
    url = "https://b"
    username = "v"
    password-file = "/f"
    """
    )
    one, other = settings(tmp_path, text, "--root=/git")

    assert one.credential == ()
    assert [
        (e.url, e.username, e.password, e.password_file) for u in other.credential for e in u.entries
    ] == [
        ("https://a", "u", "hunter2", ""),
        ("https://b", "v", "", "/f"),
    ]
    with pytest.raises(FileError, match="other: credential: a field that is none of") as caught:
        settings(tmp_path, TWO + 'credential = { hunter2 = "x" }\n', "--root=/git")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(FileError, match="other: required flag: --credential must have a url"):
        settings(tmp_path, TWO + 'credential = { username = "x" }\n', "--root=/git")

"""What a start tells, in git-sync's order, what stops it, and what git and hooks are given."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync, drop_in
from tests.support.processes import run

SECRET = "hunter2"


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


def program(folder: Path, text: str) -> Path:
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def named(messages: list[dict[str, Any]], message: str) -> list[dict[str, Any]]:
    return [line for line in messages if line["msg"] == message]


def test_the_log_of_a_start_has_git_syncs_lines_in_its_order(tmp_path: Path, upstream: Repository) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to("real")
    (tmp_path / "more").write_text("[many]\n\tvalues = 1\n\tvalues = 2\n")
    config = f"http.extraHeader:X: {SECRET},include.path:{tmp_path}/more,safe.directory:*"
    flags = ["-v6", "--one-time", f"--git-config={config}", "--git-config-add=user.name:A B"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        assert process.wait(60) == 0
        messages, stderr = process.messages(), process.stderr

    first = messages[0]
    assert list(first) == [
        "logger",
        "ts",
        "caller",
        "level",
        "msg",
        "version",
        "pid",
        "uid",
        "gid",
        "home",
        "flags",
    ]
    assert (first["logger"], first["level"], first["msg"]) == ("", 0, "starting up")
    assert (first["pid"], first["uid"], first["home"]) == (process.pid, os.getuid(), str(tmp_path))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", first["ts"])
    assert first["caller"]["file"].endswith(".py")
    assert first["flags"] == sorted(first["flags"])
    assert {"--one-time=true", "--period=50ms", "--verbose=6", "--max-failures=0", "--filter="} <= set(
        first["flags"]
    )
    told = [line["msg"] for line in messages if line.get("level") == 0]
    wanted = ["starting up", "root resolved", "git version", "git config"]
    wanted += ["repo directory was empty or failed checks", "initializing repo directory"]
    wanted += ["update required", "updated successfully", "exiting after one sync"]
    assert [message for message in told if message in wanted] == wanted
    (shown,) = named(messages, "git config")
    for line in (
        *("gc.autodetach=false", "gc.pruneexpire=now", "core.askpass=true", "safe.directory=*"),
        *("many.values=1", "many.values=2", "user.name=A B", "http.extraheader=REDACTED"),
    ):
        assert line in shown["config"]
    helper = f"credential.helper=cache --timeout 3600 --socket {tmp_path}/"
    assert [line for line in shown["config"] if line.startswith(helper)]
    (update,), (done,) = named(messages, "update required"), named(messages, "updated successfully")
    assert (update["ref"], update["local"], update["remote"], update["syncCount"]) == (
        "HEAD",
        "",
        upstream.head(),
        0,
    )
    assert (done["ref"], done["remote"], done["syncCount"]) == ("HEAD", upstream.head(), 1)
    (fetch,) = [line for line in named(messages, "running command") if " fetch " in line["cmd"]]
    assert (fetch["level"], fetch["cwd"]) == (5, str(tmp_path / "real"))
    assert fetch["cmd"].startswith(f"git fetch {upstream.url} HEAD ")
    for result in named(messages, "command result"):
        assert result["level"] == 6
        assert re.fullmatch(r"[\d.]+(µs|ms|s)", result["time"])
        assert {"stdout", "stderr"} <= set(result)
    assert SECRET not in stderr
    assert process.stdout == ""


def test_deprecated_flags_are_told_in_plain_lines_and_each_rewrite_in_the_log(
    tmp_path: Path, upstream: Repository
) -> None:
    flags = [
        "--branch=main",
        "--ref=nope",
        "--dest=old",
        "--timeout=60",
        "--wait=0.5",
        "--ssh",
        "--one-time",
        "word",
    ]
    with Gitsync(tmp_path, upstream.url, *flags, env={"GIT_SYNC_SSH": "nonsense"}) as process:
        assert process.wait(60) == 0
        lines = process.stderr.splitlines()
        assert [line for line in lines if line.startswith("Flag --")] == [
            "Flag --branch has been deprecated, use --ref",
            "Flag --dest has been deprecated, use --link",
            "Flag --wait has been deprecated, use --period",
            "Flag --timeout has been deprecated, use --sync-timeout",
            "Flag --ssh has been deprecated, no longer necessary",
        ]
        notes = [line["msg"] for line in process.messages() if "deprecated" in line["msg"]]
        assert len(notes) == 4
        assert (process.root / "old" / "a").read_text() == "1"
        assert not process.link.is_symlink()


WRONG = {
    "git that is not there": (["--git=/nonesuch"], "git executable not found"),
    "git settings without a value": (["--git-config=a.b"], "key without a value"),
    "a key that git refuses": (["--git-config-add=ab:c"], "key does not contain a section: ab"),
    "an address in use": (["--http-bind=127.0.0.1:{port}"], "cannot bind HTTP"),
}


@pytest.mark.parametrize(("flags", "reason"), WRONG.values(), ids=WRONG.keys())
def test_what_stops_a_start_is_in_the_log_and_in_the_error_file(
    tmp_path: Path, flags: list[str], reason: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        given = [flag.format(port=taken.getsockname()[1]) for flag in flags]
        with Gitsync(tmp_path, "file:///nonesuch", *given, "--error-file=sub/error") as process:
            assert process.wait(60) == 1
            last = process.messages()[-1]
            assert reason in last["error"]
            assert "level" not in last
            held = json.loads((process.root / "sub" / "error").read_text())
            assert reason in held["Err"]
            assert set(held) == {"Msg", "Err", "Args"}


def test_a_root_that_cannot_be_made_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("a file")
    with Gitsync(tmp_path, "file:///nonesuch") as process:
        assert process.wait(60) == 1
        assert "cannot make root" in process.messages()[-1]["error"]


def test_git_and_hooks_inherit_the_environment_and_the_private_configuration(
    tmp_path: Path, upstream: Repository
) -> None:
    git = program(tmp_path, f'env > {tmp_path}/seen.$1\nexec git "$@"')
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\nenv > {tmp_path}/seen.hook\n")
    hook.chmod(0o755)
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = of the user\n")
    env = {"GIT_TRACE": "0", "no_proxy": "*", "SSH_AUTH_SOCK": "/x", "GIT_SSH_COMMAND": "ssh -F /x"}
    flags = [f"--git={git}", f"--exechook-command={hook}", "--one-time", "-v7"]
    with Gitsync(tmp_path, upstream.url, *flags, env=env) as process:
        assert process.wait(60) == 0, process.output
        (shown,) = named(process.messages(), "git config")
        assert not any("of the user" in line for line in shown["config"])
    for name in ("fetch", "hook"):
        seen = dict(
            line.split("=", 1) for line in (tmp_path / f"seen.{name}").read_text().splitlines() if "=" in line
        )
        assert seen["HOME"] == str(tmp_path)
        assert [seen[key] for key in ("GIT_TRACE", "no_proxy", "SSH_AUTH_SOCK")] == ["0", "*", "/x"]
        assert Path(seen["GIT_CONFIG_GLOBAL"]).name.startswith("git-sync.gitconfig.")
        assert Path(seen["GIT_CONFIG_GLOBAL"]).parent == tmp_path
        assert seen["GIT_CONFIG_NOSYSTEM"] == "true"
        assert seen["GIT_SSH_COMMAND"].startswith(
            "ssh -F /x -vv -i /etc/git-secret/ssh -o StrictHostKeyChecking=yes"
        )
        assert not {"GIT_ASKPASS", "GIT_TERMINAL_PROMPT"} & set(seen)


def test_gits_chatter_at_the_start_is_no_fault(tmp_path: Path, upstream: Repository) -> None:
    git = program(tmp_path, 'echo "warning: chatter" >&2\nexec git "$@"')
    with Gitsync(tmp_path, upstream.url, f"--git={git}", "--one-time", env={"GIT_TRACE": "1"}) as process:
        assert process.wait(60) == 0


def test_a_git_that_fails_at_the_start_ends_it_with_1(tmp_path: Path) -> None:
    git = program(tmp_path, '[ "$1" = config ] && { echo "fatal: no" >&2; exit 128; }\nexec git "$@"')
    with Gitsync(tmp_path, "file:///nonesuch", f"--git={git}") as process:
        assert process.wait(60) == 1
        assert "fatal: no" in process.messages()[-1]["error"]


def test_the_first_limit_counts_when_its_variable_is_present(tmp_path: Path) -> None:
    with Gitsync(tmp_path, "file:///nonesuch", env={"GITSYNC_INIT_MAX_FAILURES": "2"}) as process:
        assert process.wait(60) == 1
        assert named(process.messages(), "too many failures, aborting")[0]["failCount"] == 2


def test_relative_places_are_below_root_and_missing_directories_are_made(
    tmp_path: Path, upstream: Repository
) -> None:
    flags = ["--link=x/y/link", "--touch-file=t/u/touched", "--error-file=e/f/error", "--one-time"]
    argv = [str(drop_in(tmp_path)), f"--repo={upstream.url}", "--root=sub/../down/root", *flags]
    done = run(argv, env={"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}, cwd=tmp_path)

    root = tmp_path / "down" / "root"
    assert done.status == 0, done.stderr
    assert os.readlink(root / "x" / "y" / "link") == f"../../.worktrees/{upstream.head()}"
    assert (root / "t" / "u" / "touched").exists()
    assert not (root / "e" / "f" / "error").exists()
    assert {path.name for path in root.iterdir()} == {".git", ".worktrees", "x", "t"}
    for path in (root, root / "x", root / "x" / "y", root / "t"):
        assert path.stat().st_mode & 0o777 == 0o755  # 0775 less the umask


def test_a_git_with_a_relative_path_counts_from_the_users_directory(
    tmp_path: Path, upstream: Repository
) -> None:
    git = program(tmp_path, 'exec git "$@"')
    argv = [
        str(drop_in(tmp_path)),
        f"--repo={upstream.url}",
        f"--root={tmp_path}/root",
        f"--git=./{git.name}",
    ]
    done = run([*argv, "--one-time"], env={"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}, cwd=tmp_path)

    assert done.status == 0, done.stderr


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&- >&- 2>&-"])
def test_without_standard_streams_it_works_all_the_same(
    tmp_path: Path, upstream: Repository, closed: str
) -> None:
    prefix = ["/bin/sh", "-c", f'exec "$0" "$@" {closed}']
    with Gitsync(tmp_path, upstream.url, "--one-time", prefix=prefix) as process:
        assert process.wait(60) == 0
        assert process.published() == upstream.head()

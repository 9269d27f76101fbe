"""What a start tells, in git-sync's order, what stops it, and what git and hooks are given."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync, drop_in
from tests.support.ports import free_port
from tests.support.processes import Process, run
from tests.support.programs import need
from tests.support.waiting import stays, until

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
    wanted = ["starting up", "root is a symbolic link", "git version", "git config"]
    wanted += ["repo directory was empty or failed checks", "initializing repo directory"]
    wanted += ["update required", "updated successfully", "exiting after one sync"]
    assert [message for message in told if message in wanted] == wanted
    (shown,) = named(messages, "git config")
    for line in (
        *("gc.autodetach=false", "gc.pruneexpire=now", "core.askpass=true", "safe.directory=*"),
        *("many.values=1", "many.values=2", "user.name=A B", "http.extraheader=REDACTED"),
    ):
        assert line in shown["config"]
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


def test_a_signal_during_a_sync_is_remembered_and_one_while_parked_does_nothing(
    tmp_path: Path, upstream: Repository
) -> None:
    go = tmp_path / "go"
    wait = f"echo >> {tmp_path}/fetches; until [ -e {go} ]; do sleep 0.05; done"
    wait = f'case "$1" in fetch | ls-remote) {wait} ;; esac'
    git = program(tmp_path, f'{wait}\nexec git "$@"')
    number = str(int(signal.SIGUSR2))
    flags = [f"--git={git}", "--period=1h", f"--sync-on-signal={number}"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        fetches = tmp_path / "fetches"
        until(fetches.exists, 60, "the first fetch")
        process.send(signal.SIGUSR2)
        go.touch()
        until(lambda: fetches.read_text().count("\n") == 2, 60, "the fetch that the signal asked for")
        stays(lambda: fetches.read_text().count("\n") == 2, 0.3, "no third fetch")
    with Gitsync(tmp_path, upstream.url, f"--ref={upstream.head()}", *flags) as process:
        process.wait_line("ref is a hash")
        before = fetches.read_text()
        process.send(signal.SIGUSR2)
        stays(lambda: process.returncode is None and fetches.read_text() == before, 0.3, "parked")
        assert process.stop(signal.SIGTERM) == -signal.SIGTERM


def test_a_stack_dump_tells_where_every_thread_is(tmp_path: Path, upstream: Repository) -> None:
    with Gitsync(tmp_path, upstream.url) as process:
        process.wait_published(upstream.head())
        assert process.stop(signal.SIGQUIT) == 2
        assert process.stderr.count("Thread 0x") + process.stderr.count("Current thread 0x") >= 2
        assert 'loop.py", line ' in process.stderr


def test_the_port_can_be_bound_again_at_once(tmp_path: Path, upstream: Repository) -> None:
    port = free_port()
    for _ in range(2):
        with Gitsync(tmp_path, upstream.url, f"--http-bind=127.0.0.1:{port}") as process:
            process.wait_line("serving HTTP")
            with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert client.recv(100).startswith(b"HTTP/1.1 ")
                process.stop(signal.SIGKILL)  # with the connection open, so that its end waits in the kernel


def as_number_one() -> list[str]:
    """Return the words before a program that make it process number one of a namespace."""
    words = [need("unshare", "util-linux"), "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    for form in (words, [word for word in words if not word.endswith(("user", "root-user"))]):
        if subprocess.run([*form, "true"], capture_output=True, timeout=30).returncode == 0:
            return form
    pytest.skip("this machine allows no new process namespace")


def test_as_process_number_one_it_says_so_and_stays_behind_as_an_init(
    tmp_path: Path, upstream: Repository
) -> None:
    before = as_number_one()
    done = run([*before, str(drop_in(tmp_path)), "--version"])
    assert done.status == 0
    assert done.stderr.startswith("INFO: detected pid 1")
    assert done.stdout.count("\n") == 1
    assert run([*before, str(drop_in(tmp_path)), "--nope"]).status == 2

    hook = program(tmp_path, f"(sleep 0.2; : > {tmp_path}/orphan) > /dev/null 2>&1 &")
    argv = [str(drop_in(tmp_path)), f"--repo={upstream.url}", f"--root={tmp_path}/root", "--link=link"]
    with Process(
        [*before, *argv, f"--exechook-command={hook}"], env={"HOME": str(tmp_path)}, cwd=tmp_path
    ) as process:
        started = json.loads(process.wait_line('"starting up"').string)
        assert started["pid"] != 1
        until((tmp_path / "orphan").exists, 60, "the orphan of the hook")
        process.wait_line("updated successfully")
        (init,) = _children(process.pid)
        os.kill(init, signal.SIGTERM)
        assert process.wait(60) == 143


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

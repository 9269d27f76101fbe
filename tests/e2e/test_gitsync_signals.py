"""Signals while it syncs, waits or is parked, as process number one too; and ports that are used again."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync, drop_in
from tests.support.ports import free_port
from tests.support.processes import Process, environment, run
from tests.support.programs import need
from tests.support.waiting import stays, until


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


DYING = """
import os, sys, threading
from podmates_gitsync import cli
from podmates_gitsync.service import web

real = web.serve

def serve(app, address, died, **more):
    bound = real(app, address, died, **more)
    threading.Timer(0.1, died).start()
    return bound

web.serve = serve
os._exit(cli.main("git-sync", sys.argv[1:], os.environ))
"""


def test_an_http_server_that_dies_ends_it_with_1(tmp_path: Path, upstream: Repository) -> None:
    argv = [f"--repo={upstream.url}", f"--root={tmp_path}/root", "--http-bind=127.0.0.1:0", "--period=1h"]
    env = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    with Process([sys.executable, "-c", DYING, *argv], env=env, cwd=tmp_path) as process:
        assert process.wait(60) == 1
        assert '"msg":"HTTP server died"' in process.stderr


LATE = """
import os, sys, threading
from podmates_gitsync import cli
from podmates_gitsync.service.worker import Worker
from podmates_gitsync.sync.loop import Loop

told, failed, close = threading.Event(), Loop._failed, Worker.close

def _failed(self, error):
    try:
        return failed(self, error)
    finally:
        told.set()

def closed(self):
    assert told.wait(60)
    close(self)

Loop._failed, Worker.close = _failed, closed
os._exit(cli.main("git-sync", sys.argv[1:], os.environ))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_the_end_kills_is_no_failure_to_be_told(
    tmp_path: Path, upstream: Repository, number: signal.Signals
) -> None:
    """However far the loop gets before the process dies: it is let get as far as it can."""
    git = program(tmp_path, f'case "$1" in fetch) : > {tmp_path}/begun; sleep 600 ;; esac\nexec git "$@"')
    argv = [
        f"--repo={upstream.url}",
        f"--root={tmp_path}/root",
        f"--git={git}",
        f"--error-file={tmp_path}/error",
    ]
    env = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    with Process([sys.executable, "-c", LATE, *argv], env=env, cwd=tmp_path) as process:
        until((tmp_path / "begun").exists, 60, "the fetch")
        assert process.stop(number) == -number
        assert "signal 9" not in process.stderr
        assert "too many failures" not in process.stderr
    assert not (tmp_path / "error").exists()


FAULT = """
import os, sys
from podmates_gitsync import cli
from podmates_gitsync.service.process import Process

def wake(self):
    raise RuntimeError("nobody foresaw this")

Process._wake = wake
os._exit(cli.main("git-sync", sys.argv[1:], os.environ))
"""


def test_a_fault_of_the_main_thread_is_told_and_leaves_no_git(tmp_path: Path, upstream: Repository) -> None:
    git = program(tmp_path, f'case "$1" in fetch) echo $$ > {tmp_path}/pid; sleep 600 ;; esac\nexec git "$@"')
    argv = [f"--repo={upstream.url}", f"--root={tmp_path}/root", f"--git={git}", "--sync-on-signal=SIGUSR1"]
    env = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    with Process([sys.executable, "-c", FAULT, *argv], env=env, cwd=tmp_path) as process:
        pid = until(lambda: (tmp_path / "pid").read_text(), 60, "the fetch", ignoring=(OSError,)).strip()
        process.send(signal.SIGUSR1)
        assert process.wait(60) == 1
        told = json.loads(process.stderr.splitlines()[-1])
        assert (told["msg"], told["error"]) == (
            "unexpected error, aborting",
            "RuntimeError: nobody foresaw this",
        )
        until(lambda: not Path(f"/proc/{pid}").exists(), 60, "the git to be gone")


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
    done = run([*before, str(drop_in(tmp_path)), "--nope"], env={"GITSYNC_DEPTH": "x"})
    assert done.status == 1
    assert done.stderr.startswith("INFO: detected pid 1")

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


def test_a_log_that_nobody_reads_does_not_keep_it_from_ending(tmp_path: Path, upstream: Repository) -> None:
    """A thread of it is in a write to standard error then, for ever."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    argv = [str(drop_in(tmp_path)), f"--repo={upstream.url}", f"--root={tmp_path}/root"]
    argv += ["--period=10ms", "-v6"]
    home = environment({"HOME": str(tmp_path), "TMPDIR": str(tmp_path)})
    with subprocess.Popen(argv, stderr=writing, env=home) as process:
        os.close(writing)
        try:
            until(lambda: _writes_to_a_pipe(process.pid), 60, "a thread to wait for a reader")
            process.terminate()
            assert process.wait(60) == -signal.SIGTERM
        finally:
            process.kill()
            os.close(reading)


def _writes_to_a_pipe(pid: int) -> bool:
    """Return whether a thread is in the system call for that on its standard error."""
    calls = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):  # the thread has ended
            calls.append(task.joinpath("syscall").read_text().split())
    return any(call[:2] == ["1", "0x2"] for call in calls)

"""A repository that has ended for good while others go on shows it everywhere, and holds nothing any more."""

from __future__ import annotations

import contextlib
import fcntl
import json
import sys
from pathlib import Path
from typing import Any

from tests.e2e.test_gitsync_http import ask as get
from tests.e2e.test_gitsync_repositories import Several, table
from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.gitsync_push import BEARER, SECRET, Answer, ask
from tests.support.ports import free_port
from tests.support.push_requests import Sent
from tests.support.waiting import stays, until

# Fetches of `faulty` raise what nobody foresaw.
FAULTY = """
import os, sys
from podmates_gitsync import cli
from podmates_gitsync.git.repository import Repository
from podmates_gitsync.service import startup

fetch, make = Repository.fetch, startup.make_config

def fetched(self, repo, *rest, **more):
    if "faulty" in repo:
        raise RuntimeError("nobody foresaw this")
    return fetch(self, repo, *rest, **more)

def made(settings, *rest, **more):
    if settings.repo.endswith("unmade"):
        raise RuntimeError("nobody foresaw that")
    return make(settings, *rest, **more)

Repository.fetch, startup.make_config = fetched, made
os._exit(cli.main("git-sync", sys.argv[1:], os.environ))
"""
REASONS = {
    "failing": "does not appear to be a git repository",
    "keyless": "cannot read the key of the GitHub App",
    "faulty": "RuntimeError: nobody foresaw this",
    "homeless": "cannot mirror to",
    "unmade": "RuntimeError: nobody foresaw that",
}


def status(port: int) -> dict[str, dict[str, Any]]:
    code, text = get(port, "/status")
    assert code == 200
    return {each["name"]: each for each in json.loads(text)["repositories"]}


def is_free(lock: Path) -> bool:
    with lock.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


class Ended:
    """Five repositories that have ended, each in its way, and one that goes on."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.upstreams = {name: Repository(folder / name) for name in ("fine", "failing", "faulty")}
        for upstream in self.upstreams.values():
            upstream.commit({"a": "0"})
        self.errors = {name: folder / f"{name}.error" for name in REASONS}
        (folder / "full").mkdir()
        (folder / "full" / "foreign").touch()
        fine, failing, faulty = (upstream.url for upstream in self.upstreams.values())
        self.tries, hook = folder / "tries", folder / "hook"
        hook.write_text(f"#!/bin/sh\necho >> {self.tries}\nexit 1\n")
        hook.chmod(0o755)
        hooked = [f'exechook_command = "{hook}"', 'exechook_backoff = "1s"']
        ends = {
            "failing": (failing, ["max_failures = 1", *hooked]),
            "keyless": (fine, ['github_app_client_id = "x"', "github_app_installation_id = 1"]),
            "faulty": (faulty, []),
            "homeless": (fine, [f'mirror_dir = "{folder}/full"']),
            "unmade": (f"{fine}/unmade", []),
        }
        ends["keyless"][1].append(f'github_app_private_key_file = "{folder}/none"')
        text = table(fine, "fine") + "".join(
            table(repo, name, f'error_file = "{self.errors[name]}"', *lines)
            for name, (repo, lines) in ends.items()
        )
        together = [f"--{kind}-bind=127.0.0.1:{self.port}" for kind in ("http", "push")]
        env = {"PODMATES_GITSYNC_PUSH_SECRET": SECRET}
        self.process = Several(folder, text, *together, program=[sys.executable, "-c", FAULTY], env=env)

    def post(self, path: str) -> Answer:
        return ask(self.port, path, Sent(BEARER, b""))

    def states(self) -> dict[str, str]:
        return {name: told["state"] for name, told in status(self.port).items()}


def test_a_repository_that_has_ended_shows_it_and_the_others_go_on(tmp_path: Path) -> None:
    ended = Ended(tmp_path)
    with ended.process as process:
        process.wait_line("serving HTTP", 60)
        until(lambda: all(process.published(name) for name in ("fine", "failing")), 60, "the first ones")
        gone = {name: "ended" for name in REASONS if name != "failing"}
        until(lambda: ended.states() == {"fine": "running", "failing": "running"} | gone, 60, "the ends")
        ended.upstreams["failing"].bare.rename(tmp_path / "away")
        assert ended.post("/sync/failing?wait=10m").status == 503  # it ends while somebody waits

        assert ended.states() == {"fine": "running", "failing": "ended"} | gone
        for path in ("/", "/readyz", "/livez"):
            assert get(ended.port, path)[0] == 503
        for name, reason in REASONS.items():
            told = status(ended.port)[name]
            assert reason in told["last_error"]
            assert told["consecutive_failures"] == 1
            assert reason in json.loads(ended.errors[name].read_text())["Err"]
            for path in (f"/push/{name}", f"/sync/{name}", f"/sync/{name}?wait=10m"):
                assert ended.post(path).status == 503
            lock = process.roots / name / ".git" / "podmates" / "lock"
            assert not lock.exists() or is_free(lock)
        assert not is_free(process.roots / "fine" / ".git" / "podmates" / "lock")

        newer = ended.upstreams["fine"].commit({"a": "1"})
        answer = ended.post("/sync?wait=10m")
        assert answer[:2] == (503, "ended: failing, keyless, faulty, homeless, unmade\n")
        assert process.published("fine") == newer
        assert ended.post("/sync").status == 503
        assert ended.post("/sync/fine?wait=10m").status == 200
        assert [line for line in process.stderr.splitlines() if not line.startswith("{")] == []
        traced = [line for line in map(json.loads, process.stderr.splitlines()) if "trace" in line]
        said = {(line["repo"], line["msg"], line["trace"][-1]) for line in traced}
        assert said == {
            ("faulty", "unexpected error, aborting", REASONS["faulty"]),
            ("unmade", "cannot start", REASONS["unmade"]),
        }
        tries = ended.tries.read_text()
        stays(lambda: ended.tries.read_text() == tries, 1.3, "no further try of its hook")


def test_a_hook_of_a_repository_that_has_ended_is_killed_before_its_root_is_free(tmp_path: Path) -> None:
    going, ending = (Repository(tmp_path / name) for name in ("going", "ending"))
    commits = [upstream.commit({"a": "0"}) for upstream in (going, ending)]
    pids, hook = tmp_path / "pids", tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\nsleep 600 &\necho $$ $! >> {pids}\nwait\n")
    hook.chmod(0o755)
    hooked = [f'exechook_command = "{hook}"', 'exechook_timeout = "10m"']
    text = table(going.url, "going") + table(ending.url, "ending", "max_failures = 1", *hooked)
    with Several(tmp_path, text) as process:
        until(lambda: [process.published(name) for name in ("going", "ending")] == commits, 60, "the trees")
        until(lambda: pids.exists() and pids.read_text().endswith("\n"), 60, "the hook to run")
        ending.bare.rename(tmp_path / "away")
        process.wait_line("too many failures", 60)
        until(
            lambda: is_free(process.roots / "ending" / ".git" / "podmates" / "lock"),
            60,
            "the root to be free",
        )

        assert pids.read_text().count("\n") == 1
        until(
            lambda: not any(map(is_alive, pids.read_text().split())), 30, "the hook and its child to be gone"
        )
        process.wait_line("killed, because its repository ends", 60)
        newer = going.commit({"a": "1"})
        until(lambda: process.published("going") == newer, 60, "the other one to go on")


def is_alive(pid: str) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_who_waits_for_a_root_says_so(tmp_path: Path) -> None:
    upstream, port = Repository(tmp_path / "upstream"), free_port()
    commit = upstream.commit({"a": "0"})
    (tmp_path / "other").mkdir()
    with Gitsync(tmp_path, upstream.url) as first:
        first.wait_published(commit)
        flags = [f"--http-bind=127.0.0.1:{port}", "--max-staleness=1h", f"--root={first.root}"]
        with Gitsync(tmp_path / "other", upstream.url, *flags) as second:
            second.wait_line("serving HTTP", 60)
            until(lambda: status(port)["bare"]["state"] == "waiting", 60, "the wait to show")
            assert get(port, "/readyz")[0] == 503
            assert [m["path"] for m in second.messages() if "waiting for another" in m["msg"]]
            first.close()
            until(lambda: status(port)["bare"]["state"] == "running", 60, "the end of the wait")
            until(lambda: get(port, "/readyz")[0] == 200, 60, "readiness")

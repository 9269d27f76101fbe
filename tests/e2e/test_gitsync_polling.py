"""A poll without news is one request and no program; everything else ends as with a fetch in each loop."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.git_http import GitServer
from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.moving import put
from tests.support.nginx_git import NginxGit
from tests.support.ports import free_port
from tests.support.waiting import until

USER, PASSWORD = "deploy", "s3cret word"
ASKED = "asked the remote"


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


@pytest.fixture
def server(upstream: Repository) -> Iterator[GitServer]:
    with GitServer(upstream.folder, (USER, PASSWORD)) as running:
        yield running


def start(folder: Path, server: GitServer | NginxGit, *flags: str) -> Gitsync:
    env = {"GITSYNC_PASSWORD": PASSWORD}
    return Gitsync(folder, f"{server.url}/bare.git", f"--username={USER}", "-v5", *flags, env=env)


def between_polls(process: Gitsync, polls: int) -> list[str]:
    """Return the messages from the third answer of the remote on, over so many *polls*."""
    process.wait_line(ASKED, 60, count=3 + polls)
    messages = [line["msg"] for line in process.messages()]
    places = [number for number, text in enumerate(messages) if text == ASKED]
    return messages[places[2] : places[2 + polls]]


def test_over_http_a_poll_is_one_request_and_no_program(tmp_path: Path, upstream: Repository) -> None:
    with NginxGit(upstream.folder, (USER, PASSWORD)) as server, start(tmp_path, server) as process:
        process.wait_published(upstream.head())
        seen = between_polls(process, 5)
        process.stop()
        asked = sum(line["msg"] == ASKED for line in process.messages())
        until(lambda: len(questions(server)) > asked, 60, "each request in the server's log")
        first, *others = questions(server)

    assert "running command" not in seen
    assert first.startswith("200 GET ")
    assert set(others[:asked]) == {"200 POST /bare.git/git-upload-pack"}
    assert len(others) <= asked + 1  # the end may have come in the middle of one


def questions(server: NginxGit) -> list[str]:
    """Return the requests that are no fetch: two of the first question, and then one of each."""
    requests = server.requests
    return requests[max((n for n, request in enumerate(requests) if " GET " in request), default=0) :]


def test_news_are_fetched_and_counted(tmp_path: Path, upstream: Repository) -> None:
    port = free_port()
    with GitServer(upstream.folder, (USER, PASSWORD)) as server:
        flags = [f"--http-bind=127.0.0.1:{port}", "--http-metrics"]
        with start(tmp_path, server, *flags) as process:
            process.wait_published(upstream.head())
            process.wait_line(ASKED, 60, count=2)
            process.wait_published(upstream.commit({"a": "2"}))
            process.wait_line(ASKED, 60, count=6)
            counts = polls(port)
    assert counts["fetch"] == 2
    assert counts["http"] >= 2
    assert "ls_remote" not in counts


def polls(port: int) -> dict[str, int]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return {how: int(n) for how, n in re.findall(r'git_sync_poll_total\{how="(\w+)"\} (\d+)', text)}


def test_a_file_is_asked_by_one_ls_remote(tmp_path: Path, upstream: Repository) -> None:
    with Gitsync(tmp_path, upstream.url, "-v5") as process:
        process.wait_published(upstream.head())
        seen = between_polls(process, 4)
        process.wait_published(upstream.commit({"a": "2"}))
    assert seen.count("running command") == 4


@pytest.mark.parametrize("ref", ["HEAD", "main", "refs/heads/main", "v1", "refs/tags/v1", "topic/x"])
def test_each_kind_of_name_is_recognised_and_followed(
    tmp_path: Path, upstream: Repository, server: GitServer, ref: str
) -> None:
    """An annotated tag is compared by what it is of; names that only end alike change nothing."""
    upstream.git("tag", "-a", "-m", "one", "v1")
    names = ["refs/tags/v1", "HEAD:refs/heads/topic/x", "HEAD:refs/heads/a/main", "HEAD:refs/heads/a/v1"]
    upstream.push(*names)
    with start(tmp_path, server, f"--ref={ref}") as process:
        process.wait_published(upstream.head())
        assert "running command" not in between_polls(process, 2)
        upstream.commit({"a": "2"})
        upstream.git("tag", "-f", "-a", "-m", "two", "v1")
        upstream.push("refs/tags/v1", "HEAD:refs/heads/topic/x")
        process.wait_published(upstream.head())


def lose_tree(process: Gitsync) -> None:
    process.link.resolve().rename(process.root.parent / "lost")  # at one stroke: it is being looked at


def lose_link(process: Gitsync) -> None:
    process.link.unlink()


def commit_in_tree(process: Gitsync) -> None:
    """As `git commit` in the tree does to it: its HEAD is another commit."""
    head = process.root / ".git" / "worktrees" / process.published() / "HEAD"
    put(head, "0123456789012345678901234567890123456789\n")


@pytest.mark.parametrize("damage", [lose_tree, lose_link, commit_in_tree])
def test_damage_here_is_seen_although_there_is_no_news_there(
    tmp_path: Path, upstream: Repository, server: GitServer, damage: Callable[[Gitsync], None]
) -> None:
    with start(tmp_path, server) as process:
        process.wait_published(upstream.head())
        process.wait_line(ASKED, 60, count=3)
        damage(process)
        process.wait_line("updated successfully", 60, count=2)
        assert (process.link / "a").read_text() == "1"
        head = process.root / ".git" / "worktrees" / upstream.head() / "HEAD"
        assert head.read_text().strip() == upstream.head()


def outage(server: GitServer, upstream: Repository) -> None:
    server.failure = 503


def forbidden(server: GitServer, upstream: Repository) -> None:
    server.failure = 403


def revoked(server: GitServer, upstream: Repository) -> None:
    server.credentials = (USER, "another")


def vanished(server: GitServer, upstream: Repository) -> None:
    (upstream.bare / "refs" / "heads" / "main").unlink()


def no_repository(server: GitServer, upstream: Repository) -> None:
    upstream.bare.rename(upstream.folder / "away.git")


def closed(server: GitServer, upstream: Repository) -> None:
    server.close()


@pytest.mark.parametrize("trouble", [outage, forbidden, revoked, vanished, no_repository, closed])
def test_trouble_ends_as_with_a_fetch_in_each_loop(
    tmp_path: Path, upstream: Repository, trouble: Callable[[GitServer, Repository], None]
) -> None:
    """The same exit status, and the same words of git, whichever way the poll was.

    The words of the second failure: the trouble may have come in the middle of the first one's fetch.
    """
    ends = {}
    for way in ("auto", "fetch"):
        folder = tmp_path / way
        folder.mkdir()
        repository = Repository(folder / "upstream")
        repository.commit({"a": "1"})
        with GitServer(repository.folder, (USER, PASSWORD)) as server:
            flags = [f"--poll={way}", "--ref=main", "--error-file=error", "--max-failures=2"]
            with start(folder, server, *flags) as process:
                process.wait_published(repository.head())
                process.wait_line(ASKED if way == "auto" else "update not required", 60, count=2)
                trouble(server, repository)
                status = process.wait(60)
                _, last = [line for line in process.messages() if "error" in line]
                unanswered = [line for line in process.messages() if line["msg"].startswith("no answer")]
                assert len(unanswered) <= 2  # the loops that got none have ended as failures
            text = last["error"].replace(str(server.port), "PORT").replace(str(folder), "FOLDER")
            # Durations and hashes differ between two repositories; words do not.
            ends[way] = (status, last["msg"], re.sub(r"[0-9a-f]{7,}|after \d+ ms", "…", text))
    assert ends["auto"] == ends["fetch"]
    assert ends["auto"][:2] == (1, "too many failures, aborting")


SPOILED = {
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "a refusal": b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
    "a page": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
    "no end": b"HTTP/1.1 200 OK\r\n\r\n" + b"0" * (3 << 20),
    "nothing": b"\n",
}


@pytest.mark.parametrize("answer", SPOILED.values(), ids=SPOILED)
def test_an_answer_that_only_we_get_wrong_changes_nothing(
    tmp_path: Path, upstream: Repository, server: GitServer, answer: bytes
) -> None:
    """git gets on with the server, so each loop goes well, by a fetch or by what else git does."""
    with start(tmp_path, server) as process:
        process.wait_published(upstream.head())
        process.wait_line(ASKED, 60, count=2)
        server.spoiled = answer
        process.wait_line("no answer from the remote, fetching", 60)
        process.wait_published(upstream.commit({"a": "2"}))
        process.wait_line("update not required", 60, count=4)
    assert [line for line in process.messages() if "error" in line] == []


def test_failures_stretch_the_pause_up_to_the_limit(tmp_path: Path) -> None:
    flags = ["--max-failures=-1", "--max-backoff=300ms", "-v2"]
    with Gitsync(tmp_path, f"file://{tmp_path}/nowhere", *flags) as process:
        process.wait_line("next sync", 60, count=5)
        waits = [line["wait"] for line in process.messages() if line["msg"] == "next sync"]
    assert waits[:5] == ["100ms", "200ms", "300ms", "300ms", "300ms"]


def test_chance_lengthens_the_pause(tmp_path: Path, upstream: Repository) -> None:
    with Gitsync(tmp_path, upstream.url, "--period-jitter=1", "-v2") as process:
        process.wait_line("next sync", 60, count=6)
        waits = {line["wait"] for line in process.messages() if line["msg"] == "next sync"}
    assert len(waits) >= 5
    assert all(50 <= float(wait.removesuffix("ms")) <= 100 for wait in waits)

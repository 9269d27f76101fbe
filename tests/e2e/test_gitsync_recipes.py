"""The recipes of images/gitsync/recipes, each with the real program that it is for."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from images.gitsync.recipes import watcher
from tests.support import web_servers
from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.mirrored import content
from tests.support.processes import Process
from tests.support.waiting import until
from tests.support.web import get
from tests.support.web_servers import RECIPES, WebServer

PUBLISHES = 8


class Visitor(threading.Thread):
    """Asks for a page again and again; every answer is kept."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.enough = url, threading.Event()
        self.answers: list[tuple[int, str]] = []

    def run(self) -> None:
        while not self.enough.is_set():
            self.answers.append(get(self.url))
            self.enough.wait(0.005)  # leave the cores to the others


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that a server of another user can reach; those of pytest are for one user alone."""
    with tempfile.TemporaryDirectory(prefix="podmates-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("start", [web_servers.nginx, web_servers.httpd, web_servers.python])
def test_a_web_server_that_follows_the_link_never_misses_a_page(
    open_folder: Path, start: Callable[[Path, Path], WebServer]
) -> None:
    upstream = Repository(open_folder / "upstream")
    texts = [f"page {number}" for number in range(PUBLISHES)]
    upstream.commit({"index.html": texts[0], f"only/{texts[0]}": ""})
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(Gitsync(open_folder, upstream.url, "--link=current", "--keep=1"))
        until(lambda: (process.root / "current").exists(), 60, "the first publish")
        server = stack.enter_context(start(open_folder / "server", process.root))
        server.wait_up()
        until(lambda: get(f"{server.url}/index.html").body == texts[0], 60, "the first page")
        visitor = Visitor(f"{server.url}/index.html")
        visitor.start()
        try:
            until(lambda: visitor.answers, 60, "the visitor's first answer")
            for text in texts[1:]:
                upstream.commit({"index.html": text})
                until(lambda text=text: (200, text) in visitor.answers[-1:], 60, text)  # type: ignore[misc]
        finally:
            visitor.enough.set()
            visitor.join(30)

        assert {status for status, _ in visitor.answers} == {200}
        assert list(dict.fromkeys(body for _, body in visitor.answers)) == texts  # in order, none mixed
        assert get(f"{server.url}/.git").status == 403
        assert get(f"{server.url}/").body == texts[-1]


def war(text: str) -> bytes:
    """Return a web application with one page."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.html", text)
        archive.writestr("filler", os.urandom(1 << 20))  # so that it is written in more than one piece
    return packed.getvalue()


def test_tomcat_deploys_each_war_once(tmp_path: Path) -> None:
    upstream = Repository(tmp_path / "upstream")
    upstream.commit({"shop.war": war("shop 1"), "blog.war": war("blog 1")})
    base = tmp_path / "tomcat"

    def deployments(name: str) -> int:
        return server.output.count(f"Deploying web application archive [{base}/webapps/{name}.war]")

    with (
        Gitsync(tmp_path, upstream.url, f"--mirror-dir={base / 'webapps'}") as process,
        web_servers.tomcat(base) as server,
    ):
        until(lambda: get(f"{server.url}/shop/").body == "shop 1", 90, "Tomcat", ignoring=(OSError,))
        until(lambda: get(f"{server.url}/blog/").body == "blog 1", 60, "the blog")
        commit = upstream.commit({"shop.war": war("shop 2")})
        process.wait_published(commit)
        until(lambda: get(f"{server.url}/shop/").body == "shop 2", 60, "the new shop")
        upstream.commit({"blog.war": None, "new.war": war("new")})
        until(lambda: get(f"{server.url}/new/").body == "new", 60, "the new application")
        until(lambda: get(f"{server.url}/blog/").status == 404, 60, "the end of the blog")

        assert [deployments(name) for name in ("shop", "blog", "new")] == [2, 1, 1]
        assert "SEVERE" not in server.output
        assert process.returncode is None


def test_a_reader_that_is_slower_than_two_publishes_finds_all_of_its_files(tmp_path: Path) -> None:
    upstream = Repository(tmp_path / "upstream")
    first = upstream.commit({f"jobs/{number:02}.py": f"x = {number}\n" for number in range(20)})
    with Gitsync(tmp_path, upstream.url, "--link=current", "--keep=2") as process:
        until(lambda: (process.root / "current").exists(), 60, "the first publish")
        argv = [sys.executable, str(RECIPES / "reader.py"), str(process.root / "current"), "0.2"]
        with Process(argv) as reader:
            reader.wait_line(f"began {first}")
            for number in (1, 2):
                commit = upstream.commit({f"jobs/{n:02}.py": f"y = {number}\n" for n in range(20)})
                until(lambda commit=commit: named(process) == commit, 60, "the publish")  # type: ignore[misc]
            assert f"read {first}" not in reader.output  # it is still at it
            reader.wait_line(f"read {first}", 60)
            reader.wait_line(f"began {commit}", 60)

            assert reader.returncode is None


def named(process: Gitsync) -> str:
    return os.path.basename(os.readlink(process.root / "current"))


def watches(pid: int) -> bool:
    """Return whether the process has an inotify descriptor with a watch."""
    try:
        return "inotify wd" in Path(f"/proc/{pid}/fdinfo/3").read_text()
    except FileNotFoundError:  # another file had that number for a moment
        return False


def test_a_watcher_of_a_mirror_hears_of_each_changed_file_once(tmp_path: Path) -> None:
    upstream = Repository(tmp_path / "upstream")
    upstream.commit({"a": "1", "b": "1", "c": "1", "gone": "1", "d/x": "1"})
    mirror = tmp_path / "mirror"
    done = tmp_path / "done"  # made when nothing more is written into the mirror
    with Gitsync(tmp_path, upstream.url, f"--mirror-dir={mirror}", f"--touch-file={done}"):
        until(done.exists, 60, "the whole mirror")
        assert len(content(mirror)) == 5
        heard: list[tuple[int, str]] = []
        descriptor = watcher.watch(str(mirror), watcher.ALL & ~0x31)  # all but to read, open and close it

        def listen() -> None:
            for event in watcher.events(descriptor):
                heard.append(event)
                if event[1] == "gone":
                    return

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        with Process([sys.executable, str(RECIPES / "watcher.py"), str(mirror)]) as program:
            until(lambda: watches(program.pid), 30, "the watcher to watch")
            upstream.commit({"a": "2", "c": "2", "gone": None})
            listener.join(60)
            program.wait_line("gone gone", 60)

            assert program.stdout.splitlines() == ["changed a", "changed c", "gone gone"]
        os.close(descriptor)

    assert [event for event in heard if event != (0x4, "")] == [
        (watcher.MOVED_TO, "a"),
        (watcher.MOVED_TO, "c"),
        (watcher.DELETE, "gone"),
    ]

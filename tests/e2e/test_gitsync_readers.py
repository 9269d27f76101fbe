"""Readers that resolve the link once per pass never see a missing or a mixed tree."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.waiting import until

COMMITS = 200
FILES = 12
READERS = 3


class Reader(threading.Thread):
    """Lists and reads the published tree again and again; what is wrong is kept in `faults`."""

    def __init__(self, link: Path) -> None:
        super().__init__(daemon=True)
        self.link = link
        self.faults: list[str] = []
        self.passes = 0
        self.seen: set[str] = set()
        self.enough = threading.Event()

    def run(self) -> None:
        while not self.enough.is_set():
            self._look()
            self.passes += 1
            self.enough.wait(0.002)  # leave the two cores to the sidecar

    def _look(self) -> None:
        named = os.readlink(self.link)
        tree = self.link.parent / named
        try:
            contents = {str(path.relative_to(tree)): path.read_text() for path in _files(tree)}
        except FileNotFoundError as error:
            if os.readlink(self.link) == named:  # else it was replaced meanwhile: not our promise
                self.faults.append(f"{error} while the link names {named}")
            return
        if os.readlink(self.link) != named:
            return  # it may have been removed while we listed it
        if len(contents) != FILES or len(set(contents.values())) != 1:
            self.faults.append(f"{named}: {contents}")
        self.seen.add(named)


def _files(tree: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(tree, onerror=_raise):
        folders.sort()
        for name in names:
            if name != ".git":
                yield Path(folder) / name


def _raise(error: OSError) -> None:
    raise error


def history(upstream: Repository, count: int) -> list[str]:
    """Make *count* commits, each with the same text in every file, and return their ids, oldest first."""
    parts = []
    for number in range(count):
        parts.append(f"commit refs/heads/history\nmark :{number + 1}\n")
        parts.append(f"committer C <c@example.com> {1700000000 + number} +0000\ndata 1\nx\n")
        for file in range(FILES):
            # Every commit gives the files new folders, so that a mixed tree shows in the names, too.
            content = f"commit {number}"
            parts.append(
                f"M 100644 inline d{file % 3}-{number % 2}/f{file}\ndata {len(content)}\n{content}\n"
            )
            if number:
                parts.append(f"D d{file % 3}-{(number + 1) % 2}/f{file}\n")
    stream = upstream.folder / "stream"
    stream.write_text("".join(parts))
    upstream.git("-c", f"alias.feed=!git -C {upstream.bare} fast-import --quiet < {stream}", "feed")
    upstream.git("fetch", "--quiet", "origin", "history")
    return upstream.git("rev-list", "--reverse", "FETCH_HEAD").split()


@pytest.mark.serial
@pytest.mark.parametrize("flags", [["--git-gc=off"], []], ids=["many commits", "with gc"])
def test_no_reader_sees_a_missing_or_mixed_tree(tmp_path: Path, flags: list[str]) -> None:
    upstream = Repository(tmp_path / "upstream")
    upstream.commit({"x": "x"})
    count = COMMITS if flags else COMMITS // 8
    commits = history(upstream, count)
    branch = upstream.bare / "refs" / "heads" / "main"
    branch.write_text(commits[0] + "\n")
    with Gitsync(tmp_path, upstream.url, "--ref=main", "--period=10ms", *flags) as process:
        process.wait_published(commits[0])
        readers = [Reader(process.link) for _ in range(READERS)]
        for reader in readers:
            reader.start()
        try:
            for commit in commits[1:]:
                branch.with_suffix(".new").write_text(commit + "\n")
                branch.with_suffix(".new").rename(branch)
                process.wait_published(commit)
            passes = [reader.passes for reader in readers]
            until(lambda: all(r.passes > p for r, p in zip(readers, passes, strict=True)), 30, "a last pass")
        finally:
            for reader in readers:
                reader.enough.set()
            for reader in readers:
                reader.join(30)

        assert [fault for reader in readers for fault in reader.faults] == []
        assert all(len(reader.seen) > count // 10 for reader in readers)
        assert process.returncode is None

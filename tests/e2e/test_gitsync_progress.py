"""A first clone tells how far it is when asked to, and only the first."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.ports import free_port


def test_a_clone_tells_its_progress_in_the_log_and_by_a_metric(tmp_path: Path) -> None:
    upstream = Repository(tmp_path / "upstream")
    commit = upstream.commit({f"f{number}": f"{number}" for number in range(300)})
    port = free_port()
    http = [f"--http-bind=127.0.0.1:{port}", "--http-metrics"]
    with Gitsync(tmp_path, upstream.url, "--progress=on", "-v5", *http) as sidecar:
        sidecar.wait_published(commit)
        told = [line["percent"] for line in sidecar.messages() if line["msg"] == "cloning"]
        assert told[-1] == 100
        assert told == sorted(told)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            assert "git_sync_clone_progress_ratio 1\n" in answer.read().decode()
        sidecar.wait_published(upstream.commit({"f1": "new"}))
        assert len(re.findall(r"fetch [^\"]* --progress ", sidecar.stderr)) == 1


def test_without_a_terminal_git_is_not_asked(tmp_path: Path) -> None:
    upstream = Repository(tmp_path / "upstream")
    commit = upstream.commit({"a": "1"})
    with Gitsync(tmp_path, upstream.url, "-v5") as sidecar:
        sidecar.wait_published(commit)
        assert " --no-progress " in sidecar.stderr
        assert " --progress " not in sidecar.stderr

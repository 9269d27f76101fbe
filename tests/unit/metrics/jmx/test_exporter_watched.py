"""A jmx_exporter file that is looked at before every scrape."""

from __future__ import annotations

import os
from pathlib import Path

from podmates_metrics.documents import load
from podmates_metrics.jmx_exporter.configuration import decode
from podmates_metrics.jmx_exporter.watched import Watched


def test_a_pipe_in_the_place_of_the_file_holds_no_scrape_up(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("hostPort: a:1")
    watched = Watched(str(path), {}, decode(load(str(path)), {}), standalone=False)
    before = watched.current()
    path.unlink()
    os.mkfifo(path)

    assert watched.current() is before
    assert [family.samples[0].value for family in watched.families()] == [0, 1]

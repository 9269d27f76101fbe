"""The published example's rules, tried as a user's CI would, on samples with the series wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from podmates_metrics.documents import load
from podmates_metrics.tree import Place, keys
from tests.support.processes import run
from tests.support.programs import script

EXAMPLE = Path(__file__).parents[2] / "images" / "metrics-adapter"
RULES, SAMPLES = EXAMPLE / "metrics.yaml", EXAMPLE / "samples"
SOURCES = sorted(path.stem for path in SAMPLES.glob("*.wanted"))


def trial(source: str, wanted: Path) -> int:
    flags = [f"--from={source}", f"--input={SAMPLES / source}", f"--expect={wanted}"]
    return run([script("podmates-metrics"), "try", str(RULES), *flags]).status


@pytest.mark.parametrize("source", SOURCES)
def test_the_examples_rules_make_the_series_wanted_of_a_sample(source: str, tmp_path: Path) -> None:
    assert trial(source, SAMPLES / f"{source}.wanted") == 0

    (tmp_path / "wanted").write_text((SAMPLES / f"{source}.wanted").read_text() + "more 1\n")
    assert trial(source, tmp_path / "wanted") == 1


def test_every_source_of_the_example_has_a_sample_and_the_file_is_taken() -> None:
    ended = run([script("podmates-metrics"), "check", f"--config.file={RULES}", "--enable-command"])
    tree = load(str(RULES))
    assert tree is not None
    file = keys(tree, Place("", 1), "file")
    sources = file.table_at("sources", "sources")

    assert ended.status == 0, ended.stderr
    assert sources is not None
    assert sorted(sources.table.entries) == SOURCES
    assert sorted(path.name for path in SAMPLES.iterdir() if not path.suffix) == SOURCES

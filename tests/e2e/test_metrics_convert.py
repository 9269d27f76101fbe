"""The verb convert as a process: what it prints is a file that the adapter loads."""

from __future__ import annotations

from pathlib import Path

from tests.support.processes import run
from tests.support.programs import script

MAPPING = "mappings: [{match: 'a.*', name: 'a_$1', labels: {what: $1}, ttl: 1m}]"


def test_what_is_printed_is_a_file_that_loads(tmp_path: Path) -> None:
    old, new = tmp_path / "mapping.yaml", tmp_path / "rules.yaml"
    old.write_text(MAPPING)

    ended = run([script("podmates-metrics"), "convert", old])

    assert (ended.status, ended.stderr) == (0, "")
    new.write_text(ended.stdout)
    checked = run([script("podmates-metrics"), "check", f"--config.file={new}"])
    assert (checked.status, "rules: 0 for StatsD, 1 native" in checked.stdout) == (0, True)


def test_what_cannot_be_converted_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file.yaml"
    for text, reason in (
        ("modules: {}", "a file of json_exporter; only those of statsd_exporter are converted"),
        ("mappings: [{match: a, name: b, scale: 0}]", "line 1: mappings[0].scale"),
        ("- a", "want a table"),
    ):
        file.write_text(text)
        ended = run([script("podmates-metrics"), "convert", file])

        assert (ended.status, ended.stdout) == (2, "")
        assert f"{file}: " in ended.stderr
        assert reason in ended.stderr
    for argv in ((), ("a", "b"), ("--bogus",)):
        assert run([script("podmates-metrics"), "convert", *argv]).status == 2

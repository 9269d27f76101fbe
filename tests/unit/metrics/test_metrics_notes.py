"""What of flags and files is without effect is said, not passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from podmates_metrics import config
from podmates_metrics.command import load, words
from podmates_metrics.tree import Fault

NATIVE = "sources: {app: {statsd: {udp: ':9125', tcp: ''}}}"
SAID = "--statsd.listen-%s: the source app says where to listen"
FLAGS: dict[str, tuple[list[str], list[str]]] = {
    "none": ([], []),
    "another": (["--statsd.listen-udp=:8125"], [SAID % "udp"]),
    "the same": (["--statsd.listen-udp=:9125"], []),
    "off": (["--statsd.listen-udp="], [SAID % "udp"]),
    "off in both": (["--statsd.listen-tcp="], []),
    "both": (["--statsd.listen-tcp=:1", "--statsd.listen-udp=:1"], [SAID % "udp", SAID % "tcp"]),
}


def notes(*flags: str) -> list[str]:
    return config.read(load(words(flags), {}).settings, {}).notes


@pytest.mark.parametrize("name", FLAGS)
def test_flags_that_a_native_source_beats_are_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "rules.yaml").write_text(NATIVE)
    flags, wanted = FLAGS[name]
    assert notes(f"--config.file={tmp_path}/rules.yaml", *flags) == wanted


def test_a_folder_without_a_file_for_us_is_told(tmp_path: Path) -> None:
    told = [f"{tmp_path}: no file in this folder ends with .yaml, .yml, .json"]
    assert notes(f"--config.file={tmp_path}") == told
    (tmp_path / "rules.txt").write_text("not for us")
    (tmp_path / ".hidden.yaml").write_text("not for us either")
    assert notes(f"--config.file={tmp_path}") == told
    (tmp_path / "rules.yaml").write_text(NATIVE)
    assert notes(f"--config.file={tmp_path}") == []


def test_a_folder_that_cannot_be_looked_into_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(Fault, match=f"{tmp_path}: Permission denied"):
        notes(f"--config.file={tmp_path}")


UNORDERED = "defaults: {glob_disable_ordering: true}"
COVERED = """
mappings:
- {match: "a.*", name: x}
- {match: "a.b", name: y}
- {match: "*.b", name: z}
- {match: "a.*", match_metric_type: gauge, name: x}
- {match: "c.d", match_metric_type: counter, name: y}
- {match: "c.*", name: y}
- {match: "c.*", name: y}
- {match: "a.b", match_type: regex, name: y}
"""


@pytest.mark.parametrize(("more", "wanted"), [("", [(1, 0), (3, 0), (6, 5)]), (UNORDERED, [])])
@pytest.mark.parametrize("flag", ["--statsd.mapping-config", "--config.file"])
def test_a_glob_that_is_never_reached_is_told(
    tmp_path: Path, flag: str, more: str, wanted: list[tuple[int, int]]
) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text(more + COVERED)
    told = "{}: mappings[{}] is never reached: mappings[{}] takes all of its metrics"
    assert notes(f"{flag}={file}") == [told.format(file, *pair) for pair in wanted]

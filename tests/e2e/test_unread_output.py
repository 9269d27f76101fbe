"""What the three commands print may go to a reader who has enough after a line, or to a full disk."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.programs import script

WORDS = {
    "podmates-gitsync": ["--help", "--man", "--version"],
    "podmates-redis": ["--help", "--version"],
    "podmates-metrics": [
        "--help",
        "--version",
        "check",
        "probe --help",
        "probe live --help",
        "send --help",
        "json --help",
        "try --help",
        "convert --help",
        "detect --help",
    ],
}
ALL = [(program, words) for program, several in WORDS.items() for words in several]


def ended(program: str, words: str, output: int) -> tuple[int, str]:
    done = subprocess.run(
        [script(program), *words.split()], stdout=output, stderr=subprocess.PIPE, timeout=60, check=False
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize(("program", "words"), ALL)
def test_a_reader_who_has_gone_is_no_fault(program: str, words: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert ended(program, words, writer) == (1, "")
    finally:
        os.close(writer)


@pytest.mark.parametrize("program", WORDS)
def test_a_full_disk_is_told_in_a_line(program: str) -> None:
    with Path("/dev/full").open("wb") as full:
        status, told = ended(program, "--help", full.fileno())
    assert (status, told) == (1, "standard output: No space left on device\n")


@pytest.mark.parametrize(("program", "words"), [row for row in ALL if "--help" in row[1]])
def test_help_is_there_for_every_verb(program: str, words: str) -> None:
    done = subprocess.run([script(program), *words.split()], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout) > 100

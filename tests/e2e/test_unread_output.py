"""What the three commands print may go to a reader who has enough after a line, or to a full disk."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.programs import script
from tests.support.waiting import until

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


def closed(stream: int, command: list[str]) -> subprocess.CompletedProcess[bytes]:
    """Run *command* without standard stream *stream*."""
    shell = ["/bin/sh", "-c", f'exec "$@" {stream}>&-', "sh", *command]
    return subprocess.run(shell, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("stream", [0, 1, 2])
@pytest.mark.parametrize("program", WORDS)
def test_a_standard_stream_that_is_closed_is_no_fault(program: str, stream: int) -> None:
    done = closed(stream, [script(program), "--version"])
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_reads_standard_input_finds_none_where_it_is_closed(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text('sources: {app: {statsd: {udp: ":9125"}}}\nrules: [{name: x}]\n')
    done = closed(0, [script("podmates-metrics"), "send", "-"])
    assert (done.returncode, done.stderr) == (0, b"")
    done = closed(0, [script("podmates-metrics"), "try", str(rules)])
    assert (done.returncode, b"Traceback" in done.stderr) == (1, False)


def test_the_adapter_runs_without_standard_error(tmp_path: Path) -> None:
    where, port = tmp_path / "lines", free_port()
    flags = [f"--web.listen-address=127.0.0.1:{port}", f"--statsd.listen-unix={where}"]
    flags += ["--statsd.listen-udp=", "--statsd.listen-tcp="]
    shell = ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", script("podmates-metrics"), *flags]
    with subprocess.Popen(shell) as adapter:
        try:
            until(lambda: where.exists() or adapter.poll() is not None, what="it to listen or to end")
            assert adapter.poll() is None
        finally:
            adapter.terminate()

"""Small files that others write are read whole, and never without an end."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from podmates_common.files import LARGEST, TooLarge, check_readable, read_small
from tests.support.together import together


@pytest.mark.parametrize("size", [0, 1, LARGEST])
def test_a_file_is_read_whole(tmp_path: Path, size: int) -> None:
    (tmp_path / "f").write_bytes(b"x" * size)
    assert read_small(tmp_path / "f") == b"x" * size


def test_one_that_is_larger_or_has_no_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * (LARGEST + 1))
    with pytest.raises(TooLarge, match=f"larger than {LARGEST} bytes"):
        read_small(tmp_path / "f")
    with pytest.raises(TooLarge, match="larger than 10 bytes"):
        read_small("/proc/self/status", 10)


@pytest.mark.parametrize("reader", [read_small, check_readable])
def test_what_is_no_file_is_refused_and_not_waited_for(
    tmp_path: Path, reader: Callable[[Path], object]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path / "link", Path("/dev/zero"), Path("/dev/ptmx")):
        with pytest.raises(OSError, match="not a regular file") as raised:
            reader(path)
        assert raised.value.filename == str(path)
    with pytest.raises(IsADirectoryError):
        reader(tmp_path)
    with pytest.raises(FileNotFoundError):
        reader(tmp_path / "nothing")


def test_nothing_is_an_empty_file() -> None:
    assert read_small("/dev/null") == b""


@pytest.mark.parametrize("folder", ["/dev/fd", "/proc/self/fd"])
def test_a_pipe_that_the_process_was_given_is_read_to_its_end(folder: str) -> None:
    reading, writing = os.pipe()
    parts: list[bytes] = []

    def read() -> None:
        parts.append(read_small(f"{folder}/{reading}"))

    def write() -> None:
        os.write(writing, b"one, ")
        os.write(writing, b"two")
        os.close(writing)

    try:
        together(read, write)
    finally:
        os.close(reading)
    assert parts == [b"one, two"]


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = os.listdir("/proc/self/fd")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/null")):
        with suppress(OSError):
            read_small(path)
    assert os.listdir("/proc/self/fd") == before

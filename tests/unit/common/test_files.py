"""Small files that others write are read whole, and never without an end."""

from __future__ import annotations

from pathlib import Path

import pytest

from podmates_common.files import LARGEST, TooLarge, read_small


@pytest.mark.parametrize("size", [0, 1, LARGEST])
def test_a_file_is_read_whole(tmp_path: Path, size: int) -> None:
    (tmp_path / "f").write_bytes(b"x" * size)
    assert read_small(tmp_path / "f") == b"x" * size


def test_one_that_is_larger_or_has_no_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * (LARGEST + 1))
    with pytest.raises(TooLarge, match=f"larger than {LARGEST} bytes"):
        read_small(tmp_path / "f")
    with pytest.raises(TooLarge, match="larger than 10 bytes"):
        read_small("/dev/zero", 10)

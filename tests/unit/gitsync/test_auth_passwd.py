"""``--add-user`` gives whoever we are an entry in the list of users, once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podmates_gitsync.auth.passwd import add_user

ROOT = "root:x:4294967294:0:root:/root:/bin/sh"
OURS = f"git-sync:x:{os.getuid()}:{os.getgid()}::/home/x:/sbin/nologin\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", OURS),
        (f"{ROOT}\n", f"{ROOT}\n{OURS}"),
        (ROOT, f"{ROOT}\n{OURS}"),
        (f"git-sync:x:65533:65533::/tmp:/sbin/nologin\n{ROOT}\n", None),
        (f"{ROOT}\nme:x:{os.getuid()}:7::/:/bin/sh\n", f"{ROOT}\nme:x:{os.getuid()}:7::/:/bin/sh\n"),
        (f"nonsense\nme:{os.getuid()}\n", f"nonsense\nme:{os.getuid()}\n{OURS}"),
    ],
)
def test_an_entry_is_appended_unless_there_is_one(tmp_path: Path, before: str, after: str | None) -> None:
    file = tmp_path / "passwd"
    file.write_text(before)

    added = add_user("/home/x", file=file)

    assert file.read_text() == (before + OURS if after is None else after)
    assert added == (file.read_text() != before)
    assert not add_user("/home/x", file=file)


@pytest.mark.parametrize("home", ["/a:b", "/a\nroot::0:0"])
def test_a_home_that_cannot_stand_in_it_is_refused(tmp_path: Path, home: str) -> None:
    file = tmp_path / "passwd"
    file.write_text(f"{ROOT}\n")
    with pytest.raises(ValueError, match="cannot stand in"):
        add_user(home, file=file)

    assert file.read_text() == f"{ROOT}\n"


def test_a_list_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        add_user("/", file=tmp_path / "none")

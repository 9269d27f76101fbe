"""What is missing to check signatures is told at the start, and not by refusing every commit."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

import pytest

from podmates_gitsync.git.signatures import trouble
from podmates_gitsync.programs import Running
from tests.support.programs import need


class Places(NamedTuple):
    """A root, and a file that says who may sign."""

    root: Path
    signers: Path


@pytest.fixture
def places(tmp_path: Path) -> Places:
    need("ssh-keygen", "openssh-client")
    (tmp_path / "root").mkdir()
    (tmp_path / "allowed").write_text("dev@example.com ssh-ed25519 AAAA\n")
    return Places(tmp_path / "root", tmp_path / "allowed")


def test_what_is_missing_is_told_at_the_start(places: Places, tmp_path: Path) -> None:
    environment = dict(os.environ)

    def told(signers: Path) -> str:
        return trouble(signers, [places.root, places.root.parent / "mirror"], environment, Running())

    assert told(places.signers) == ""
    assert "cannot read the allowed signers file" in told(tmp_path / "missing")
    inside = places.root / "allowed"
    inside.write_text("dev@example.com ssh-ed25519 AAAA\n")
    assert "the repository could change it" in told(inside)
    mirrored = tmp_path / "mirror" / "d" / "allowed"
    mirrored.parent.mkdir(parents=True)
    mirrored.write_text(inside.read_text())
    assert "the repository could change it" in told(mirrored)
    outside = tmp_path / "link"
    outside.symlink_to(inside)
    assert "the repository could change it" in told(outside)
    inward = places.root / "real"
    inward.symlink_to(places.signers)
    assert "the repository could change it" in told(inward)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "ssh-keygen is not found"),
        ("echo 'No user exists for uid 1234' >&2; exit 255", "--add-user"),
        ("exec sleep 600", "does not work"),
    ],
    ids=["missing", "no such user", "hangs"],
)
def test_an_ssh_keygen_that_cannot_work_is_told_at_the_start(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, reason: str
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    if text is not None:
        program = folder / "ssh-keygen"
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr("podmates_gitsync.git.signatures._BUDGET", 1.0)
    environment = dict(os.environ)
    monkeypatch.setenv("PATH", f"{folder}")

    assert reason in trouble(places.signers, [places.root], environment, Running())

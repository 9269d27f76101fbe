"""Programs built by Go: once, in a place of their version; a Go that is missing or fails leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.gotools import Program, ensure, place

PROGRAM = Program("example.org/a/cmd/tool", "v1.0.0", "small")
GO = """#!/bin/sh
echo "$@" >>"{told}"
echo built >"$GOBIN/tool"
exit {status}
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache and a PATH of their own; what a `go` there is told."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/bin:/usr/bin")
    (tmp_path / "bin").mkdir()
    return tmp_path / "told"


def go(told: Path, status: int) -> None:
    program = told.parent / "bin" / "go"
    program.write_text(GO.format(told=told, status=status))
    program.chmod(0o755)


def test_a_program_is_built_once(told: Path) -> None:
    go(told, 0)

    assert ensure(PROGRAM) and ensure(PROGRAM)
    assert place(PROGRAM).read_text() == "built\n"
    assert told.read_text().splitlines() == [
        "install -trimpath -tags=small -ldflags=-s -w example.org/a/cmd/tool@v1.0.0"
    ]
    assert place(PROGRAM) != place(PROGRAM._replace(version="v1.0.1"))


def test_a_go_that_fails_leaves_nothing(told: Path) -> None:
    go(told, 1)

    assert not ensure(PROGRAM)
    assert list((told.parent / "cache" / "podmates").iterdir()) == []


def test_without_go_it_says_so(
    told: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(told.parent))

    assert not ensure(PROGRAM)
    assert capsys.readouterr().err == "tool v1.0.0 is left out, since there is no go\n"

"""What git is told of passwords, seen by a wrapper around git as the field's own tests do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


def test_git_credential_fill_finds_every_credential_by_protocol_and_host(
    tmp_path: Path, upstream: Repository
) -> None:
    git = tmp_path / "git-wrapper"
    asked = {
        "one": "protocol=https\nhost=one.example\npath=any/where",
        "two": "protocol=http\nhost=two.example:8080",
        "three": "protocol=https\nhost=two.example:8080",
    }
    fills = "".join(
        f"printf '%s\\n\\n' '{text}' | git credential fill > {tmp_path}/{name} 2>&1\n"
        for name, text in asked.items()
    )
    git.write_text(f'#!/bin/sh\nif [ "$1" = fetch ]; then\n{fills}fi\nexec git "$@"\n')
    git.chmod(0o755)
    (tmp_path / "password").write_text("from a file\n")
    credentials = [
        {"url": "https://one.example/a/b", "username": "u1", "password": "p w=1"},
        {"url": "http://two.example:8080", "username": "u2", "password-file": f"{tmp_path}/password"},
    ]
    flags = [f"--git={git}", "--one-time", "-v9", f"--credential={json.dumps(credentials)}"]
    with Gitsync(tmp_path, upstream.url, *flags) as process:
        assert process.wait(60) == 0, process.output
        assert "p w=1" not in process.output
        assert "from a file" not in process.output

    one, two, three = ((tmp_path / name).read_text() for name in asked)
    assert "username=u1\npassword=p w=1\n" in one
    assert "username=u2\npassword=from a file\n" in two
    assert "password=from" not in three  # another protocol is another place

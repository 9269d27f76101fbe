"""A pipe where a file should be ends a start with a reason, instead of holding it until somebody writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.processes import run
from tests.support.programs import script

REFUSED = "not a regular file"
METRICS = {
    "--config.file={}": "run",
    "--statsd.mapping-config={}": "run",
    "--web.config.file={}": "run",
    "--jmx.config={}": "run",
    "@{}": "run",
    " --config.file={}": "check",
    "  --config.file={}": "json",
    "9404 {}": "jmx",
    "{}": "jmx",
    " {}": "try",
    "  {}": "convert",
}


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.mark.parametrize(("words", "verb"), METRICS.items())
def test_the_adapter_reads_no_pipe(words: str, verb: str, pipe: Path) -> None:
    ended = run([script("podmates-metrics"), verb, *words.format(pipe).split()], timeout=30)

    assert ended.status in (1, 2)
    assert f"{pipe}: {REFUSED}" in ended.stderr


FILES = {
    "web": "tls_server_config: {{cert_file: {0}, key_file: {0}}}",
    "jmx": "hostPort: a:1\nssl: {{enabled: true, trustStore: {{filename: {0}}}}}",
}


@pytest.mark.parametrize("kind", FILES)
def test_the_adapter_reads_no_certificate_out_of_a_pipe(kind: str, pipe: Path) -> None:
    file = pipe.parent / "file.yaml"
    file.write_text(FILES[kind].format(pipe))
    flag = "--web.config.file" if kind == "web" else "--jmx.config"
    ended = run([script("podmates-metrics"), "check", f"{flag}={file}"], timeout=30)

    assert ended.status == 2
    assert str(pipe) in ended.stderr and REFUSED in ended.stderr


@pytest.mark.parametrize("flag", ["--config={}", "--tls-ca-file={}", "password"])
def test_the_ambassador_reads_no_pipe(flag: str, pipe: Path) -> None:
    flags = ["--servers=127.0.0.1:1", "--tls", *([flag.format(pipe)] if flag != "password" else [])]
    secret = {"PODMATES_REDIS_PASSWORD_FILE": str(pipe)} if flag == "password" else {}
    ended = run([script("podmates-redis"), "check", *flags], env=secret, timeout=30)

    assert ended.status == 2
    assert str(pipe) in ended.stderr and REFUSED in ended.stderr


GITSYNC = {
    "--config": [],
    "--password-file": ["--username=me"],
    "--sparse-checkout-file": [],
    "--verify-ssh-allowed-signers-file": ["--verify=enforce"],
}


@pytest.mark.parametrize("flag", GITSYNC)
def test_gitsync_reads_no_pipe(flag: str, pipe: Path, tmp_path: Path) -> None:
    origin = Repository(tmp_path / "origin")
    origin.commit({"file": "text"})
    words = [] if flag == "--config" else [f"--repo={origin.url}", "--one-time", *GITSYNC[flag]]
    argv = [script("podmates-gitsync"), f"--root={tmp_path}/root", *words, f"{flag}={pipe}"]
    ended = run(argv, env={"GIT_TERMINAL_PROMPT": "0", "HOME": str(tmp_path)}, timeout=30)

    assert ended.status == 1
    assert REFUSED in ended.stdout + ended.stderr

"""Every service answers to the same verbs with the same statuses."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from podmates_common.errors import UpstreamError
from podmates_common.parse import Address, address, text
from podmates_common.redact import Secret
from podmates_common.settings import Loaded, load, options, setting
from podmates_common.verbs import Service, dispatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    server: str = setting("a", text, "where")
    admin: Address = setting("127.0.0.1:0", address, "probes")
    password: Secret = setting("", text, "secret", secret=True)


def run(loaded: Loaded[Settings]) -> int:
    if loaded.settings.server == "gone":
        raise UpstreamError("gone: given up")
    print("ran", loaded.settings.server)
    return 0


def read(argv: Sequence[str]) -> Loaded[Settings]:
    return load(Settings, "PODMATES_THING", argv, {"PODMATES_THING_PASSWORD": "hunter2"})


SERVICE = Service(
    program="podmates-thing",
    summary="Does things.",
    load=read,
    rows=options(Settings, "PODMATES_THING"),
    http=lambda settings: settings.admin if settings.admin.port else None,
    version=lambda: "podmates-thing 1.2.3",
    run=run,
)
CALLS = {
    "no verb": ([], 0, "ran a\n", ""),
    "run": (["run", "--server=b"], 0, "ran b\n", ""),
    "version": (["--version"], 0, "podmates-thing 1.2.3\n", ""),
    "unknown verb": (
        ["walk"],
        2,
        "",
        "podmates-thing: walk: unknown verb; want one of run, check, probe live|ready|started\n",
    ),
    "probe without a kind": (
        ["probe"],
        2,
        "",
        "podmates-thing: probe: unknown verb; want one of run, check, probe live|ready|started\n",
    ),
    "two faults": (
        ["check", "--x", "--y"],
        2,
        "",
        "podmates-thing: --x: unknown flag\npodmates-thing: --y: unknown flag\n",
    ),
    "probe with HTTP off": (["probe", "ready"], 2, "", ""),
    "given up": (["run", "--server=gone"], 3, "", "podmates-thing: gone: given up\n"),
}


@pytest.mark.parametrize(("argv", "status", "out", "err"), CALLS.values(), ids=CALLS.keys())
def test_a_call_has_its_status_and_its_output(
    argv: list[str], status: int, out: str, err: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(SERVICE, argv) == status
    assert capsys.readouterr() == (out, err)


def test_check_prints_the_effective_settings_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(SERVICE, ["check", "--server=b"]) == 0
    out = capsys.readouterr().out
    assert "server = b  (--server)\n" in out
    assert "password = ***  (PODMATES_THING_PASSWORD)\n" in out
    assert "hunter2" not in out


def test_probe_says_no_where_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]

    assert dispatch(SERVICE, ["probe", "live", f"--admin=127.0.0.1:{port}"]) == 1
    assert "refused" in capsys.readouterr().err


def test_help_names_the_flags(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(SERVICE, ["--help"]) == 0
    assert "--server VALUE" in capsys.readouterr().out

"""Who holds much leaves some to those who come after."""

from __future__ import annotations

from pathlib import Path

import pytest

from podmates_redis.ledger import PLENTY, Ledger
from podmates_redis.resources import for_clients, memory, resident
from podmates_redis.wire.requests import Requests

MEBIBYTE = 1 << 20


@pytest.mark.parametrize("clients", [1, 10, 25])
def test_those_who_take_all_they_may_leave_some(clients: int) -> None:
    ledger = Ledger(64 * MEBIBYTE)
    for _ in range(clients):
        ledger.held += ledger.share()
    assert ledger.roomy and not ledger.full
    assert ledger.share() >= 16 * 1024


def test_a_client_may_hold_a_quarter_of_what_is_free() -> None:
    ledger = Ledger(100 * MEBIBYTE)
    assert ledger.share() == 25 * MEBIBYTE
    ledger.held = 60 * MEBIBYTE
    assert ledger.share() == 10 * MEBIBYTE
    assert ledger.pressed and ledger.roomy and not ledger.full
    ledger.held = 100 * MEBIBYTE + 1
    assert ledger.full and not ledger.roomy


def test_without_a_limit_there_is_plenty() -> None:
    assert Ledger(0).share() == PLENTY // 4


def _container(root: Path, files: dict[str, str]) -> Path:
    for name, text in {"proc/meminfo": "MemTotal:       8000 kB\nMemFree: 1 kB\n", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "least"),
    [
        ({}, 8000 * 1024),
        ({"sys/fs/cgroup/memory.max": "1024000\n"}, 1024000),
        ({"sys/fs/cgroup/memory.max": "max\n"}, 8000 * 1024),
        ({"sys/fs/cgroup/memory/memory.limit_in_bytes": "2048000"}, 2048000),
        (
            {
                "proc/self/cgroup": "0::/pods/ours\n",
                "sys/fs/cgroup/pods/memory.max": "3072000",
                "sys/fs/cgroup/pods/ours/memory.max": "max",
            },
            3072000,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu:/x\n3:memory:/pods/ours\n",
                "sys/fs/cgroup/memory/pods/ours/memory.limit_in_bytes": "4096000",
            },
            4096000,
        ),
    ],
)
def test_the_least_limit_on_the_process_counts(tmp_path: Path, files: dict[str, str], least: int) -> None:
    assert memory(_container(tmp_path, files)) == least


def test_what_the_process_has_itself_is_not_for_clients() -> None:
    assert for_clients(resident() + 100 * MEBIBYTE) == pytest.approx(100 * MEBIBYTE, abs=8 * MEBIBYTE)
    assert for_clients(1) == 8 * MEBIBYTE


def test_a_request_weighs_what_it_takes() -> None:
    requests = Requests()
    requests.feed(b"*1048576\r\n")
    assert requests.weight < 100
    requests.feed(b"$2\r\nab\r\n" * 1000)
    assert requests.weight > 1000 * (8 + 48)
    whole = Requests()
    whole.feed(b"*2\r\n$3\r\nGET\r\n")
    whole.feed(b"$1\r\nk\r\n")
    assert whole.weight == 0

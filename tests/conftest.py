"""What every test folder shares: fixtures of real servers, and the rule that nothing is left running."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.processes import children
from tests.support.redis_servers import Pair, Server
from tests.support.waiting import until


@pytest.fixture(scope="session", autouse=True)
def _no_process_left() -> Iterator[None]:
    """Fail the session when a child of it outlives the tests."""
    before = children(os.getpid())
    yield
    left: dict[int, str] = {}

    def gone() -> bool:
        left.clear()
        left.update({pid: line for pid, line in children(os.getpid()).items() if pid not in before})
        return not left

    try:
        until(gone, 10)
    except AssertionError:
        pytest.fail(f"processes left running by the tests: {left}")


@pytest.fixture(scope="module")
def redis_server() -> Iterator[Server]:
    """A plain server, shared by the tests of a module."""
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def redis_pair() -> Iterator[Pair]:
    """A master with one replica, shared by the tests of a module."""
    with Pair() as pair:
        yield pair

"""What every test folder shares: fixtures of real servers, and the rule that nothing is left running."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import hypothesis
import pytest

from tests.support.fuzzing import SOAK
from tests.support.processes import children
from tests.support.programs import need
from tests.support.redis_groups import Cluster
from tests.support.redis_servers import Pair, Server
from tests.support.waiting import until

# No test is judged by a clock: the machine may be busy. New examples are looked for by `make soak` alone,
# since what they find is older than the change that a usual run judges.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=not SOAK)
hypothesis.settings.load_profile("steady")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Have two workers for each processor: most tests wait for other processes most of the time."""
    processors = len(os.sched_getaffinity(0))
    return processors if config.option.numprocesses == "logical" else 2 * processors


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: not {"e2e", "contract"} & set(item.path.parts))


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what it runs in the background so, and every program of a test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
        until(gone, 60)
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


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster of three masters and three replicas, shared by the tests of a module."""
    need("redis-server", "redis-server")
    with Cluster() as cluster:
        yield cluster

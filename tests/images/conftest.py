from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.engine import Network, need_engine


@pytest.fixture
def network() -> Iterator[Network]:
    """A container network that ends with the test; skips the test where there is no engine."""
    need_engine()
    with Network() as made:
        yield made


@pytest.fixture
def _engine() -> None:
    need_engine()

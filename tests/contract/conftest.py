"""What the contract tests of gitsync share: a volume that our syncer keeps in step with `upstream`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync_volume import Volume


@pytest.fixture
def volume(tmp_path: Path, upstream: Repository) -> Iterator[Volume]:
    """A volume that has not been synced yet; the module says what `upstream` is."""
    made = Volume(tmp_path, upstream)
    yield made
    made.close()

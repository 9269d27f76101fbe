"""What stands around a volume and must be the same after anything hostile."""

from __future__ import annotations

import os

from podmates_gitsync.sync.acting import FAILURES
from tests.support.gitsync_volume import Volume


class Surroundings:
    """What stands around a volume and must be the same afterwards."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._outside = volume.root.parent / "outside"
        self._outside.mkdir(exist_ok=True)
        (self._outside / "precious").write_text("x")
        self._before = self._look()

    def _look(self) -> tuple[object, ...]:
        root = self._volume.root
        config = (root / ".git" / "config").read_text().split("[submodule")[0]
        config = config.replace("\ttrustctime = false\n", "")  # our own, for hard links
        hooks = sorted(os.listdir(root / ".git" / "hooks")) if (root / ".git" / "hooks").is_dir() else []
        beside = sorted(name for name in os.listdir(root.parent) if not name.startswith("git-sync"))
        return config, hooks, beside, os.listdir(self._outside), sorted(os.listdir(root))

    def assert_same(self) -> None:
        assert self._look() == self._before
        assert (self._outside / "precious").read_text() == "x"


def try_sync(volume: Volume) -> bool:
    """Sync; return whether it went well. Only a failure that the loop expects is one."""
    try:
        volume.sync()
    except FAILURES:
        return False
    return True

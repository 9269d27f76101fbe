"""What each hook was told last, kept below root: a restart must not lose what changed meanwhile."""

from __future__ import annotations

from pathlib import Path

from podmates_gitsync.files.ours import ours, remember
from podmates_gitsync.files.plain import content


class Memory:
    """One file, ``<root>/.git/podmates/hooks/<name>``, with a hash in it.

    It is an aid, not a promise: where it cannot be written, hooks run all the same.
    """

    def __init__(self, root: Path, name: str) -> None:
        self._path = ours(root) / "hooks" / name

    def told(self, otherwise: str) -> str:
        """Return the commit that the hook ended well for last; if there is none, *otherwise* from now on."""
        try:
            return self.recalled()
        except OSError:
            self.tell(otherwise)
            return otherwise

    def recalled(self) -> str:
        """Return the same, and remember nothing; empty for none.

        Raises:
            OSError: there is none, or it cannot be read.
        """
        text = content(self._path).decode(errors="replace").strip()
        return text if text.isalnum() else ""  # nobody but us should write there

    def tell(self, commit: str) -> None:
        """Remember *commit*, in one step."""
        remember(self._path, commit)

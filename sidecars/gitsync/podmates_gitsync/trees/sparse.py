"""Which files a tree gets, in the words of git's sparse checkout."""

from __future__ import annotations

import re
from collections.abc import Iterable

EVERYTHING = "/*\n"
_SPECIAL = re.compile(r"[\\*?\[]")


def config(*, cone: bool) -> str:
    """Return git's configuration of a tree that gets some of its files.

    Args:
        cone: as `git sparse-checkout init` has it. Then a file of patterns which looks as git itself would
            write it chooses directories, with the files above each; any other means what it says.
    """
    return f"[core]\n\tsparseCheckout = true\n\tsparseCheckoutCone = {str(cone).lower()}\n"


def normal(path: str) -> str:
    """Return a directory of ``--path`` without superfluous slashes, relative to the top of the repository.

    Raises:
        ValueError: it is none, leads out of the repository, or cannot be written as a pattern.
    """
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if not parts:
        raise ValueError("names the whole tree")
    if ".." in parts:
        raise ValueError("must not contain ..")
    if any(part.lower() == ".git" for part in parts):
        raise ValueError("must not name .git")
    if re.search(r"[\0\r\n]", path):
        raise ValueError("must be one line")
    return "/".join(parts)


def patterns(paths: Iterable[str]) -> str:
    """Return a sparse-checkout file for the directories *paths*, which are normal; nothing else is in them.

    No character of a path is special, whoever chose it.
    """
    return "".join(f"/{_SPECIAL.sub(_escaped, path)}/\n" for path in paths)


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[0]

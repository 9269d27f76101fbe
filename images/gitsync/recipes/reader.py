"""A reader that works through all files again and again, as a scheduler does with its folder of jobs.

gitsync --root=/srv/git --link=current --keep=2, and then reader.py /srv/git/current SECONDS, where SECONDS is
what it takes its time for with each file.

The link is resolved once for each pass. ``--keep=2`` leaves two trees that were replaced, so that a pass that
takes longer than the next two publishes still finds all of its files.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


def read(link: str, seconds: float) -> str:
    """Go through the tree that *link* names now; return its commit.

    Raises:
        FileNotFoundError: it was removed meanwhile.
    """
    tree = Path(os.path.realpath(link))
    for path in sorted(tree.rglob("*.py")):
        compile(path.read_bytes(), str(path), "exec")
        time.sleep(seconds)
    return tree.name


if __name__ == "__main__":
    while True:
        print("began", os.path.basename(os.path.realpath(sys.argv[1])), flush=True)
        print("read", read(sys.argv[1], float(sys.argv[2])), flush=True)

"""Python source as a tree."""

from __future__ import annotations

import ast
import gc
from pathlib import Path


def tree(path: Path) -> ast.Module:
    """Return the tree of the module at *path*.

    Nothing is collected meanwhile: in Python 3.11 a finalizer that parses source in the middle of it makes it
    fail with a SystemError.
    """
    collected = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(path.read_text())
    finally:
        if collected:
            gc.enable()

"""Source is parsed whatever is collected meanwhile."""

from __future__ import annotations

import ast
import gc
from pathlib import Path

from tests.support.syntax import tree


class Parsing:
    """Garbage that parses source when it is collected."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        ast.parse("def f():\n    return 1")


def test_nothing_that_parses_too_is_collected_in_between() -> None:
    before = gc.get_threshold()
    gc.set_threshold(50)
    try:
        for _ in range(20):
            Parsing()
            assert tree(Path(ast.__file__)).body
    finally:
        gc.set_threshold(*before)
    assert gc.isenabled()

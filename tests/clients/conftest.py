"""The programs that `make client-test` has built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.programs import lack

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
BUILT = ROOT / "build" / "clients"


@pytest.fixture
def command() -> Callable[[str], list[str]]:
    """Return a function from ``part/program words`` to the command line that runs it."""

    def find(text: str) -> list[str]:
        where, *words = text.split()
        part, _, program = where.partition("/")
        if not (BUILT / f"{part}.stamp").exists():
            lack(
                f"the clients in {part} are not built: run make client-test, and see what it says is missing"
            )
        built = BUILT / part
        starts = {
            "python": [str(built / "bin" / "python"), str(PROGRAMS / "python" / f"{program}.py")],
            "node": ["node", str(built / f"{program}.js")],
            "go": [str(built / program)],
            "java": ["java", "-cp", f"{built}/classes:{built}/lib/*", program],
        }
        return [*starts[part], *words]

    return find

"""Benchmarks are run by hand: what is certain is that each says how, and refuses what it does not know."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.processes import Finished, run

ROOT = Path(__file__).parents[2]
MODULES = ["bench", *(f"bench.{path.stem}" for path in sorted((ROOT / "bench").glob("[a-z]*.py")))]


def bench(*words: str) -> Finished:
    return run([sys.executable, "-m", *words], cwd=ROOT)


@pytest.mark.parametrize("module", MODULES)
def test_a_benchmark_says_what_it_is_and_refuses_what_it_does_not_know(module: str) -> None:
    asked, strange = bench(module, "--help"), bench(module, "no-such-part")

    assert (asked.status, strange.status) == (0, 2), asked.stderr
    assert asked.stdout.startswith(f"usage: python -m {module} ")
    assert "Traceback" not in strange.stderr

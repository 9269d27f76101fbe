"""What we assume of setuptools: where there is no compiler, an optional extension is left out in peace."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.support.processes import run

SOURCE = Path(__file__).parents[2] / "adapters" / "metrics"


@pytest.mark.parametrize("compiler", ["/nonexistent/gcc", "/bin/false"], ids=["none", "one that fails"])
def test_a_machine_without_a_compiler_gets_the_twin_in_python(tmp_path: Path, compiler: str) -> None:
    copy = tmp_path / "metrics"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("build", "*.so", "*.egg-info", "__pycache__"))

    built = run([sys.executable, "setup.py", "-q", "build"], env={"CC": compiler}, cwd=copy, timeout=300)

    assert built.status == 0, built.stderr
    assert list(copy.glob("build/lib*/podmates_metrics/statsd/hot.py"))
    assert not list(copy.glob("build/**/*.so"))

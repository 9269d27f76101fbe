"""Build what a release would publish, wheels and source archives, into ``dist/``: ``make release``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MEMBERS = ("common", "sidecars/gitsync", "ambassadors/redis", "adapters/metrics")
BUILD = """
import sys
from setuptools import build_meta
build_meta.build_sdist(sys.argv[1])
build_meta.build_wheel(sys.argv[1])
"""


def main() -> None:
    target = ROOT / "dist"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    with tempfile.TemporaryDirectory() as folder:  # the back end writes beside its sources
        for member in MEMBERS:
            copy = Path(folder, member)
            ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", "*.so", "*.c")
            shutil.copytree(ROOT / member, copy, ignore=ignored)
            subprocess.run([sys.executable, "-c", BUILD, str(target)], cwd=copy, check=True)
    print("\n".join(sorted(path.name for path in target.iterdir())))


if __name__ == "__main__":
    main()

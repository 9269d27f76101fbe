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
target = sys.argv[1]  # a build changes sys.argv
build_meta.build_sdist(target)
build_meta.build_wheel(target)
"""


def main() -> int:
    """Return 0 when every member gave a wheel and a source archive."""
    target = ROOT / "dist"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    with tempfile.TemporaryDirectory() as folder:  # the back end writes beside its sources
        for member in MEMBERS:
            copy = Path(folder, member)
            ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", "*.so", "*.c")
            shutil.copytree(ROOT / member, copy, ignore=ignored)
            subprocess.run(
                [sys.executable, "-c", BUILD, str(target)], cwd=copy, check=True, stdout=subprocess.DEVNULL
            )
    built = sorted(path.name for path in target.iterdir())
    print("\n".join(built))
    return 0 if len(built) == 2 * len(MEMBERS) else 1


if __name__ == "__main__":
    sys.exit(main())

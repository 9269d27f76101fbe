"""gitsync on the git that its image has, which is newer than that of many a machine."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.engine import built, docker
from tests.support.other_git import wrap

ROOT = Path(__file__).parents[2]


@pytest.mark.usefixtures("_engine")
def test_what_is_expected_of_git_holds_for_the_git_of_the_image(tmp_path: Path) -> None:
    container = docker("create", built("gitsync")).strip()
    archive, root = tmp_path / "image.tar", tmp_path / "image"
    try:
        docker("export", f"--output={archive}", container)
    finally:
        docker("rm", container)
    with tarfile.open(archive) as opened:
        opened.extractall(root, filter="tar")
    ours = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
    programs = wrap(root, tmp_path / "git", Path(ours))
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    version = subprocess.run(["git", "version"], env=environment, capture_output=True, text=True, check=True)
    number = version.stdout.removeprefix("git version ").split(".")
    assert (int(number[0]), int(number[1])) >= (2, 47)

    tests = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tests/contract/test_git*.py"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1000)
    assert done.returncode == 0, done.stdout[-8000:]

"""A stand-in for the official Python image, made from Debian's packages, where no image can be pulled.

A debootstrap tree with Python, pip and the headers, imported as ``podmates/standin-python:dev``. For
development and CI only; what is published is built on the official image. The tree is kept as a tarball
in the user's cache, so that it is made once per machine. Needs root and the package debootstrap.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools.caches import cache

TAG = "podmates/standin-python:dev"
SUITE = "trixie"  # its Python is the one that the wheels are fetched for
PACKAGES = "ca-certificates,python3-dev,python3-pip"
PRUNED = ("usr/share/man", "usr/share/locale", "usr/share/info", "var/lib/apt/lists", "var/cache", "var/log")
CHANGES = ("ENV DEBIAN_FRONTEND=noninteractive", 'CMD ["python3"]')


def ensure() -> str:
    """Return the tag of the stand-in, made and imported if the engine does not have it."""
    known = subprocess.run(["docker", "image", "inspect", TAG], capture_output=True, check=False)
    if known.returncode != 0:
        options = [f"--change={change}" for change in CHANGES]
        subprocess.run(["docker", "import", *options, str(tarball()), TAG], check=True)
    return TAG


def tarball() -> Path:
    """Return the tree as a tar file, from the cache if it is there."""
    recipe = "\n".join((SUITE, PACKAGES, *PRUNED, platform.machine()))
    name = f"{SUITE}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}.tar"
    folder = cache()
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make(path)
    return path


def _make(path: Path) -> None:
    if shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        raise SystemExit("the stand-in base needs debootstrap: install the package debootstrap")
    with tempfile.TemporaryDirectory(prefix="podmates-", dir="/var/tmp") as folder:
        tree = Path(folder, "tree")
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(tree)]
        made = subprocess.run([*command, *mirror()], stdout=subprocess.PIPE, text=True, check=False)
        if made.returncode != 0:
            raise SystemExit(f"debootstrap failed:\n{made.stdout[-2000:]}")
        for name in PRUNED:
            shutil.rmtree(tree / name, ignore_errors=True)
            (tree / name).mkdir(parents=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        subprocess.run(["tar", "-C", str(tree), "-cf", str(unfinished), "."], check=True)
        unfinished.replace(path)


def mirror() -> list[str]:
    """Return where this machine's own apt gets Debian's packages, as debootstrap's last argument.

    Empty where apt does not say, for instance off Debian: debootstrap has a default of its own.
    """
    try:
        command = [
            "apt-get",
            "indextargets",
            "--format",
            "$(REPO_URI)",
            "Created-By: Packages",
            "Origin: Debian",
        ]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    except OSError:
        return []
    usable = [uri for uri in found if re.match(r"https?:|file:", uri) and "security" not in uri]
    return usable[:1]

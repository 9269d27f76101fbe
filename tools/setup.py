"""Make ``.venv`` and put the four distributions into it: ``make setup``.

Runs on the bare standard library of any Python from 3.11. Three pip calls, because pip refuses
``-e`` together with ``--require-hashes``. Done again only when a file that it depends on changed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MEMBERS = ("common", "sidecars/gitsync", "ambassadors/redis", "adapters/metrics")


def fingerprint() -> str:
    """Return a digest of the interpreter and of everything that the environment is made from."""
    digest = hashlib.sha256(f"{sys.version} {ROOT} {os.environ.get('PODMATES_PURE')}".encode())
    sources = [*ROOT.glob("requirements/*.txt"), Path(__file__)]
    for member in MEMBERS:
        sources += [ROOT / member / "pyproject.toml", ROOT / member / "setup.py"]
        sources += (ROOT / member).glob("podmates_*/**/*.pyx")
        sources += (ROOT / member).glob("podmates_*/**/*.px[di]")
    for path in sorted(sources):
        digest.update(path.read_bytes() if path.exists() else b"-")
    return digest.hexdigest()


def main() -> int:
    """Return 0 when the environment is ready; the reason it is not goes to standard error."""
    if sys.version_info < (3, 11):  # noqa: UP036  (this is what says so)
        print(f"podmates needs Python 3.11 or newer; this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        print("this Python has no venv module: install the package python3-venv", file=sys.stderr)
        return 2
    environment = Path(os.environ.get("VENV") or ROOT / ".venv").absolute()
    stamp, wanted = environment / "podmates.stamp", fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return 0
    print(f"setting up {environment} (once)", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
    pip = [environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    hashed = [*pip, "--require-hashes", "--only-binary", ":all:", "-r"]
    subprocess.run([*hashed, ROOT / "requirements" / "build.txt"], check=True)
    # jmxquery and statsd have releases without a wheel for every version; both are plain Python.
    subprocess.run([*hashed[:-3], "-r", ROOT / "requirements" / "dev.txt"], check=True)
    editable = [part for member in MEMBERS for part in ("-e", str(ROOT / member))]
    subprocess.run([*pip, "--no-index", "--no-deps", "--no-build-isolation", *editable], check=True)
    stamp.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())

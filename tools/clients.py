"""Build the programs of tests/clients, with client libraries of four languages: ``make client-test``.

Everything lands in ``build/clients``; a part whose sources have not changed is not built again. What a part
needs (node and npm, go, a JDK and Maven) is said when it is missing, and its tests then say so too.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "tests" / "clients" / "programs"
BUILT = ROOT / "build" / "clients"
REQUIREMENTS = ROOT / "requirements" / "clients.txt"


def run(*argv: str | Path, cwd: Path | None = None) -> None:
    """Run a program.

    Raises:
        subprocess.CalledProcessError: it failed; what it said is with the user already.
    """
    subprocess.run(argv, cwd=cwd, check=True, stdin=subprocess.DEVNULL)


def python(target: Path) -> None:
    venv.create(target, with_pip=True)
    pip: Sequence[str | Path] = [target / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    run(*pip, "install", "-q", "--require-hashes", "-r", REQUIREMENTS)


def node(target: Path) -> None:
    shutil.copytree(SOURCES / "node", target)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=target)


def go(target: Path) -> None:
    target.mkdir()
    run("go", "build", "-o", target / "go-redis", ".", cwd=SOURCES / "go")


def java(target: Path) -> None:
    shutil.copytree(SOURCES / "java", target)
    run("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib", cwd=target)
    run("javac", "-cp", "lib/*", "-d", "classes", *sorted(target.glob("*.java")), cwd=target)


PARTS: dict[str, tuple[Callable[[Path], None], Sequence[str]]] = {
    "python": (python, ()),
    "node": (node, ("node", "npm")),
    "go": (go, ("go",)),
    "java": (java, ("javac", "mvn")),
}


def fingerprint(part: str) -> str:
    """Return a digest of all that *part* is built from."""
    digest = hashlib.sha256(sys.version.encode())
    files = [REQUIREMENTS] if part == "python" else sorted((SOURCES / part).rglob("*"))
    for path in files:
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def build(part: str) -> bool:
    """Build *part* unless it stands; return whether it does now."""
    make, programs = PARTS[part]
    absent = [program for program in programs if not shutil.which(program)]
    if absent:
        print(f"clients: {part} is left out, since there is no {' or '.join(absent)}", file=sys.stderr)
        return False
    target, stamp = BUILT / part, BUILT / f"{part}.stamp"
    if stamp.exists() and stamp.read_text() == fingerprint(part):
        return True
    stamp.unlink(missing_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    BUILT.mkdir(parents=True, exist_ok=True)
    print(f"clients: building {part}", file=sys.stderr, flush=True)
    make(target)
    stamp.write_text(fingerprint(part))
    return True


def main() -> int:
    built = [build(part) for part in PARTS]
    return 0 if all(built) or os.environ.get("REQUIRE_ALL") != "1" else 1


if __name__ == "__main__":
    sys.exit(main())

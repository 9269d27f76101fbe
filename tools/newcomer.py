"""The README's two commands as a newcomer gives them, on a machine that has next to nothing. For CI.

A fresh clone, an unprivileged user, and a PATH with Python, git, make and the ordinary small
programs: no compiler, no redis-server, no java, no container engine. Both commands must pass and
leave no process behind. The argument is the Python to use, Debian's own if there is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
USER = 64123  # nobody's number, so that every process of it is ours
PROGRAMS = (
    "sh bash env git make awk sed grep cat ls mkdir rm rmdir cp mv ln touch chmod head tail sort uniq "
    "wc tr cut date uname dirname basename readlink mktemp test true false id kill ps sleep timeout tar gzip"
)


def main() -> int:
    if os.geteuid() != 0:
        print("newcomer: run as root, to become somebody else", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="newcomer-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        clone, path = home / "podmates", home / "bin"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        bare_path(path, sys.argv[1] if len(sys.argv) > 1 else "/usr/bin/python3")
        (home / "tmp").mkdir()
        for part in (home, *home.rglob("*")):
            os.chown(part, USER, USER, follow_symlinks=False)
        environment = {n: v for n, v in os.environ.items() if n not in {"REQUIRE_ALL", "STANDIN", "VENV"}}
        environment |= {
            "PATH": str(path),
            "HOME": str(home),
            "TMPDIR": str(home / "tmp"),
            "PYTEST_ADDOPTS": f"--basetemp={home}/t",  # short: sockets have paths of 107 bytes at most
            "CC": "/nonexistent/cc",
        }
        commands = (["make", "demo"], ["make", "demo"], ["make", "test"])
        failed = [command for command in commands if not passes(command, clone, environment)]
        left = leftovers()
        for line in left:
            print(f"newcomer: left running: {line}", file=sys.stderr)
        for command in failed:
            print(f"newcomer: {' '.join(command)} failed", file=sys.stderr)
    return 1 if failed or left else 0


def bare_path(folder: Path, python: str) -> None:
    """Fill *folder* with links to the few programs that a newcomer's machine has, *python* among them."""
    folder.mkdir()
    for name in PROGRAMS.split():
        if found := shutil.which(name, path="/usr/bin:/bin"):
            (folder / name).symlink_to(found)
    (folder / "python3").symlink_to(python)


def passes(command: list[str], clone: Path, environment: dict[str, str]) -> bool:
    """Run *command* as the newcomer; say how long it took."""
    print(f"--- {' '.join(command)}", flush=True)
    begin = time.monotonic()
    done = subprocess.run(
        command, cwd=clone, env=environment, user=USER, group=USER, extra_groups=[], umask=0o022, check=False
    )
    print(f"--- exit {done.returncode} after {time.monotonic() - begin:.1f} s", flush=True)
    return done.returncode == 0


def leftovers() -> list[str]:
    """Return the processes that the newcomer's commands left, and end them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == USER:
                found.append(f"{process.name} {(process / 'cmdline').read_bytes()[:200]!r}")
                os.kill(int(process.name), 9)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())

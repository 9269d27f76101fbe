"""Programs of others that Go builds from their modules by name, once per machine, into the user's cache."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tools.caches import cache


class Program(NamedTuple):
    """What ``go install`` is told."""

    package: str
    version: str
    tags: str = ""

    @property
    def name(self) -> str:
        return self.package.rpartition("/")[2]


# Prometheus 3.16. Without the discovery of services in clouds, which is two thirds of it.
PROMETHEUS = Program("github.com/prometheus/prometheus/cmd/prometheus", "v0.316.0", "remove_all_sd")
PROMTOOL = PROMETHEUS._replace(package="github.com/prometheus/prometheus/cmd/promtool")
STATSD_EXPORTER = Program("github.com/prometheus/statsd_exporter", "v0.28.0")


def place(program: Program) -> Path:
    """Return where the program is or will be, another place for another version."""
    recipe = hashlib.sha256("\n".join((*program, platform.machine())).encode()).hexdigest()[:12]
    return cache() / f"go-{program.name}-{recipe}" / program.name


def ensure(program: Program) -> bool:
    """Build *program* unless it stands; return whether it does now, and tell the user why it does not."""
    target = place(program)
    if target.exists():
        return True
    go = shutil.which("go")
    if go is None:
        print(f"{program.name} {program.version} is left out, since there is no go", file=sys.stderr)
        return False
    print(f"building {program.name} {program.version}", file=sys.stderr, flush=True)
    target.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=target.parent.name, dir=target.parent.parent) as unfinished:
        tags = [f"-tags={program.tags}"] if program.tags else []
        what = f"{program.package}@{program.version}"
        command = [go, "install", "-trimpath", *tags, "-ldflags=-s -w", what]
        made = subprocess.run(command, env=os.environ | {"GOBIN": unfinished}, check=False)
        if made.returncode == 0:
            target.parent.mkdir(exist_ok=True)
            (Path(unfinished) / program.name).replace(target)
    return made.returncode == 0

"""Build container images: ``python -m tools.image NAME…``, a NAME being a folder of ``images/``.

``STANDIN=1`` builds on stand-ins made from Debian's packages in place of the official images; they are
made if absent. ``podmates/NAME:dev`` is the tag.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from tools import engine, standin, wheelhouse

ROOT = Path(__file__).parents[1]
WHEELS = {  # image: the requirements that it is made of
    "gitsync": ("build", "gitsync"),
    "redis-ambassador": ("build", "redis"),
    "metrics-adapter": ("build", "metrics"),
    "example-app": ("example-app",),
}
BASES = {"example-jvm": {"JDK_IMAGE": "standin-java", "JAVA_IMAGE": "standin-java"}}
VARIANTS = {"gitsync-lfs": ("gitsync", {"EXTRA_PACKAGES": "git-lfs"})}  # name: image, build arguments
PYTHON_BASE = {"PYTHON_IMAGE": "standin-python"}


class BuildError(Exception):
    """An image could not be built."""


def tag(name: str) -> str:
    image, _ = VARIANTS.get(name, (name, {}))
    return f"podmates/{image}:dev{name.removeprefix(image)}"


def names() -> list[str]:
    """Return what can be built, the stand-in base included."""
    made = [path.parent.name for path in ROOT.glob("images/*/Dockerfile")]
    return ["standin-python", *sorted([*made, *VARIANTS])]


def build(name: str, *, on_standin: bool, fresh: bool = False) -> str:
    """Build image *name* with whatever engine answers and return its tag; *fresh* is without the cache.

    Raises:
        BuildError: the build failed; what the engine said last is on standard error.
    """
    if name == "standin-python":
        return standin.ensure()
    if name.startswith("standin-"):
        standin.ensure()
        _run(name, {})
        return tag(name)
    image, more = VARIANTS.get(name, (name, {}))
    for requirements in WHEELS.get(image, ()):
        wheelhouse.fill(requirements)
    arguments = labels() | more
    if on_standin:
        for argument, base in BASES.get(image, PYTHON_BASE).items():
            arguments[argument] = build(base, on_standin=True)
    base_image = arguments.get("PYTHON_IMAGE") or _default_base(image)
    arguments["BASE_DIGEST"] = _digest(base_image) if base_image else "unknown"
    _run(name, arguments, *(["--no-cache"] if fresh else []))
    return tag(name)


def labels() -> dict[str, str]:
    """Return the build arguments behind the OCI labels, from the version and the commit checked out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["podmates"]
    seconds = _git("log", "-1", "--format=%ct")
    created = datetime.fromtimestamp(int(seconds), UTC).isoformat() if seconds else "unknown"
    return {
        "VERSION": project["version"],
        "REVISION": _git("rev-parse", "HEAD") or "unknown",
        "CREATED": created,
    }


def _run(name: str, arguments: dict[str, str], *flags: str) -> None:
    environ = dict(os.environ)
    if subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False).returncode != 0:
        environ["DOCKER_BUILDKIT"] = "0"  # the builder inside the daemon; newer clients do not fall back
    values = [part for pair in arguments.items() for part in ("--build-arg", "=".join(pair))]
    command = ["docker", "build", "--network=host", "-t", tag(name), *flags, *values]
    started = time.monotonic()
    done = subprocess.run(
        [*command, "-f", f"images/{VARIANTS.get(name, (name, {}))[0]}/Dockerfile", "."],
        cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        print("\n".join(done.stdout.decode(errors="replace").splitlines()[-40:]), file=sys.stderr)
        raise BuildError(f"{tag(name)} was not built")
    print(f"built {tag(name)} in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def _default_base(name: str) -> str:
    lines = (ROOT / "images" / name / "Dockerfile").read_text().splitlines()
    return next((line.split("=", 1)[1] for line in lines if line.startswith("ARG PYTHON_IMAGE=")), "")


def _digest(image: str) -> str:
    """Return the digest by which *image* was pulled, else its id, which a local image has instead."""
    shown = subprocess.run(["docker", "image", "inspect", image], capture_output=True, text=True, check=False)
    if shown.returncode != 0:
        return "unknown"
    (described,) = json.loads(shown.stdout)
    pulled = [name.partition("@")[2] for name in described.get("RepoDigests") or []]
    return str((pulled or [described["Id"]])[0])


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def main() -> int:
    unknown = [name for name in sys.argv[1:] if name not in names()]
    if unknown or len(sys.argv) < 2:
        print(f"no image {', '.join(unknown)}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    if not engine.find():
        print("no container engine answers: it comes with the package docker.io", file=sys.stderr)
        return 1
    try:
        for name in sys.argv[1:]:
            build(name, on_standin=os.environ.get("STANDIN") == "1")
    except (BuildError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

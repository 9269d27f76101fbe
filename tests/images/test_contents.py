"""What is in the images, and what is not."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine import attempt, built, docker

ROOT = Path(__file__).parents[2]
SIZES = {  # uncompressed, in 10^6 bytes
    "gitsync": 100,
    "gitsync-lfs": 112,
    "redis-ambassador": 46,
    "metrics-adapter": 58,
    "example-app": 38,
}
OURS = ("gitsync", "redis-ambassador", "metrics-adapter")
USERS = {"gitsync": 65533, "redis-ambassador": 65532, "metrics-adapter": 65532}
SCRIPTS = {
    "gitsync": ("/git-sync", "podmates-gitsync"),
    "redis-ambassador": ("podmates-redis",),
    "metrics-adapter": ("podmates-metrics", "/bin/statsd_exporter"),
}
SHELLS = {"sh", "bash", "dash", "busybox", "zsh"}
NEVER = {"apt", "apt-get", "dpkg", "pip", "pip3", "gcc", "cc", "java", "perl"}
TOOLS = "bash sh cat ls cp rm mkdir sleep grep sed curl git gzip tar ssh ssh-keygen socat basename uname"

pytestmark = pytest.mark.usefixtures("_engine")


@functools.cache
def described(name: str) -> dict[str, Any]:
    (image,) = json.loads(docker("image", "inspect", built(name)))
    return dict(image)


@functools.cache
def files(name: str) -> dict[str, tarfile.TarInfo]:
    """Return every file of image *name* by its path, without a slash in front."""
    container = docker("create", built(name))
    try:
        with tempfile.TemporaryFile() as packed:
            subprocess.run(["docker", "export", container], stdout=packed, check=True, timeout=120)
            packed.seek(0)
            with tarfile.open(fileobj=packed) as tar:
                return {member.name: member for member in tar}
    finally:
        docker("rm", container)


@pytest.mark.parametrize("name", OURS)
def test_the_user_is_a_number_with_a_name(name: str) -> None:
    assert described(name)["Config"]["User"] == f"{USERS[name]}:{USERS[name]}"
    with _opened(name, "etc/passwd") as passwd:
        assert f":x:{USERS[name]}:{USERS[name]}:" in passwd.read()


def test_gitsync_keeps_the_places_of_the_original() -> None:
    config = described("gitsync")["Config"]
    root = files("gitsync")["git"]

    assert {"HOME=/tmp", "GITSYNC_ROOT=/git"} <= set(config["Env"])
    assert config["WorkingDir"] == "/tmp"
    assert config["Entrypoint"] == ["/git-sync"]
    assert (root.uid, root.gid, root.mode & 0o7777) == (65533, 65533, 0o2775)
    assert files("gitsync")["tmp"].mode & 0o7777 == 0o1777
    with _opened("gitsync", "etc/group") as group:
        assert "git-sync:x:65533:\n" in group.read()


@pytest.mark.parametrize("name", SIZES)
def test_the_image_is_small(name: str) -> None:
    assert described(name)["Size"] / 1e6 <= SIZES[name]


@pytest.mark.parametrize("name", OURS)
def test_labels_are_true(name: str) -> None:
    labels = described(name)["Config"]["Labels"]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["podmates"]["version"]
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    base = labels["org.opencontainers.image.base.name"]

    assert labels["org.opencontainers.image.title"] == name
    assert labels["org.opencontainers.image.version"] == version
    assert labels["org.opencontainers.image.revision"] == head.stdout.strip()
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", labels["org.opencontainers.image.created"])
    (image,) = json.loads(docker("image", "inspect", base))
    digest = labels["org.opencontainers.image.base.digest"]
    assert digest == image["Id"] or any(name.endswith(digest) for name in image["RepoDigests"])


@pytest.mark.parametrize(("name", "script"), [(name, s) for name in OURS for s in SCRIPTS[name]])
def test_every_entry_point_says_the_version(name: str, script: str) -> None:
    version = described(name)["Config"]["Labels"]["org.opencontainers.image.version"]
    said = attempt("run", "--rm", "--network=none", f"--entrypoint={script}", built(name), "--version")

    assert said.status == 0, said.output
    assert version in said.output


def test_json_exporters_name_is_kept_for_it() -> None:
    """The adapter tells by its name what it stands in for; which command lines it offers is its affair."""
    assert files("metrics-adapter")["usr/bin/json_exporter"].linkname == "podmates-metrics"


@pytest.mark.parametrize("name", OURS)
def test_no_file_lends_rights_or_can_be_changed_by_others(name: str) -> None:
    regular = {path: member for path, member in files(name).items() if member.isreg()}
    lending = [path for path, member in regular.items() if member.mode & 0o6000]
    open_to_all = [path for path, member in regular.items() if member.mode & 0o002]

    assert lending == []
    assert open_to_all == (["etc/passwd"] if name == "gitsync" else [])  # for --add-user
    assert {member.uid for member in regular.values()} == {0}


@pytest.mark.parametrize("name", OURS)
def test_there_is_no_shell_compiler_or_package_manager(name: str) -> None:
    programs = {Path(path).name for path in files(name) if re.search(r"(^|/)s?bin/", path)}

    assert programs & NEVER == set()
    if name != "gitsync":
        assert programs & SHELLS == set()
        failed = attempt("run", "--rm", "--network=none", "--entrypoint=sh", built(name), "-c", "true")
        assert "executable file not found" in failed.output


def test_gitsync_has_what_hooks_expect() -> None:
    check = f"for tool in {TOOLS}; do command -v $tool >/dev/null || echo $tool; done; git submodule status"
    check += "; git archive --list >/dev/null; ls $(git --exec-path)/git-remote-http >/dev/null"
    check += (
        "; ls $(git --exec-path)/git-remote-https >/dev/null; grep -q BEGIN.CERT $SSL_CERT_FILE || echo none"
    )
    said = attempt(
        "run",
        "--rm",
        "--network=none",
        "--entrypoint=sh",
        built("gitsync"),
        "-c",
        f"cd /git && git init -q && {check}",
    )

    assert said == (0, "", "")


def test_a_variant_has_git_lfs_and_is_otherwise_the_same() -> None:
    command = ("run", "--rm", "--network=none", "--read-only", "--entrypoint=git")
    without, version = attempt(*command, built("gitsync"), "lfs", "version"), built("gitsync-lfs")
    said = attempt(*command, version, "lfs", "version")

    assert version.endswith(":dev-lfs")
    assert without.status != 0
    assert said.status == 0, said.output
    assert "git-lfs/" in said.stdout
    assert described("gitsync-lfs")["Config"]["Entrypoint"] == ["/git-sync"]
    assert {path for path in files("gitsync") if path not in files("gitsync-lfs")} == set()


@pytest.mark.parametrize("name", [*OURS, "example-app"])
def test_only_what_runs_is_there(name: str) -> None:
    idle = [
        path
        for path in files(name)
        if path != "usr/bin/test"  # one of the coreutils
        and re.search(
            r"/(tests?|idlelib|tkinter|ensurepip|pip|setuptools|Cython)(/|$)|\.(h|a|c|pyx|pyi)$", path
        )
    ]

    assert idle == []


@pytest.mark.parametrize("name", OURS)
def test_modules_are_compiled_for_good(name: str) -> None:
    modules = [path for path in files(name) if path.endswith(".py") and "podmates_" not in path]
    ours = [path for path in files(name) if "/podmates_" in path and path.endswith(".py")]
    compiled = [path for path in files(name) if path.endswith(".pyc")]

    assert modules == []
    assert ours
    assert all(_cached(path) in files(name) for path in ours)
    with _opened(name, compiled[0], binary=True) as module:
        assert module.read(8)[4:] == b"\x01\0\0\0"  # by hash, never checked (PEP 552)


@pytest.mark.parametrize("name", [*OURS, "example-app"])
def test_scanners_and_lawyers_find_what_they_need(name: str) -> None:
    records = {Path(path).name for path in files(name) if re.match("var/lib/dpkg/status.d/.", path)}
    notices = {path.split("/")[-2] for path in files(name) if re.match("usr/share/doc/.*/copyright$", path)}
    linked = {
        p.split("/")[-1] for p, m in files(name).items() if p.startswith("usr/share/doc/") and m.issym()
    }

    assert "libc6" in records
    assert records - notices - linked == set()
    assert [
        path for path in files(name) if re.search(r"aiohttp-.*\.dist-info/METADATA", path)
    ] or name == "example-app"


def _cached(path: str) -> str:
    folder, _, module = path.rpartition("/")
    return f"{folder}/__pycache__/{module.removesuffix('.py')}.cpython-313.pyc"


def _opened(name: str, path: str, *, binary: bool = False) -> Any:
    container = docker("create", built(name))
    target = Path(tempfile.mkdtemp()) / "file"
    try:
        docker("cp", f"{container}:/{path}", str(target))
    finally:
        docker("rm", container)
    return target.open("rb" if binary else "r")

"""Assemble a small root file system from what a build stage has installed: ``python3 -m images.rootfs``.

Runs in a build stage on the bare standard library. It copies the interpreter that runs it, the programs
and Debian packages it is told, every shared library that those need, and what a process expects to find
(passwd, nsswitch.conf, CA certificates). The result is all that ``FROM scratch`` plus ``COPY`` needs.

Per Debian package that a file came from, its dpkg record and its copyright file come along, so that
scanners see what is inside and licences are kept. Python modules are compiled with hashes that are never
checked, so that files carry no time; third-party sources are left out, ours stay for readable tracebacks.
"""

from __future__ import annotations

import argparse
import compileall
import glob
import os
import py_compile
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from images.roottree import Tree, matches

# Parts of the standard library that no service imports.
STDLIB_SKIP = (
    "__pycache__",
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "turtle.py",
    "ensurepip",
    "lib2to3",
    "pydoc.py",
    "pydoc_data",
    "venv",
    "doctest.py",
    "curses",
    "dbm",
    "sqlite3",
    "_pyrepl",
    "__phello__*",
    "config-*",
    "site-packages",
    "dist-packages",
    "sitecustomize.py",
    "_test*",
    "_xx*",
    "xx*",
    "_tkinter*",
    "_curses*",
    "readline*",
    "_dbm*",
    "_gdbm*",
    "_sqlite3*",
    "_lsprof*",
    "_ctypes_test*",
    "_remote_debugging*",
    "EXTERNALLY-MANAGED",
)
# Not needed to run what pip has installed. jmxquery's jar would need a java.
SITE_SKIP = (
    "__pycache__",
    "bin",
    "test",
    "tests",
    "testing",
    "*.pyx",
    "*.pxd",
    "*.pxi",
    "*.c",
    "*.h",
    "*.pyi",
    "py.typed",
    "*.jar",
    "RECORD",
    "INSTALLER",
    "REQUESTED",
    "direct_url.json",
)
PACKAGE_SKIP = (
    "/usr/share/*",
    "/etc/*",
    "/var/*",
    "/lib/systemd/*",
    "/usr/lib/systemd/*",
    "*.pl",
    "*/git-core/mergetools/*",
    "*/git-shell",
    "*/scalar",
    "*/ssh-keyscan",
    "*/ssh-keysign",
    "/usr/bin/pinky",
    "/usr/bin/users",
    "/usr/bin/who",
    "*/git-cvs*",
    "*/git-daemon",
    "*/git-http-backend",
    "*/git-http-push",
    "*/git-imap-send",
)
OURS = "podmates_"

PASSWD = "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"
LAUNCHER = """#!{python} -I
import sys
from {module} import {function}
sys.exit({function}())
"""


def add_python(tree: Tree) -> None:
    """Add the running interpreter as ``python3`` and its standard library, compiled."""
    program = os.path.realpath(sys.executable)
    tree.copy(program)
    link = tree.at(os.path.join(os.path.dirname(program), "python3"))
    if not os.path.lexists(link):
        link.symlink_to(os.path.basename(program))
    library = sysconfig.get_path("stdlib")
    tree.copy_tree(library, library, STDLIB_SKIP)
    _compile(tree, library, keep_sources=False)


def add_site(tree: Tree, source: str) -> None:
    """Add what pip has put into *source* to the interpreter's own site packages, compiled."""
    target = site.getsitepackages()[0]
    tree.copy_tree(source, target, SITE_SKIP)
    for name in sorted(os.listdir(tree.at(target))):
        if tree.at(f"{target}/{name}").is_dir():
            _compile(tree, f"{target}/{name}", keep_sources=name.startswith(OURS))
    for module in tree.at(target).glob("*.py"):
        _compile_file(tree, module, keep_sources=False)


def _compile(tree: Tree, folder: str, *, keep_sources: bool) -> None:
    for module in tree.at(folder).rglob("*.py"):
        _compile_file(tree, module, keep_sources=keep_sources)


def _compile_file(tree: Tree, module: Path, *, keep_sources: bool) -> None:
    if module.is_symlink():  # a second name of a module, which Debian keeps for its packaging
        module.unlink()
        return
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_file(
        module, quiet=1, force=True, legacy=not keep_sources, stripdir=str(tree.at("/")), prependdir="/",
        invalidation_mode=mode,
    )  # fmt: skip
    if not keep_sources and module.with_suffix(".pyc").exists():
        module.unlink()


def add_package(tree: Tree, package: str) -> None:
    """Add the programs and libraries of an installed Debian *package*, without its documentation."""
    listed = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True, check=True)
    for path in listed.stdout.splitlines():
        if os.path.isfile(path) and not matches(path, PACKAGE_SKIP) and not _is_perl(path):
            tree.copy(path)


def _is_perl(path: str) -> bool:
    with open(path, "rb") as file:
        return b"perl" in file.readline(64)


def add_command(tree: Tree, command: str) -> None:
    """Add ``NAME=MODULE:FUNCTION`` as a program that no variable of the environment can divert."""
    name, _, place = command.partition("=")
    module, _, function = place.partition(":")
    python = os.path.join(os.path.dirname(os.path.realpath(sys.executable)), "python3")
    tree.write(f"/usr/bin/{name}", LAUNCHER.format(python=python, module=module, function=function), 0o755)


def add_base(tree: Tree) -> None:
    """Add what a process expects of any system, but for its user."""
    tree.write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    for path in ("/etc/os-release", "/etc/debian_version", "/etc/ssl/certs/ca-certificates.crt"):
        tree.copy(path)
    for path, mode in {"/tmp": 0o1777, "/root": 0o700, "/run": 0o755}.items():
        tree.folder(path)
        tree.at(path).chmod(mode)
    # Libraries outside the default folders (/usr/local/lib of the official Python images) are found by
    # this cache, without ldconfig in the image.
    for path in ["/etc/ld.so.conf", *glob.glob("/etc/ld.so.conf.d/*.conf")]:
        tree.copy(path)
    subprocess.run(["/sbin/ldconfig", "-r", str(tree.at("/"))], stderr=subprocess.DEVNULL, check=True)
    shutil.rmtree(tree.at("/var/cache/ldconfig"), ignore_errors=True)


def add_user(tree: Tree, user: str, passwd_mode: int) -> None:
    """Add the user and group ``NAME:ID:HOME`` beside root and nobody."""
    name, number, home = user.split(":")
    entry = f"{name}:x:{number}:{number}:{name}:{home}:/sbin/nologin\n"
    tree.write("/etc/passwd", PASSWD + entry, passwd_mode)
    tree.write("/etc/group", f"root:x:0:\nnobody:x:65534:\n{name}:x:{number}:\n")


def add_folder(tree: Tree, spec: str) -> None:
    """Add ``PATH:ID:MODE``, a folder of the user and group *ID*."""
    path, number, mode = spec.split(":")
    tree.folder(path)
    os.chown(tree.at(path), int(number), int(number))
    tree.at(path).chmod(int(mode, 8))


def add_link(tree: Tree, spec: str) -> None:
    path, _, target = spec.partition(":")
    tree.folder(os.path.dirname(path))
    tree.at(path).symlink_to(target)


def clamp_times(out: Path) -> None:
    """Give every file the time SOURCE_DATE_EPOCH, so that two builds give the same bytes."""
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    for path in [out, *out.rglob("*")]:
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def add_each(tree: Tree, given: argparse.Namespace, adders: dict[str, Callable[[Tree, str], None]]) -> None:
    """Call each adder with every value of the flag of its name."""
    for name, add in adders.items():
        for value in getattr(given, name):
            add(tree, value)


def main() -> None:
    parser = argparse.ArgumentParser(description="Assemble a small root file system.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--under", type=Path, help="an assembled tree that this one will lie over")
    parser.add_argument("--python", action="store_true", help="the interpreter and what any process expects")
    parser.add_argument("--site", help="a folder that pip has installed into")
    for name in ("package", "command", "folder", "link"):
        parser.add_argument(f"--{name}", action="append", default=[])
    parser.add_argument("--user", help="NAME:ID:HOME")
    parser.add_argument("--passwd-mode", type=lambda text: int(text, 8), default=0o644)
    given = parser.parse_args()
    tree = Tree(given.out.absolute(), given.under)
    if given.python:
        add_python(tree)
    if given.site:
        add_site(tree, given.site)
    add_each(tree, given, {"package": add_package, "command": add_command})
    tree.add_libraries()
    tree.add_package_records()
    if given.python:
        add_base(tree)
    if given.user:
        add_user(tree, given.user, given.passwd_mode)
    add_each(tree, given, {"folder": add_folder, "link": add_link})
    clamp_times(given.out)


if __name__ == "__main__":
    main()

"""A root file system in the making: files come with the libraries, links and notices that they need.

Runs in a build stage on the bare standard library.
"""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

DLOPENED = ("libgcc_s.so.1",)  # by the C library, when a thread is cancelled; ldd does not say so


class Tree:
    """The file system being assembled in *out*; what *under* has already is not copied again."""

    def __init__(self, out: Path, under: Path | None) -> None:
        self._out, self._under = out, under
        self._sources: set[str] = set()
        self._binaries: list[str] = []
        self._programs: dict[bytes, str] = {}  # digest of the content: its first path
        out.mkdir(parents=True, exist_ok=True)
        for name in ("bin", "sbin", "lib", "lib64"):  # or /lib would become a folder of its own
            if Path("/", name).is_symlink() and not os.path.lexists(out / name):
                target = os.readlink(f"/{name}")
                (out / name).symlink_to(target)
                (out / target.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def at(self, path: str) -> Path:
        """Return where *path* of the finished image lies now."""
        return self._out / path.lstrip("/")

    def copy(self, source: str, target: str = "") -> None:
        """Copy one file, or a symbolic link together with what it names."""
        target = target or source
        if self._has(target):
            return
        self.folder(os.path.dirname(target))
        if self._has(target):  # by another way, through a link among its folders
            return
        self._sources.add(source)
        if os.path.islink(source):
            self.at(target).symlink_to(os.readlink(source))
            real = os.path.realpath(source)
            if os.path.isfile(real):
                self.copy(real)
            return
        content = Path(source).read_bytes()
        program = content.startswith(b"\x7fELF")
        if program:  # the same program under a second name, as git has it, becomes a link to the first
            first = self._programs.setdefault(hashlib.sha256(content).digest(), target)
            if first != target:
                self.at(target).symlink_to(os.path.relpath(first, os.path.dirname(target)))
                return
            self._binaries.append(source)
        self.at(target).write_bytes(content)
        self.at(target).chmod(os.stat(source).st_mode & 0o755)  # no setuid, nothing writable by others
        if program:
            command = ["strip", "--strip-unneeded", str(self.at(target))]
            subprocess.run(command, stderr=subprocess.DEVNULL, check=False)

    def copy_tree(self, source: str, target: str, skip: Iterable[str]) -> None:
        """Copy the files below *source* but for those whose name, or a folder's name, is in *skip*."""
        for path in _files(source, list(skip)):
            self.copy(os.path.join(source, path), os.path.join(target, path))

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        self.folder(os.path.dirname(path))
        self.at(path).write_text(text)
        self.at(path).chmod(mode)

    def folder(self, path: str) -> None:
        """Make a folder and those above it; what is a link here is a link there."""
        walked = ""
        for part in path.strip("/").split("/"):
            walked += f"/{part}"
            if os.path.lexists(self.at(walked)):
                continue
            if os.path.islink(walked):
                self.copy(walked)
                self.folder(os.path.realpath(walked))
            else:
                self.at(walked).mkdir(mode=0o755)

    def add_libraries(self) -> None:
        """Copy the shared libraries of every program so far, and theirs."""
        for name in DLOPENED:
            for library in glob.glob(f"/usr/lib/*/{name}"):
                self.copy(library)
        done = 0
        while done < len(self._binaries):
            for library in _libraries(self._binaries[done]):
                self.copy(library)
            done += 1

    def add_package_records(self) -> None:
        """Write the dpkg record and the copyright file of each package that a copied file came from."""
        owners = _package_owners()
        aliases = {source: {source, os.path.realpath(source)} for source in self._sources}
        found = {
            owners[unmerged]
            for names in aliases.values()
            for name in names
            for unmerged in (name, re.sub("^/usr/(?=lib|bin|sbin)", "/", name), f"/usr{name}")
            if unmerged in owners
        }
        for package in sorted(found):
            record = subprocess.run(["dpkg-query", "-s", package], capture_output=True, text=True, check=True)
            self.write(f"/var/lib/dpkg/status.d/{package}", record.stdout)
            notice = f"/usr/share/doc/{package}/copyright"
            if os.path.exists(notice):
                self.write(notice, Path(os.path.realpath(notice)).read_text(errors="replace"))

    def _has(self, path: str) -> bool:
        if os.path.lexists(self.at(path)):
            return True
        return self._under is not None and os.path.lexists(self._under / path.lstrip("/"))


def matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _files(source: str, skip: list[str]) -> Iterator[str]:
    for here, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if not matches(name, skip))
        for name in sorted(names):
            if not matches(name, skip):
                yield os.path.relpath(os.path.join(here, name), source)


def _libraries(program: str) -> list[str]:
    text = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    if "not found" in text:
        raise SystemExit(f"{program} lacks a library:\n{text}")
    return re.findall(r"(?:=> |^\s*)(/\S+) \(0x", text, re.MULTILINE)


def _package_owners() -> dict[str, str]:
    owners: dict[str, str] = {}
    for listing in glob.glob("/var/lib/dpkg/info/*.list"):
        package = os.path.basename(listing).removesuffix(".list").split(":")[0]
        owners.update(dict.fromkeys(Path(listing).read_text().splitlines(), package))
    return owners

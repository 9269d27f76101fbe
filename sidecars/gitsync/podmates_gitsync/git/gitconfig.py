"""git's configuration, private to us: the user's and the machine's never apply."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from podmates_gitsync.git.configpairs import HIDDEN, Place, merged, parse, shown
from podmates_gitsync.settings import Settings

_PREFIX = "git-sync.gitconfig."

# A root or a file:// repository owned by another user is the rule in a pod, not an attack.
DEFAULTS = (
    ("gc.autoDetach", "false"),
    ("gc.pruneExpire", "now"),
    ("core.askPass", "true"),
    ("safe.directory", "*"),
)


def chosen(settings: Settings) -> list[tuple[str, str]]:
    """Return what the user adds to the defaults, in order.

    Each ``--git-config-add`` is read alone, so that one with a fault at its end does not swallow the next.

    Raises:
        ConfigPairError: it is not of the grammar, or git would refuse a key.
    """
    pairs = [pair for text in (settings.git_config, *settings.git_config_add) for pair in parse(text)]
    merged(pairs)
    return [(key, value) for key, value in pairs]


def secrets(settings: Settings) -> list[str]:
    """Return the values of `chosen` that no log may show.

    Raises:
        ConfigPairError
    """
    return [value for key, value in chosen(settings) if shown(key, value) == HIDDEN]


def render(values: Iterable[tuple[str, str]]) -> str:
    """Return the text of a configuration file; of a repeated key the last value counts.

    Raises:
        ConfigPairError: git would refuse a key.
    """
    return "".join(
        f"[{_head(place)}]\n\t{place.name} = {_quoted(value)}\n" for place, value in merged(values).items()
    )


def _head(place: Place) -> str:
    if place.subsection is None:
        return place.section
    escaped = place.subsection.replace("\\", "\\\\").replace('"', '\\"')
    return f'{place.section} "{escaped}"'


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


class PrivateConfig:
    """A file that git is pointed at; in memory where there is no writable directory for it.

    It may hold a token for an HTTP header, so it is locked as long as we live, and whoever starts next
    removes those that nobody holds.
    """

    def __init__(self, text: str) -> None:
        self._file: Path | None = None
        data = text.encode("utf-8", "surrogateescape")
        try:
            self._descriptor, self._file = _locked_file()
            self.path = str(self._file)
        except OSError:
            self._descriptor = os.memfd_create("git-sync.gitconfig")
            self.path = f"/proc/{os.getpid()}/fd/{self._descriptor}"
        os.write(self._descriptor, data)

    def remove(self) -> None:
        """Remove the file; harmless when it is gone."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.unlink()


def _locked_file() -> tuple[int, Path]:
    place = Path(tempfile.gettempdir())
    for other in place.glob(f"{_PREFIX}*"):
        _sweep(other)
    while True:
        descriptor, name = tempfile.mkstemp(prefix=_PREFIX, dir=place)
        with contextlib.suppress(OSError):  # a file system without locks: then nobody sweeps either
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.stat(name).st_ino == os.fstat(descriptor).st_ino:
                return descriptor, Path(name)
        os.close(descriptor)  # somebody swept it before it was locked


def _sweep(file: Path) -> None:
    """Remove the file of one of us that was killed."""
    with contextlib.suppress(OSError):
        descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.unlink()
        finally:
            os.close(descriptor)


def additions(path: str, ssh_command: str) -> dict[str, str]:
    """Return the variables that git and the hooks get."""
    return {"GIT_CONFIG_GLOBAL": path, "GIT_CONFIG_NOSYSTEM": "true", "GIT_SSH_COMMAND": ssh_command}

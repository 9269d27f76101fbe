"""git's credential cache, served by us: ``git credential-cache`` talks to this instead of to a daemon.

So there is no process that outlives us with the passwords in it, however we end, and we know which ones a
git has dropped. The protocol is that of ``git credential-cache--daemon``: over a socket that only our user
can reach, ``action=…`` and ``timeout=…``, then the lines of git-credential(1) up to an empty one.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from podmates_gitsync import threads
from podmates_gitsync.files.ours import ours

TIMEOUT = 3600  # seconds that git keeps a password by default, and git-sync
_LARGEST = 1 << 20  # bytes of a request
_PATIENCE = 30.0  # seconds for a git to say what it wants
_DIGITS = 9  # of a timeout, thirty years
_ABANDONED = 60.0  # seconds after which a folder without a socket is one that nobody will listen in
_BREATH = 0.1  # seconds to wait when there is no descriptor or no thread for a connection
_WANTED = ("protocol", "host", "path", "username")
_TOLD = ("username", "password", "password_expiry_utc", "oauth_refresh_token")
_NAME = "socket"

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Held:
    fields: Fields
    expires: float  # on the monotonic clock


class Passwords:
    """What the cache holds, and what a request does to it; safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._held: list[_Held] = []

    def answer(self, request: str) -> str:
        """Return what a client gets for *request*; nothing for one that makes no sense."""
        fields: dict[str, str] = {}
        for line in request.split("\n"):
            name, equals, value = line.partition("=")
            if not equals:
                break  # an empty line ends the description
            fields[name] = value
        action, timeout = fields.pop("action", ""), fields.pop("timeout", "")
        if action == "get":
            found = self.find(fields)
            return "".join(f"{name}={found[name]}\n" for name in _TOLD if name in found) if found else ""
        if action == "store" and timeout.isdecimal() and {"username", "password"} <= fields.keys():
            self._store(fields, int(timeout[:_DIGITS]))
        elif action in {"erase", "exit"}:
            self._erase(fields if action == "erase" else {})
        return ""

    def find(self, wanted: Fields) -> Fields | None:
        """Return the first one that is as *wanted*: each field that both have a say in must be the same."""
        with self._lock:
            now = self._clock()
            self._held = [held for held in self._held if held.expires > now]
            return next((held.fields for held in self._held if _matches(wanted, held.fields)), None)

    def _store(self, fields: Fields, timeout: int) -> None:
        with self._lock:
            self._held = [held for held in self._held if not _matches(fields, held.fields)]
            self._held.append(_Held(fields, self._clock() + timeout))

    def _erase(self, fields: Fields) -> None:
        """Drop what matches, unless its password is another one by now."""
        given = fields.get("password")
        with self._lock:
            self._held = [
                held
                for held in self._held
                if not _matches(fields, held.fields)
                or (given is not None and held.fields["password"] != given)
            ]


def _matches(wanted: Fields, held: Fields) -> bool:
    return all(held.get(name) == wanted[name] for name in _WANTED if name in wanted)


class Cache:
    """`Passwords` behind a socket in a folder that is for our user only.

    Attributes:
        passwords: what is held now.
        helper: the value for git's `credential.helper`.
    """

    def __init__(self, root: Path) -> None:
        """Listen in the temporary directory, or below *root* when that cannot be written to.

        Raises:
            OSError: neither can.
        """
        self.passwords = Passwords()
        self._folder, self._closed = _private_folder(root), False
        self.helper = f"cache --timeout {TIMEOUT} --socket {shlex.quote(f'{self._folder}/{_NAME}')}"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._listen()
            threads.start(self._serve, name="credentials")
        except OSError:
            self.close()
            raise

    def _listen(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # By the descriptor, because the name of a socket may have 107 bytes only.
            self._listener.bind(f"/proc/self/fd/{descriptor}/new")
            self._listener.listen(64)
            os.rename("new", _NAME, src_dir_fd=descriptor, dst_dir_fd=descriptor)  # see `_sweep`
        finally:
            os.close(descriptor)

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                if self._closed:
                    return
                time.sleep(_BREATH)
                continue
            try:
                threads.start(self._converse, line, name="credential")
            except OSError:
                line.close()
                time.sleep(_BREATH)

    def _converse(self, line: socket.socket) -> None:
        with line, contextlib.suppress(OSError):
            line.settimeout(_PATIENCE)
            request = _read(line)
            line.sendall(self.passwords.answer(request).encode("utf-8", "surrogateescape"))

    def close(self) -> None:
        """Forget everything and remove the socket."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        self.passwords.answer("action=exit")
        shutil.rmtree(self._folder, ignore_errors=True)


def _read(line: socket.socket) -> str:
    """Return what comes up to an empty line or the end."""
    data = bytearray()
    while len(data) <= _LARGEST and b"\n\n" not in data:
        part = line.recv(65536)
        if not part:
            break
        data += part
    return data.decode("utf-8", "surrogateescape")


def _private_folder(root: Path) -> Path:
    try:
        return _made(Path(tempfile.gettempdir()), "git-sync.credential.")
    except OSError:
        folder = ours(root)
        folder.mkdir(parents=True, exist_ok=True)
        return _made(folder, "credential.")


def _made(place: Path, prefix: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    for other in place.glob(f"{prefix}*"):
        _sweep(other)
    return folder


def _sweep(folder: Path) -> None:
    """Remove what one of us that was killed left: a socket, named once it is listened to, of nobody."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            line.settimeout(_BREATH)
            line.connect(f"/proc/self/fd/{descriptor}/{_NAME}")
        except ConnectionRefusedError:
            shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError:  # somebody may be about to listen
            if time.time() - os.fstat(descriptor).st_mtime > _ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)

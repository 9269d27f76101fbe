"""git's credential cache as we serve it: what is stored is found, dropped and forgotten as by git's own."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from podmates_gitsync.auth.cache import Cache, Passwords
from tests.support.thread_limit import no_more_threads


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def lines(**fields: str) -> str:
    return "".join(f"{name}={value}\n" for name, value in fields.items()) + "\n"


def store(user: str, password: str, host: str = "h", timeout: str = "3600", **more: str) -> str:
    fields = {"protocol": "https", "host": host, **more, "username": user, "password": password}
    return lines(action="store", timeout=timeout, **fields)


def get(host: str = "h", **more: str) -> str:
    return lines(action="get", timeout="3600", protocol="https", host=host, **more)


FOUND = "username=u\npassword=p=1\n"


@pytest.mark.parametrize(
    ("before", "question", "expected"),
    [
        ([], get(), ""),
        ([store("u", "p=1")], get(), FOUND),
        ([store("u", "p=1")], get("other"), ""),
        ([store("u", "p=1")], get(username="u"), FOUND),
        ([store("u", "p=1")], get(username="v"), ""),
        ([store("u", "p=1"), store("v", "q")], get(), FOUND),
        ([store("v", "q"), store("u", "p=1")], get(username="u"), FOUND),
        ([store("u", "old"), store("u", "p=1")], get(), FOUND),
        ([store("u", "p=1"), store("u", "q", "other")], get(), FOUND),
        ([store("u", "p=1", path="a")], get(), FOUND),
        ([store("u", "p=1", path="a")], get(path="b"), ""),
        ([store("u", "p=1")], get(path="b"), ""),
        ([store("u", "p=1", password_expiry_utc="9")], get(), FOUND + "password_expiry_utc=9\n"),
        ([store("u", "p=1", **{"capability[]": "authtype"})], get(), FOUND),
        ([store("u", "p=1", timeout="x")], get(), ""),
        ([store("u", "p=1", timeout="")], get(), ""),
        ([lines(action="store", timeout="9", protocol="https", host="h", username="u")], get(), ""),
        ([store("u", "p=1"), lines(action="erase", timeout="9", protocol="https", host="h")], get(), ""),
        ([store("u", "p=1"), lines(action="erase", host="other")], get(), FOUND),
        ([store("u", "p=1"), lines(action="erase", host="h", username="u", password="p=1")], get(), ""),
        ([store("u", "p=1"), lines(action="erase", host="h", username="u", password="old")], get(), FOUND),
        ([store("u", "p=1"), "action=exit\ntimeout=0\n"], get(), ""),
        ([store("u", "p=1"), "nonsense", "", "action=whatever\n\n"], get(), FOUND),
        ([store("u", "p=1")], get().rstrip("\n"), FOUND),
        ([store("u", "p=1")], get() + "host=other\n", FOUND),
    ],
)  # fmt: skip
def test_requests_do_what_they_do_to_gits_own_daemon(before: list[str], question: str, expected: str) -> None:
    passwords = Passwords()
    for request in before:
        assert passwords.answer(request) == ""

    assert passwords.answer(question) == expected


def test_what_is_stored_is_forgotten_after_its_time() -> None:
    clock = Clock()
    passwords = Passwords(clock)
    passwords.answer(store("u", "p=1", timeout="60"))

    clock.now += 59.9
    assert passwords.answer(get()) == FOUND
    clock.now += 0.1
    assert passwords.answer(get()) == ""


def ask(path: str, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(60)
        line.connect(path)
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(4096), b""))


def test_the_socket_is_for_our_user_only_and_goes_with_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cache = Cache(tmp_path / "root")
    (folder,) = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert str(folder / "socket") in cache.helper
    descriptor = os.open(folder, os.O_RDONLY)
    path = f"/proc/self/fd/{descriptor}/socket"

    assert ask(path, store("ü", "\udcff").encode("utf-8", "surrogateescape")) == b""
    assert ask(path, get().encode()) == "username=ü\npassword=".encode() + b"\xff\n"
    cache.close()

    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match=r"No such file|refused"):
        ask(path, b"")
    os.close(descriptor)


def test_a_client_that_says_nothing_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", ".")
    cache = Cache(tmp_path)
    (folder,) = tmp_path.iterdir()
    path = f"{folder.name}/socket"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(path)

        assert ask(path, store("u", "p=1").encode()) == b""
        assert ask(path, get().encode()) == FOUND.encode()
    cache.close()


def test_a_client_for_whom_there_is_no_thread_does_not_end_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", ".")
    cache = Cache(tmp_path)
    (folder,) = tmp_path.iterdir()
    path = f"{folder.name}/socket"
    with no_more_threads(), contextlib.suppress(ConnectionError):
        assert ask(path, get().encode()) == b""

    assert ask(path, store("u", "p=1").encode()) == b""
    assert ask(path, get().encode()) == FOUND.encode()
    cache.close()


def test_no_room_for_its_thread_is_no_place_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with no_more_threads(), pytest.raises(OSError, match="can't start new thread"):
        Cache(tmp_path / "root")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory with room for a socket's name behind its own, which pytest's does not always leave."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_a_place_that_cannot_be_listened_in_is_left_as_it_was(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(short))

    def fail(*_: object, **__: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(OSError, match="no room"):
        Cache(short)
    assert list(short.iterdir()) == []


def test_a_time_without_end_is_one_of_thirty_years() -> None:
    passwords = Passwords(lambda: 0.0)
    passwords.answer(f"action=store\ntimeout={'9' * 5000}\nprotocol=https\nhost=h\nusername=u\npassword=p\n")
    assert passwords.find({"protocol": "https", "host": "h"}) is not None


def test_what_a_killed_one_left_goes_and_nothing_else(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(short)
    monkeypatch.setattr("tempfile.tempdir", ".")
    living = Cache(short)
    dead, unborn, foreign = (Path(f"git-sync.{name}") for name in ("credential.x", "credential.y", "other"))
    stillborn = Path("git-sync.credential.s")
    for folder in (dead, unborn, foreign, stillborn):
        folder.mkdir()
    os.utime(stillborn, (0, 0))
    for folder in (dead, foreign):
        with socket.socket(socket.AF_UNIX) as line:
            line.bind(f"{folder}/socket")
            line.listen()
    Path("git-sync.credential.z").symlink_to("git-sync.other")

    newer = Cache(short)

    assert not dead.exists()
    assert not stillborn.exists()
    assert unborn.exists()
    assert Path("git-sync.credential.z/socket").exists()
    for cache in (living, newer):
        path = cache.helper.rpartition(" ")[2]
        assert ask(path, store("u", "p=1").encode()) == b""
        cache.close()


def test_without_a_writable_temporary_directory_it_is_below_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    cache = Cache(tmp_path / "root")

    assert f"--socket {tmp_path}/root/.git/podmates/credential." in cache.helper
    cache.close()
    assert list((tmp_path / "root" / ".git" / "podmates").iterdir()) == []

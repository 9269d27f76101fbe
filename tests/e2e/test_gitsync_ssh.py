"""Over ssh, against a real sshd: keys in order, hosts known or not, both forms of URL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync
from tests.support.sshd import Sshd, fingerprint, keypair

PLACES = {"plain": "secret", "space": "a secret", "quote": 'it\'s "secret"'}


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("sshd") / "server") as running:
        yield running


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    repository = Repository(tmp_path_factory.mktemp("upstream"))
    repository.commit({"a": "1"})
    return repository


class Secrets:
    """What is mounted for ssh: a key that is let in, and the keys of known hosts."""

    def __init__(self, folder: Path, sshd: Sshd) -> None:
        self.key, self.known_hosts = folder / "ssh", folder / "known_hosts"
        sshd.authorize(keypair(self.key))
        self.known_hosts.write_text(sshd.known_hosts)

    @property
    def flags(self) -> list[str]:
        return [f"--ssh-key-file={self.key}", f"--ssh-known-hosts-file={self.known_hosts}", "--one-time"]


def failure(process: Gitsync) -> str:
    """Return git's words, once it has ended with 1."""
    assert process.wait(60) == 1
    return str(process.messages()[-1]["error"])


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_a_key_and_a_known_host_are_enough(
    tmp_path: Path, sshd: Sshd, upstream: Repository, place: str
) -> None:
    secrets = Secrets(tmp_path / place, sshd)
    with Gitsync(tmp_path, sshd.url(upstream.bare), *secrets.flags) as process:
        assert process.wait(60) == 0, process.output
        assert process.published() == upstream.head()


def test_keys_are_offered_in_order_and_one_that_is_missing_is_passed_over(
    tmp_path: Path, sshd: Sshd, upstream: Repository
) -> None:
    secrets = Secrets(tmp_path / "secret", sshd)
    stranger, missing = tmp_path / "stranger", tmp_path / "missing"
    keypair(stranger)
    before = len(sshd.tried())
    flags = [f"--ssh-key-file={missing}", f"--ssh-key-file={stranger}", *secrets.flags]
    with Gitsync(tmp_path, sshd.url(upstream.bare), *flags) as process:
        assert process.wait(60) == 0, process.output

    offered = list(dict.fromkeys(sshd.tried()[before:]))
    assert offered == [fingerprint(stranger), fingerprint(secrets.key)]


def test_keys_in_the_variable_are_a_path_list(tmp_path: Path, sshd: Sshd, upstream: Repository) -> None:
    secrets = Secrets(tmp_path / "secret", sshd)
    env = {"GIT_SSH_KEY_FILE": f"{tmp_path}/missing:{secrets.key}"}
    flags = [flag for flag in secrets.flags if "key-file" not in flag]
    with Gitsync(tmp_path, sshd.url(upstream.bare), *flags, env=env) as process:
        assert process.wait(60) == 0, process.output


def test_a_key_that_is_not_let_in_fails_without_asking_anybody(
    tmp_path: Path, sshd: Sshd, upstream: Repository
) -> None:
    secrets = Secrets(tmp_path / "secret", sshd)
    stranger = tmp_path / "stranger"
    keypair(stranger)
    flags = [f"--ssh-key-file={stranger}", *secrets.flags[1:]]
    with Gitsync(tmp_path, sshd.url(upstream.bare), *flags) as process:
        assert "Permission denied (publickey)" in failure(process)


@pytest.mark.parametrize("known", ["another key", "nothing", "no file"])
def test_a_host_must_be_known_unless_that_is_off(
    tmp_path: Path, sshd: Sshd, upstream: Repository, known: str
) -> None:
    secrets = Secrets(tmp_path / "secret", sshd)
    secrets.known_hosts.unlink()
    if known != "no file":
        line = f"[127.0.0.1]:{sshd.port} {keypair(tmp_path / 'other')}\n"
        secrets.known_hosts.write_text(line if known == "another key" else "")

    with Gitsync(tmp_path, sshd.url(upstream.bare), *secrets.flags) as process:
        assert "Host key verification failed" in failure(process)
    if known == "another key":
        flags = [*secrets.flags, "--ssh-known-hosts=false"]
        with Gitsync(tmp_path, sshd.url(upstream.bare), *flags) as process:
            assert process.wait(60) == 0, process.output


def test_the_users_own_ssh_command_comes_first_and_the_scp_form_works(
    tmp_path: Path, sshd: Sshd, upstream: Repository
) -> None:
    secrets = Secrets(tmp_path / "secret", sshd)
    config = tmp_path / "my config"
    config.write_text(
        f"Host alias\n  HostName 127.0.0.1\n  Port {sshd.port}\n  User {sshd.user}\n  HostKeyAlias here\n"
    )
    secrets.known_hosts.write_text(sshd.known_hosts.replace(f"[127.0.0.1]:{sshd.port}", "here"))
    env = {"GIT_SSH_COMMAND": f'ssh -F "{config}"'}
    with Gitsync(tmp_path, f"alias:{upstream.bare}", *secrets.flags, env=env) as process:
        assert process.wait(60) == 0, process.output
        assert process.published() == upstream.head()


def test_from_verbosity_5_on_ssh_tells_more(tmp_path: Path, sshd: Sshd, upstream: Repository) -> None:
    secrets = Secrets(tmp_path / "secret", sshd)
    with Gitsync(tmp_path, sshd.url(upstream.bare), *secrets.flags, "-v6") as process:
        assert process.wait(60) == 0, process.output
        assert "debug1: Authenticat" in process.output
        assert "debug2: " not in process.output

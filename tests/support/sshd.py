"""A real sshd on loopback, for the user who runs the tests, with keys of its own."""

from __future__ import annotations

import os
import pwd
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.ports import free_port
from tests.support.processes import Process, run
from tests.support.programs import lack, need
from tests.support.waiting import until

_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
LogLevel VERBOSE
"""


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        lack(f"ssh and sshd need an entry in /etc/passwd for the user {os.getuid()}")


class Sshd(Process):
    """Lets in whoever has a key that `authorize` was told of; use it as a context manager.

    Attributes:
        port: where it listens.
        user: whom it lets in as.
        known_hosts: a line for the file of that name.
    """

    def __init__(self, folder: Path) -> None:
        program = need("sshd", "openssh-server")
        folder.mkdir(parents=True)
        if os.getuid() == 0:  # it insists on this empty directory
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.folder, self.port, self.user = folder, free_port(), _user()
        host = keypair(folder / "host")
        self.known_hosts = f"[127.0.0.1]:{self.port} {host}\n"
        (folder / "authorized").touch()
        (folder / "config").write_text(_CONFIG.format(port=self.port, folder=folder))
        super().__init__([program, "-D", "-e", "-f", str(folder / "config")])
        until(self._listens, 60, "sshd to listen", ignoring=(OSError,))

    def _listens(self) -> bool:
        assert self.returncode is None, self.output
        with socket.create_connection(("127.0.0.1", self.port), 5):
            return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def url(self, path: Path) -> str:
        return f"ssh://{self.user}@127.0.0.1:{self.port}{path}"

    def authorize(self, public: str) -> None:
        """Let in the owner of the key whose public half is *public*."""
        with (self.folder / "authorized").open("a") as file:
            file.write(f"{public}\n")

    def tried(self) -> list[str]:
        """Return the fingerprints of the keys that were offered, in order, once per try."""
        lines = [line for line in self.stderr.splitlines() if "publickey" in line and "SHA256:" in line]
        return [line.rpartition("SHA256:")[2].split()[0] for line in lines]


def keypair(path: Path) -> str:
    """Make a key without a passphrase and return its public half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    words = [need("ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    assert run(words).status == 0
    return path.with_name(path.name + ".pub").read_text().strip()


def fingerprint(path: Path) -> str:
    """Return what sshd calls a key in its log."""
    return (
        run([need("ssh-keygen", "openssh-client"), "-lf", str(path)])
        .stdout.split()[1]
        .removeprefix("SHA256:")
    )

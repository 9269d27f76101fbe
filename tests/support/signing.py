"""Keys of ssh for a test, and commits and tags signed with them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.git_repo import Repository
from tests.support.programs import need

SIGNER = "dev@example.com"


class Key:
    """A key pair in *folder*, called *name*.

    Attributes:
        path: of the private half.
        public: the public half, as a line of an allowed signers file has it.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / name
        words = ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.path)]
        subprocess.run([need("ssh-keygen", "openssh-client"), *words], check=True, timeout=60)
        self.public = " ".join((folder / f"{name}.pub").read_text().split()[:2])

    def allowed(self, options: str = "") -> str:
        """Return a line of an allowed signers file."""
        return " ".join(part for part in (SIGNER, options, self.public) if part) + "\n"

    def words(self) -> list[str]:
        """Return what makes git sign with it."""
        return ["-c", "gpg.format=ssh", "-c", f"user.signingKey={self.path}"]


def commit(repository: Repository, text: str, key: Key | None = None) -> str:
    """Commit *text*, signed if there is a *key*, push it and return the commit."""
    (repository.work / "a").write_text(text)
    repository.git("add", "--all")
    words = [*key.words(), "commit", "-S"] if key else ["commit"]
    repository.git(*words, "--quiet", "--allow-empty", "-m", text)
    repository.push()
    return repository.head()


def tag(repository: Repository, name: str, key: Key | None = None) -> None:
    """Tag the commit, signed if there is a *key*, and push the tag."""
    words = [*key.words(), "tag", "-s"] if key else ["tag", "-a"]
    repository.git(*words, "-f", "-m", name, name)
    repository.push(f"+refs/tags/{name}")


def forged(repository: Repository, change: tuple[str, str]) -> str:
    """Make the commit anew with one piece of its text replaced, push it and return it."""
    raw = repository.git("cat-file", "commit", "HEAD") + "\n"
    assert change[0] in raw
    file = repository.folder / "forged"
    file.write_text(raw.replace(*change))
    made = repository.git("hash-object", "-t", "commit", "-w", str(file))
    repository.git("reset", "--quiet", "--hard", made)
    repository.push()
    return made

"""Signatures of commits and tags, checked by git with ssh-keygen and nothing else.

What may sign is one file of the operator's. Nothing that a repository holds or a hook writes into its
configuration counts: our settings come by the environment, which git puts above every file. A signature
in another format than ssh's is a bad one, because the programs for those are set to one that cannot run.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from podmates_common.files import check_readable
from podmates_gitsync.files.scratch import Scratch
from podmates_gitsync.git.commands import Git, GitError
from podmates_gitsync.git.refs import is_hash, names_tag, tag_name
from podmates_gitsync.programs import Running, TimeoutExpired, collect, start

KEYGEN = "ssh-keygen"
_BAD = 1  # git's exit status for a signature that is not there or not good; others are troubles of its own
# With that status git tells of troubles, too: what it says by itself begins like this, what ssh-keygen says
# does not. Of what it says by itself this is about the signature: there is none, or one of another format.
_ABOUT_IT = "no signature found|cannot (?:run|exec) '?/dev/null|could not run gpg"
_TROUBLE = re.compile(rf"^(?:error|fatal): (?!{_ABOUT_IT})", re.MULTILINE)
_NO_FORMAT = "fatal: bad/incompatible signature"  # with another status
_BUDGET = 10.0  # seconds for ssh-keygen's answer at start-up


class Signatures:
    """Says what is wrong with the signature of a commit.

    Args:
        make_git: returns a git with more in its environment.
        objects: ``commit``, ``tag`` or ``both``.
        signers: who may sign, in ssh's allowed signers format.
    """

    def __init__(
        self, make_git: Callable[[Mapping[str, str]], Git], root: Path, *, objects: str, signers: Path
    ) -> None:
        self._root, self._objects, self._signers = root, objects, signers
        self._scratch = Scratch(root)
        self._git = make_git(additions(signers, shutil.which(KEYGEN) or KEYGEN, self._scratch.folder))

    def fault(self, commit: str, fetched: str, ref: str, deadline: float) -> str:
        """Return what is wrong; empty when everything that must be signed is.

        Args:
            fetched: the object that the ref named: the commit, or an annotated tag of it.
            deadline: on the monotonic clock.

        Raises:
            GitError, OSError: it could not be found out.
        """
        self._git.deadline = deadline
        check_readable(self._signers)  # git would call every signature bad
        self._scratch.made()
        faults = []
        if self._objects != "tag":
            faults.append(self._checked("commit", commit))
        if self._objects != "commit":
            faults.append(self._tag_fault(commit, fetched, ref))
        return "; ".join(fault for fault in faults if fault)

    def _tag_fault(self, commit: str, fetched: str, ref: str) -> str:
        if fetched == commit:
            return f"{ref} is no annotated tag"
        name = tag_name(self._git.run(["cat-file", "tag", fetched], self._root))
        if not is_hash(ref) and not names_tag(ref, name):
            return f"{ref} names the tag {name!r}"  # an old, signed one would do, otherwise
        return self._checked("tag", fetched)

    def _checked(self, kind: str, name: str) -> str:
        try:
            self._git.run([f"verify-{kind}", name], self._root)
        except GitError as error:
            if not self._is_verdict(kind, name, error):
                raise
            return f"{kind} {name} has no good signature: {error.said or 'it is not signed'}"
        return ""

    def _is_verdict(self, kind: str, name: str, error: GitError) -> bool:
        """Return whether git's *error* is about the signature, and not about git or ssh-keygen."""
        if _NO_FORMAT in error.said:
            return True
        if error.status != _BAD or _TROUBLE.search(error.said):
            return False
        if error.said:
            return True
        # Nothing is said of a commit without a signature, nor by an ssh-keygen that SIGPIPE killed.
        return kind == "commit" and not self._is_signed(name)

    def _is_signed(self, commit: str) -> bool:
        header = self._git.run(["cat-file", "commit", commit], self._root).partition("\n\n")[0]
        return any(line.startswith("gpgsig") for line in header.splitlines())


def additions(signers: Path, program: str, scratch: Path) -> dict[str, str]:
    """Return the variables that make git check by *signers* only."""
    settings = {
        "gpg.format": "ssh",
        "gpg.ssh.program": program,
        "gpg.ssh.allowedSignersFile": str(signers),
        "gpg.minTrustLevel": "fully",
        "gpg.program": os.devnull,
        "gpg.openpgp.program": os.devnull,
        "gpg.x509.program": os.devnull,
    }
    variables = {"GIT_CONFIG_PARAMETERS": "", "GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables | {"TMPDIR": str(scratch)}  # where git puts a signature for ssh-keygen


def trouble(signers: Path, synced: Sequence[Path], environment: Mapping[str, str], running: Running) -> str:
    """Return why signatures cannot be checked here; empty when they can.

    Args:
        synced: directories whose files the repository decides, resolved.
    """
    try:
        check_readable(signers)
    except OSError as error:
        return f"cannot read the allowed signers file: {error}"
    ways = (Path(os.path.abspath(signers)), signers.parent.resolve() / signers.name, signers.resolve())
    for folder in synced:
        if any(folder in way.parents for way in ways):
            return (
                f"the allowed signers file {signers} is inside {folder}, where the repository could change it"
            )
    program = shutil.which(KEYGEN)
    if program is None:
        return f"{KEYGEN} is not found, and --verify needs it (package openssh-client)"
    words = [program, "-Y", "find-principals", "-f", str(signers), "-s", os.devnull]
    try:
        done = collect(start(words, Path("/"), environment), time.monotonic() + _BUDGET, running)
    except (OSError, TimeoutExpired) as error:
        return f"{program} does not work: {error}"
    if "No user exists" in done.stderr:
        return f"{KEYGEN} needs this user to be in /etc/passwd (--add-user): {done.stderr.strip()}"
    return ""

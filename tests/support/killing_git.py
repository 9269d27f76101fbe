"""A `--git` that kills: itself, one of its helpers, or the process that runs it, at one chosen system call.

strace does it: the call is entered and does not happen. Between two kills it is plain git.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.support.programs import need

# What changes the volume, in groups of calls that mean the same.
CALLS = {
    "rename": "rename,renameat,renameat2",
    "link": "link,linkat,symlink,symlinkat",
    "unlink": "unlink,unlinkat,rmdir",
    "mkdir": "mkdir,mkdirat",
    "write": "ftruncate,fsync,fdatasync,chmod,fchmod,utimensat,pwrite64",
    "execve": "execve",
}

_SCRIPT = """\
#!/bin/sh
if [ -e {armed} ]; then
    . {armed}
    case "$*" in "$command"*)
        mv {armed} {fired}
        if [ "$victim" = caller ]; then
            threads=$(ls /proc/$PPID/task)
            {strace} -o {trace} -e trace=$calls -e inject=$calls:signal=KILL:when=$number \\
                $(printf ' -p %s' $threads) </dev/null >/dev/null 2>&1 &
            for thread in $threads; do
                until grep -q 'TracerPid:.[1-9]' /proc/$PPID/task/$thread/status; do
                    kill -0 $! || exit 1
                done
            done
        else
            {strace} -f -o {trace} -e trace=$calls -e inject=$calls:signal=KILL:when=$number {git} "$@"
            status=$?
            grep -q 'killed by SIGKILL' {trace} || {{ echo spared >{outcome}; exit $status; }}
            [ "$victim" = git ] || kill -9 $PPID
            echo killed >{outcome}
            exit $status
        fi;;
    esac
fi
exec {git} "$@"
"""


class Kill(NamedTuple):
    """Where to kill, and whom."""

    command: str  # how git's command line begins
    calls: str  # a key of CALLS
    number: int  # of such calls in one process or thread, from 1
    victim: str  # "git": the process that makes the call; "all": gitsync with it; "caller": see KillingGit


class KillingGit:
    """The program *path*, to be given as ``--git``.

    With the victim "caller" the calls are those that gitsync itself makes after git's command began.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self._armed, self._outcome = folder / "git", folder / "armed", folder / "outcome"
        self._trace = folder / "trace"
        folder.mkdir()
        self.path.write_text(
            _SCRIPT.format(
                armed=self._armed,
                fired=folder / "fired",
                outcome=self._outcome,
                trace=self._trace,
                strace=need("strace", "strace"),
                git=need("git", "git"),
            )
        )
        self.path.chmod(0o755)

    def arm(self, kill: Kill) -> None:
        """Let the next fitting command be the one."""
        self._outcome.unlink(missing_ok=True)
        self._trace.unlink(missing_ok=True)
        text = f"command='{kill.command}' calls={CALLS[kill.calls]} number={kill.number}"
        text += f" victim={kill.victim}\n"
        unfinished = self._armed.with_suffix(".new")
        unfinished.write_text(text)
        unfinished.replace(self._armed)

    def outcome(self) -> str:
        """Return "killed", "spared" (there were fewer such calls), or "" while it is not known."""
        return self._outcome.read_text().strip() if self._outcome.exists() else ""

    def disarm(self) -> None:
        """Be plain git again."""
        self._armed.unlink(missing_ok=True)

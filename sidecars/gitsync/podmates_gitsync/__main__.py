"""Start: as process number one split off an init before anything is read; then do what was asked."""

from __future__ import annotations

import io
import os
import sys

from podmates_common.init import init_when_first
from podmates_common.lean import lean
from podmates_common.output import open_closed_streams, written


def main() -> int:
    """Return the exit status; a run ends the process itself."""
    open_closed_streams()
    if os.getpid() == 1:
        print("INFO: detected pid 1, running init handler", file=sys.stderr, flush=True)
    try:
        init_when_first()
    except OSError as error:
        print(f"ERROR: cannot become init: {error}", file=sys.stderr)
        return 127
    lean()
    from podmates_gitsync.cli import main as cli  # after the fork: the init half stays small

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a default may hold any bytes
    status = written(lambda: cli(sys.argv[0], sys.argv[1:], os.environ))
    # Standard error is flushed with each line; a thread may be in a write to it that nobody ever reads.
    os._exit(status)  # threads may be in the middle of something that is of no use any more


if __name__ == "__main__":
    sys.exit(main())

"""podmates-metrics: the metrics adapter."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from podmates_common.init import init_when_first
from podmates_common.lean import lean


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; return the exit status."""
    init_when_first()
    lean()
    from podmates_common.output import written

    return written(lambda: _main(list(sys.argv[1:] if argv is None else argv)))


def _main(words: list[str]) -> int:
    from podmates_metrics import command, start
    from podmates_metrics.statsd import twins

    started_as = sys.argv[0].rpartition("/")[2]
    known = ("statsd_exporter", "json_exporter", "jmx_exporter")
    program = started_as if started_as in known else command.PROGRAM
    if program in ("jmx_exporter", "json_exporter"):
        words.insert(0, program.removesuffix("_exporter"))
    verb = words.pop(0) if words and not words[0].startswith(("-", "@")) else "run"
    if verb in ("run", "jmx", "json"):  # until there is a handler, a wish to reload waits and ends nothing
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    twin = twins.choose(pure=os.environ.get("PODMATES_PURE") == "1")
    try:
        if verb == "json":
            from podmates_metrics.json_exporter.start import run  # late: it is a drop-in of its own

            program = "json_exporter"
            return run(words, os.environ)
        return start.dispatch(verb, words, os.environ, twin)
    except command.Refused as error:
        command.complain(error, program)
        return 1


if __name__ == "__main__":
    sys.exit(main())

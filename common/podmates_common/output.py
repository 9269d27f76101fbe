"""What a command prints, to a reader who may have gone, or to a full disk."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Any


class Unwritten(SystemExit):
    """Standard output takes no more; nobody is to handle that but `written`."""


def written(main: Callable[[], int]) -> int:
    """Return what *main* returns, once all that it printed is written; 1 when it cannot be."""
    open_closed_streams()
    _watch()
    try:
        status = main()
        sys.stdout.flush()
    except Unwritten:
        return 1
    return status


def open_closed_streams() -> None:
    """Put /dev/null where we were started without a standard stream, as Go does."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - for good


def _watch() -> None:
    plain = sys.stdout
    if not isinstance(plain, io.TextIOWrapper):  # it is a test's
        return
    plain.flush()
    raw = _Raw(plain.fileno(), "w", closefd=False)
    raw.before = plain  # which may close the descriptor when nobody has it any more
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=plain.encoding,
        errors=plain.errors,
        line_buffering=plain.line_buffering or plain.write_through,
    )


class _Raw(io.FileIO):
    """Standard output. What fails is told here: later it cannot be told from other faults."""

    before: io.TextIOWrapper

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if not isinstance(error, BrokenPipeError):  # as head's, which has read enough
                print(f"standard output: {error.strerror}", file=sys.stderr)
            nothing = os.open(os.devnull, os.O_WRONLY)  # or the interpreter tries again when it ends
            os.dup2(nothing, self.fileno())
            os.close(nothing)
            raise Unwritten(1) from None

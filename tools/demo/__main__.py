"""The three patterns as local processes on real parts, narrated: ``make demo``.

Exit status 0 when everything that was announced happened, 1 when something did not, 130 when it was
interrupted. Whatever happens, every process is ended and every file removed.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tools.demo import adapter, ambassador, sidecar
from tools.demo.stage import Stage


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def perform(stage: Stage, folder: Path) -> list[str]:
    """Play every act; return what did not hold."""
    acts: dict[str, Callable[[], None]] = {
        "gitsync": lambda: sidecar.play(stage, folder / "gitsync"),
        "redis": lambda: ambassador.play(stage),
        "metrics": lambda: adapter.play(stage, folder / "metrics"),
    }
    failures = []
    for name, act in acts.items():
        try:
            act()
        except (AssertionError, OSError, ValueError) as error:
            failures.append(f"{name}: {error}")
    return failures


def main() -> int:
    stage, begin = Stage(), time.monotonic()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        with tempfile.TemporaryDirectory(prefix="podmates-demo-") as folder:
            failures = perform(stage, Path(folder))
    except KeyboardInterrupt:
        print("\ninterrupted: everything was stopped and removed", flush=True)
        return 130
    for failure in failures:
        print(f"\nDID NOT HOLD  {failure}", flush=True)
    stage.act(
        f"{3 - len(failures)} of 3 patterns worked, {time.monotonic() - begin:.1f} s; all is cleaned up."
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

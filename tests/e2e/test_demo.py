"""The demo cleans up after itself, also when it is interrupted. (That it passes is a step of CI.)"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.support.processes import Process
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]


def mentioning(text: str) -> list[str]:
    """Return the command lines of all processes that hold *text*."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if text in line:
            found.append(line)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupted_demo_leaves_no_process_and_no_file(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "tools.demo"]
    with Process(command, cwd=ROOT, env={"TMPDIR": str(tmp_path)}) as demo:
        demo.wait_line("a web server serves", 180)
        assert mentioning(str(tmp_path)), "the demo has processes to clean up"
        assert demo.stop(number, 120) == 130, demo.output

    until(lambda: not mentioning(str(tmp_path)), 60, "the demo's processes to be gone")
    assert list(tmp_path.iterdir()) == []

"""A worker as it is run everywhere: started again when it ends."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence


class Supervised:
    """Keeps *argv* running until `end`."""

    def __init__(self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str] | None = None) -> None:
        self._argv, self._cwd, self._env = argv, cwd, env
        self._over = threading.Event()
        self._process = self._start()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._argv, cwd=self._cwd, env=self._env, stdin=subprocess.DEVNULL, stdout=sys.stderr
        )

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            if self._process.poll() is not None:
                self._process = self._start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

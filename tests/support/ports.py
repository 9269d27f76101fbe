"""Port numbers that nobody uses, for programs that cannot be told to take any.

They are drawn from below the kernel's range for outgoing connections (32768 and up), so that no
client of another test can take one between the look and the use; the ten thousand above are left free
for the buses of Redis Cluster nodes. Each of pytest's workers has a share of its own, for the same reason.
"""

from __future__ import annotations

import os
import random
import socket
from collections import deque

_BUS = 10_000  # how far above its port a node of a cluster listens for the others
_ALL = range(10240, 10240 + _BUS)
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_SHARE = _ALL[_WORKER :: max(_WORKERS, _WORKER + 1)]
_KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_STREAM)
_given: deque[int] = deque(maxlen=1000)  # lately: a test may take some before it uses one


def free_port() -> int:
    """Return a port free for TCP and UDP on loopback, not given out lately by this process."""
    for _ in range(1000):
        port = random.SystemRandom().choice(_SHARE)
        if port not in _given and all(map(_is_free, (port, port, port + _BUS), _KINDS)):
            _given.append(port)
            return port
    raise OSError(f"found no free port of {len(_SHARE)} from {_SHARE[0]} to {_SHARE[-1]}")


def _is_free(port: int, kind: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

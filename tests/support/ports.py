"""Port numbers that nobody uses, for programs that cannot be told to take any.

They are drawn from below the kernel's range for outgoing connections (32768 and up), so that no
client of another test can take one between the look and the use; the ten thousand above each number
are left free as well, for the bus of a Redis Cluster node.
"""

from __future__ import annotations

import random
import socket

_LOWEST, _HIGHEST = 10240, 21999
_given: set[int] = set()


def free_port() -> int:
    """Return a port free for TCP and UDP on loopback, not given out before by this process."""
    for _ in range(1000):
        port = random.SystemRandom().randint(_LOWEST, _HIGHEST)
        if port not in _given and _is_free(port, socket.SOCK_STREAM) and _is_free(port, socket.SOCK_DGRAM):
            _given.add(port)
            return port
    raise OSError(f"found no free port from {_LOWEST} to {_HIGHEST}")


def _is_free(port: int, kind: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

"""The command line of the standalone jmx_exporter: ``[HOST:]PORT FILE``, or ``FILE`` to push only. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from podmates_metrics.kingpin import Words


def words(argv: Sequence[str]) -> Words:
    """Return the settings that *argv* means: its port, if it has one, and no StatsD.

    Raises:
        ValueError: it is neither ``[HOST:]PORT FILE`` nor ``FILE``.
    """
    nothing = {"statsd_listen_udp": [""], "statsd_listen_tcp": [""]}
    if len(argv) == 1 and not argv[0].isdigit():  # a port that lost its file
        return Words({"web_listen_address": [""], **nothing}, "")
    if len(argv) != 2:
        raise ValueError("want [HOST:]PORT FILE, or FILE alone, which serves nothing and pushes")
    host, _, port = argv[0].rpartition(":")
    number = int(port.lstrip("0")[:6] or "0") if port.isascii() and port.isdigit() else 0
    if not 0 < number < 65536:
        raise ValueError(f"{argv[0][:60]!r} is no [HOST:]PORT with a port from 1 to 65535")
    return Words({"web_listen_address": [f"{host or '0.0.0.0'}:{number}"], **nothing}, "")

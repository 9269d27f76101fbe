"""The command line of the standalone jmx_exporter: ``[HOST:]PORT FILE``. No I/O."""

from __future__ import annotations

from collections.abc import Sequence

from podmates_metrics.kingpin import Words


def words(argv: Sequence[str]) -> Words:
    """Return the settings that *argv* means: its port, and no StatsD.

    Raises:
        ValueError: it is not ``[HOST:]PORT FILE``.
    """
    if len(argv) != 2:
        raise ValueError("want [HOST:]PORT FILE")
    host, _, port = argv[0].rpartition(":")
    number = int(port.lstrip("0")[:6] or "0") if port.isascii() and port.isdigit() else 0
    if not 0 < number < 65536:
        raise ValueError(f"{argv[0][:60]!r} is no [HOST:]PORT with a port from 1 to 65535")
    nothing = {"statsd_listen_udp": [""], "statsd_listen_tcp": [""]}
    return Words({"web_listen_address": [f"{host or '0.0.0.0'}:{number}"], **nothing}, "")

"""What the self metrics say of the listeners that there are."""

from __future__ import annotations

from podmates_metrics.statsd.engine import Totals
from podmates_metrics.statsd.listeners import Datagrams
from podmates_metrics.statsd.streams import Streams


def socket_totals(
    udp: Datagrams | None, unix: Datagrams | None, tcp: Streams | None, stream: Streams | None
) -> Totals:
    """Return the counts of each listener; *stream* is the unix stream socket."""
    own, ours = "statsd_exporter_", "podmates_statsd_unix_"
    totals: Totals = {}
    if udp is not None:
        totals[f"{own}udp_packets_total"] = {(): udp.count}
        totals[f"{own}udp_packet_drops_total"] = {(): udp.dropped}
    if unix is not None:
        totals[f"{own}unixgram_packets_total"] = {(): unix.count}
    if tcp is not None:
        totals[f"{own}tcp_connections_total"] = {(): tcp.connections}
        totals[f"{own}tcp_connection_errors_total"] = {(): tcp.errors}
        totals[f"{own}tcp_too_long_lines_total"] = {(): tcp.too_long}
    if stream is not None:
        totals[f"{ours}connections_total"] = {(): stream.connections}
        totals[f"{ours}connection_errors_total"] = {(): stream.errors}
        totals[f"{ours}too_long_total"] = {(): stream.too_long}
    return totals

"""The adapter's own metrics: statsd_exporter's names, then ours under ``podmates_``."""

from __future__ import annotations

from typing import NamedTuple


class Metric(NamedTuple):
    """One self metric. A labelled one appears with its first value, one without labels is there from 0."""

    name: str
    kind: str  # counter or gauge
    labels: tuple[str, ...]
    help: str
    optional: bool = False  # absent unless switched on


PROBES = (
    Metric("podmates_probes_total", "counter", ("module", "outcome"), "Probes answered, by how they went."),
    Metric("podmates_probe_seconds_total", "counter", ("module",), "Time that they took."),
    Metric("podmates_probe_failures_total", "counter", ("module", "metric", "part"),
           "Parts of metrics that a document had not."),
)  # fmt: skip
CONFIG = (
    Metric("podmates_config_last_reload_successful", "gauge", (),
           "0 when the files are wrong and the configuration before them is in force, else 1.", True),
    Metric("podmates_config_last_reload_success_timestamp_seconds", "gauge", (),
           "When the configuration in force was read.", True),
)  # fmt: skip
_S = "statsd_exporter_"
METRICS = (
    Metric(_S + "events_total", "counter", ("type",), "Events taken, by kind."),
    Metric(_S + "events_unmapped_total", "counter", (), "Events that no mapping rule took."),
    Metric(_S + "events_actions_total", "counter", ("action",), "Events by the action of their rule."),
    Metric(_S + "events_error_total", "counter", ("reason",), "Events discarded, by reason."),
    Metric(_S + "events_conflict_total", "counter", ("type", "metric_name"),
           "Events discarded because their name belongs to another type; from 1000 names on summed up."),
    Metric(_S + "event_queue_flushed_total", "counter", (), "Always 0: events do not wait in a queue."),
    Metric(_S + "udp_packets_total", "counter", (), "UDP packets received."),
    Metric(_S + "udp_packet_drops_total", "counter", (), "UDP packets that the kernel dropped: buffer full."),
    Metric(_S + "unixgram_packets_total", "counter", (), "Datagrams received on the unix socket."),
    Metric(_S + "tcp_connections_total", "counter", (), "TCP connections accepted."),
    Metric(_S + "tcp_connection_errors_total", "counter", (), "TCP connections that ended with an error."),
    Metric(_S + "tcp_too_long_lines_total", "counter", (), "TCP connections closed: a line over 4095 bytes."),
    Metric(_S + "lines_total", "counter", (), "Lines received."),
    Metric(_S + "samples_total", "counter", (), "Samples in these lines."),
    Metric(_S + "tags_total", "counter", (), "Samples that carried tags."),
    Metric(_S + "tag_errors_total", "counter", (), "Tags that could not be used."),
    Metric(_S + "sample_errors_total", "counter", ("reason",), "Lines, samples or fields that were wrong."),
    Metric(_S + "config_reloads_total", "counter", ("outcome",), "Reloads of the mapping file."),
    Metric(_S + "loaded_mappings", "gauge", (), "Rules of the mapping file in force."),
    Metric(_S + "metrics_total", "gauge", ("type",), "Pairs of name and label names ever seen."),
    Metric(_S + "relay_packets_total", "counter", ("target",), "Packets sent to the relay target."),
    Metric(_S + "relay_long_lines_total", "counter", ("target",), "Lines too long to be relayed."),
    Metric(_S + "relay_lines_relayed_total", "counter", ("target",), "Lines relayed."),
    Metric(_S + "build_info", "gauge", ("version", "parser"), "Always 1; which adapter this is."),
    Metric("statsd_metric_mapper_cache_length", "gauge", (), "Mapping decisions remembered.", True),
    Metric("statsd_metric_mapper_cache_gets_total", "counter", (), "Mapping decisions asked for.", True),
    Metric("statsd_metric_mapper_cache_hits_total", "counter", (), "Of these, remembered ones.", True),
    Metric("podmates_statsd_series", "gauge", (), "Series made from StatsD lines that exist now."),
    Metric("podmates_statsd_remembered_lines", "gauge", (), "Lines that take the fast path."),
    Metric("podmates_statsd_ignored_fields_total", "counter", ("field",), "DogStatsD fields passed over."),
    Metric("podmates_statsd_relay_dropped_total", "counter", ("target",), "Packets it could not send."),
    Metric("podmates_statsd_unix_connections_total", "counter", (), "Connections to the unix socket.", True),
    Metric("podmates_statsd_unix_connection_errors_total", "counter", (),
           "Of these, ended with an error.", True),
    Metric("podmates_statsd_unix_too_long_total", "counter", (),
           "Of these, closed: a line over 4095 bytes or a frame over 65,535.", True),
    Metric("podmates_source_up", "gauge", ("source",), "1 if the last question got everything it asked for."),
    Metric("podmates_source_duration_seconds", "gauge", ("source",), "How long the last question took."),
    Metric("podmates_source_last_success_timestamp_seconds", "gauge", ("source",), "When it last succeeded."),
    Metric("podmates_source_skipped_lines_total", "counter", ("source",),
           "Lines that could not be read in the source's format."),
    Metric("podmates_log_lines_total", "counter", ("source",), "Lines of the source's logs."),
    Metric("podmates_log_files", "gauge", ("source",), "Log files that are open."),
    Metric("podmates_log_truncations_total", "counter", ("source",), "Log files that began anew."),
    Metric("podmates_log_cut_lines_total", "counter", ("source",), "Lines whose end was left out."),
    Metric("podmates_command_exit_status", "gauge", ("source",), "How the source's program ended last."),
    Metric("podmates_records_total", "counter", ("source",), "Records that a source gave to the rules."),
    Metric("podmates_rule_matches_total", "counter", ("source", "rule"), "Records that a rule took."),
    Metric("podmates_rule_errors_total", "counter", ("source", "rule", "reason"),
           "Records that a rule took and could not use."),
    Metric("podmates_series", "gauge", ("source", "family"), "Series that the rules made, by family."),
    Metric("podmates_series_overflow_total", "counter", ("source", "family"),
           "Records beyond the limits on series: summed up in a series of their own, or dropped."),
    Metric("podmates_source_dropped_families_total", "counter", ("source",),
           "Families left out because their name, or a part's as _count, exists already with another type."),
    Metric("podmates_source_dropped_series_total", "counter", ("source",),
           "Series left out at scrapes because another source gives the same."),
    Metric("podmates_scrapes_lost_total", "counter", ("reason",),
           "Scrapes that got no whole page: they did not read it (stalled), or others did not (crowded)."),
    Metric("podmates_otlp_pushes_total", "counter", ("outcome",), "Pushes to the OTLP receiver."),
    Metric("podmates_otlp_points_total", "counter", (), "Points that it took.", True),
    Metric("podmates_otlp_rejected_points_total", "counter", (), "Points that it did not take.", True),
    Metric("podmates_otlp_last_success_timestamp_seconds", "gauge", (), "When a push last succeeded.", True),
    *PROBES,
    *CONFIG,
)  # fmt: skip

# What prometheus-client's process collector adds.
PROCESS = (
    "process_virtual_memory_bytes",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
)
# What has no place on the page of the standalone jmx_exporter.
STATSD = tuple(metric.name for metric in METRICS if "statsd_" in metric.name)
OWN = frozenset(metric.name for metric in METRICS)
RESERVED = OWN | frozenset(PROCESS)  # names that no StatsD event can have; a JVM's process_* take our place

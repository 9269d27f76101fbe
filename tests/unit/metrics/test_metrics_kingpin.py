"""statsd_exporter's command line, flag by flag."""

from __future__ import annotations

import pytest

from podmates_metrics import kingpin
from podmates_metrics.command import ROWS, Refused, load, words
from podmates_metrics.settings import Settings


def settings(*argv: str, **environ: str) -> Settings:
    return load(words(argv), environ).settings


def test_values_come_with_an_equals_sign_or_as_the_next_word() -> None:
    assert settings("--statsd.cache-size=5").statsd_cache_size == 5
    assert settings("--statsd.cache-size", "5").statsd_cache_size == 5
    assert settings("--web.telemetry-path", "/m").web_telemetry_path == "/m"


def test_booleans_take_no_value_and_are_switched_off_by_no() -> None:
    assert settings("--web.enable-lifecycle").web_enable_lifecycle
    assert not settings("--no-statsd.parse-influxdb-tags").statsd_parse_influxdb_tags
    assert settings().statsd_parse_influxdb_tags


FAULTS = {
    ("--bogus",): "unknown long flag '--bogus'",
    ("-x",): "unknown short flag '-x'",
    ("stray",): "unexpected stray",
    ("--web.enable-lifecycle=true",): "unexpected true",
    ("--statsd.cache-size",): "expected argument for flag '--statsd.cache-size'",
    ("--statsd.cache-size=1", "--statsd.cache-size=2"): "flag 'statsd.cache-size' cannot be repeated",
    ("--statsd.cache-size=x",): "--statsd.cache-size: 'x': want a whole number",
    ("--statsd.cache-size=-1",): "want at least 0",
    ("--statsd.listen-udp=9125",): "--statsd.listen-udp: '9125': want host:port",
    ("--web.telemetry-path=",): "want a path that begins with /",
    ("--source.timeout=0s",): "want more than 0",
    ("--web.telemetry-path=/{x}",): "want a path of a URL",
    ("--web.telemetry-path=/a?b",): "want a path of a URL",
    ("--web.telemetry-path=/livez",): "the adapter has a page there",
    ("--web.telemetry-path=/-/ready",): "the adapter has a page there",
    ("--web.telemetry-path=/probe",): "the adapter has a page there",
    ("--statsd.event-flush-interval=200",): "want a number and a unit",
    ("--statsd.relay.address=nowhere",): "want host:port",
    ("--statsd.relay.address=:9125",): "want host:port",
    ("--log.level=trace",): "want one of debug, info, warn, error",
    ("--no-statsd.cache-size",): "unknown long flag '--no-statsd.cache-size'",
}


@pytest.mark.parametrize(("argv", "reason"), FAULTS.items(), ids=lambda part: str(part)[:40])
def test_a_wrong_command_line_is_refused_with_the_reason(argv: tuple[str, ...], reason: str) -> None:
    with pytest.raises(Refused, match=r".+") as caught:
        settings(*argv)

    assert reason in str(caught.value)


def test_a_file_of_arguments_is_expanded() -> None:
    files = {"flags": "--statsd.cache-size=7\n# a remark\n\n--web.enable-lifecycle\n"}

    assert kingpin.expand(["@flags", "--x"], files.__getitem__) == [
        "--statsd.cache-size=7",
        "--web.enable-lifecycle",
        "--x",
    ]


@pytest.mark.parametrize("word", ["-h", "--help", "--help-long", "--help-man"])
def test_help_has_four_names(word: str) -> None:
    assert kingpin.parse(ROWS, ["--statsd.cache-size=1", word]).asked == "--help"


def test_a_listener_without_a_host_is_on_every_ipv4_address() -> None:
    assert settings().web_listen_address == ("0.0.0.0", 9102)
    assert settings("--statsd.listen-udp=[::]:9125").statsd_listen_udp == ("::", 9125)
    assert settings("--statsd.listen-tcp=").statsd_listen_tcp is None


def test_variables_are_named_after_the_flags_and_lose_to_them() -> None:
    environ = {
        "PODMATES_METRICS_WEB_LISTEN_ADDRESS": "127.0.0.1:1",
        "PODMATES_METRICS_JMX_TARGET": "a=h:1,h:2",
    }

    assert settings(**environ).web_listen_address == ("127.0.0.1", 1)
    assert settings(**environ).jmx_target == ("a=h:1", "h:2")
    assert settings("--web.listen-address=:2", **environ).web_listen_address == ("0.0.0.0", 2)


def test_an_unknown_variable_of_ours_is_refused() -> None:
    with pytest.raises(Refused, match="PODMATES_METRICS_WEB_ADDRES: unknown setting"):
        settings(PODMATES_METRICS_WEB_ADDRES="x")


def test_all_of_the_originals_flags_are_known() -> None:
    flags = [
        "--web.listen-address",
        "--web.telemetry-path",
        "--web.enable-lifecycle",
        "--statsd.listen-udp",
        "--statsd.listen-tcp",
        "--statsd.listen-unixgram",
        "--statsd.unixsocket-mode",
        "--statsd.mapping-config",
        "--statsd.read-buffer",
        "--statsd.cache-size",
        "--statsd.cache-type",
        "--statsd.event-queue-size",
        "--statsd.event-flush-threshold",
        "--statsd.event-flush-interval",
        "--statsd.udp-packet-queue-size",
        "--statsd.parse-dogstatsd-tags",
        "--statsd.parse-influxdb-tags",
        "--statsd.parse-librato-tags",
        "--statsd.parse-signalfx-tags",
        "--statsd.relay.address",
        "--statsd.relay.packet-length",
        "--check-config",
        "--debug.dump-fsm",
        "--log.level",
        "--log.format",
    ]

    assert set(flags) <= {row.flag for row in ROWS}

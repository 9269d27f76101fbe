"""Units of values and the names that tell them."""

from __future__ import annotations

import pytest

from podmates_metrics.rules.units import named, parse

# name, unit, counter → name, unit, what 3 becomes
CASES = {
    ("latency_ms", "", False): ("latency_seconds", "seconds", 0.003),
    ("latency_us", "", False): ("latency_seconds", "seconds", 0.000003),
    ("latency_ns", "", False): ("latency_seconds", "seconds", 3e-9),
    ("heap_kb", "", False): ("heap_bytes", "bytes", 3072.0),
    ("heap_mb", "", False): ("heap_bytes", "bytes", 3145728.0),
    ("cpu_percent", "", False): ("cpu_ratio", "ratio", 0.03),
    ("sent_kb_total", "", True): ("sent_bytes_total", "bytes", 3072.0),
    ("sent_kb_total", "", False): ("sent_kb_total", "", 3.0),
    ("latency_seconds", "", False): ("latency_seconds", "seconds", 3.0),
    ("queue_length", "", False): ("queue_length", "", 3.0),
    ("ms", "", False): ("ms", "", 3.0),
    ("latency", "ms", False): ("latency_seconds", "seconds", 0.003),
    ("latency_ms", "ms", False): ("latency_seconds", "seconds", 0.003),
    ("latency_milliseconds", "ms", False): ("latency_seconds", "seconds", 0.003),
    ("latency_seconds", "ms", False): ("latency_seconds", "seconds", 0.003),
    ("latency_ms", "min", False): ("latency_seconds", "seconds", 180.0),
    ("latency_ms", "none", False): ("latency_ms", "", 3.0),
    ("sent", "kib", True): ("sent_bytes", "bytes", 3072.0),
    ("sent_total", "gb", True): ("sent_bytes_total", "bytes", 3221225472.0),
    ("served", "requests", False): ("served_requests", "requests", 3.0),
    ("served_requests", "requests", False): ("served_requests", "requests", 3.0),
}


@pytest.mark.parametrize(("given", "wanted"), CASES.items(), ids=str)
def test_a_value_and_its_name_come_in_the_base_unit(
    given: tuple[str, str, bool], wanted: tuple[str, str, float]
) -> None:
    found = named(*given)

    assert (found.name, found.unit, 3.0 * found.multiply / found.divide) == wanted


@pytest.mark.parametrize("text", ["", "Ms", "m s", "1x", "_ms"])
def test_what_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no unit"):
        parse(text)

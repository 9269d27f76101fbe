"""One rule file for several sources, in a running adapter."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.adapters import Adapter
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.programs import script
from tests.support.statsd_sender import send_udp

RULES = """\
sources: {{app: {{statsd: {{udp: "127.0.0.1:{port}"}}}}}}
rules:
- from: app
  match: {{metric: "api.{{route}}.request", type: timer}}
  name: http_request_duration_seconds
  type: histogram
  buckets: [0.1]
  labels: {{route: "{{route}}"}}
- match: {{metric: "user.{{id}}"}}
  name: user_clicks_total
  labels: {{user: "{{id}}"}}
  limit: 2
"""


def test_statsd_lines_go_through_native_rules_and_their_limits(tmp_path: Path) -> None:
    port = free_port()
    file = tmp_path / "rules.yaml"
    file.write_text(RULES.format(port=port))
    lines = [b"api.cart.request:50|ms", b"other:1|c", *(b"user.%d:1|c" % user for user in range(5))]
    with Adapter(f"--config.file={file}") as adapter:
        send_udp(("127.0.0.1", port), b"\n".join(lines * 3))

        adapter.wait_for(
            {
                'http_request_duration_seconds_bucket{route="cart",le="0.1"}': 3,
                "other": 3,
                'user_clicks_total{user="0"}': 3,
                'user_clicks_total{user="__overflow__"}': 9,
                'podmates_rule_matches_total{rule="0",source="app"}': 3,
                'podmates_rule_matches_total{rule="1",source="app"}': 15,
                'podmates_series_overflow_total{family="user_clicks_total",source="app"}': 9,
                'podmates_series{family="user_clicks_total",source="app"}': 2,
            }
        )
        assert "Traceback" not in adapter.output


def test_statsd_lines_have_a_mapping_file_or_native_rules(tmp_path: Path) -> None:
    file, mapping = tmp_path / "rules.yaml", tmp_path / "mapping.yaml"
    file.write_text(RULES.format(port=1))
    mapping.write_text("mappings: [{match: a.b, name: c}]\n")
    flags = [f"--config.file={file}", f"--statsd.mapping-config={mapping}"]

    ended = run([script("podmates-metrics"), *flags])

    assert ended.status == 1
    assert "StatsD lines have native rules and a mapping file: want one of them" in ended.stderr

"""What we assume of Prometheus: it takes our page as it is, whatever stands in labels and values."""

from __future__ import annotations

import math
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from podmates_metrics.exposition.negotiation import choose
from tests.support.prometheus import Prometheus
from tests.unit.metrics.engines import engine, page

LINES = """\
plain:1|c
big:123456789012|c
tiny:0.00000015|g
not_a_number:NaN|g
infinite:Inf|g
negative:-Inf|g
quoted:1|c|#text:a"b\\c é 😀
le_as_a_name:1|c|#le:x
timer:5|ms|#a:b
timer:7|ms"""


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        subject = engine()
        subject.feed(LINES.encode(), 0.0)
        subject.sweep(0.0)
        self.send_response(200)
        self.send_header("Content-Type", choose("", openmetrics=False).content_type)
        self.end_headers()
        self.wfile.write(page(subject).encode())

    def log_message(self, *_: object) -> None:
        pass


def test_prometheus_reads_every_value_and_label_back() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            with Prometheus(f"127.0.0.1:{server.server_address[1]}") as prometheus:
                prometheus.wait_for('up{job="test"} == 1')

                def value(expression: str) -> float:
                    return prometheus.wait_for(expression)[0][1]

                assert value("plain") == 1
                assert value("big") == 123456789012
                assert value("tiny") == 1.5e-07
                assert math.isnan(value("not_a_number"))
                assert value("infinite") == math.inf
                assert value("negative") == -math.inf
                assert prometheus.wait_for("quoted")[0][0]["text"] == 'a"b\\c é 😀'
                assert value('timer{quantile="0.5",a="b"}') == 0.005
                assert value("sum(timer_count)") == 2
                assert value("sum(timer_sum)") == pytest.approx(0.012)
        finally:
            server.shutdown()
            thread.join()

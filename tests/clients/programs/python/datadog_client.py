"""DogStatsD's client of Datadog: python datadog_client.py PORT, or the path of a unix stream socket."""

import sys

from datadog.dogstatsd import DogStatsd

where = sys.argv[1]
to = (
    {"host": "127.0.0.1", "port": int(where)} if where.isdigit() else {"socket_path": f"unixstream://{where}"}
)
client = DogStatsd(
    **to, telemetry_min_flush_interval=3600, disable_telemetry=True, origin_detection_enabled=False
)
for number in range(3):
    client.increment("dd.count", 2, tags=["site:a", "plain"])
    client.gauge("dd.level", number)
    client.timing("dd.time", 250)
    client.histogram("dd.size", 2.5)
    client.distribution("dd.spread", 4)
    client.set("dd.users", f"user {number % 2}")
client.count_with_timestamp("dd.then", 5, 1700000000)
client.event("title", "two\nlines | and é", alert_type="error", priority="low", tags=["site:a"])
client.service_check("dd.up", 1, tags=["site:a"], message="slow | but there")
client.flush()
client.close_socket()

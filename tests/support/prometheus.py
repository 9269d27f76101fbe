"""A real Prometheus that scrapes a service under test."""

from __future__ import annotations

import json
import tempfile
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.programs import need
from tests.support.waiting import until
from tests.support.web import get

_CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: {job}
  metrics_path: {path}
  static_configs: [{{targets: [{targets}]}}]
"""


class Prometheus:
    """Scrapes *targets* (``host:port``) every second; skips the test where there is no Prometheus."""

    def __init__(
        self,
        *targets: str,
        path: str = "/metrics",
        job: str = "test",
        config: str = "",
        flags: Sequence[str] = (),
    ) -> None:
        program = need("prometheus", "prometheus")
        self._folder = tempfile.TemporaryDirectory(prefix="prometheus-")
        file = Path(self._folder.name) / "prometheus.yml"
        names = ", ".join(json.dumps(target) for target in targets)
        file.write_text(config or _CONFIG.format(job=job, path=path, targets=names))
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        listen = f"--web.listen-address=127.0.0.1:{port}"
        storage = f"--storage.tsdb.path={self._folder.name}/data"
        self.process = Process([program, f"--config.file={file}", storage, listen, *flags])
        try:
            until(self._ready, 60, "Prometheus to be ready", ignoring=(OSError,))
        except BaseException:
            self.close()
            raise

    def _ready(self) -> bool:
        assert self.process.returncode is None, self.process.output
        return self._get("/-/ready").startswith("Prometheus")

    def _get(self, path: str) -> str:
        return get(self.url + path).body

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Return the instant vector of *expression*: (labels, value) of each series."""
        text = self._get("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        rows = json.loads(text)["data"]["result"]
        return [(row["metric"], float(row["value"][1])) for row in rows]

    def wait_for(self, expression: str, timeout: float = 60.0) -> list[tuple[dict[str, str], float]]:
        """Return the vector of *expression* once it is not empty."""
        return until(lambda: self.query(expression), timeout, f"a series of {expression}; {self.targets()}")

    def targets(self) -> list[dict[str, Any]]:
        """Return the active targets with their ``health`` and ``lastError``."""
        return list(json.loads(self._get("/api/v1/targets"))["data"]["activeTargets"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.process.close()
        self._folder.cleanup()

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
from tests.support.programs import lack, need
from tests.support.waiting import until
from tests.support.web import get
from tools import gotools

_CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: {job}
  metrics_path: {path}
  static_configs: [{{targets: [{targets}]}}]
"""


def three(program: gotools.Program = gotools.PROMETHEUS) -> str:
    """Return the path of a *program* of Prometheus 3; skip the test where it is not."""
    path = gotools.place(program)
    if not path.exists():
        lack(f"{program.name} {program.version} is not here: make servers, which builds it by Go")
    return str(path)


class Prometheus:
    """Scrapes *targets* (``host:port``) every second; skips the test where there is no Prometheus.

    *program* is another than Debian's, *config* its whole file instead of one for *targets*.
    """

    def __init__(
        self,
        *targets: str,
        path: str = "/metrics",
        job: str = "test",
        config: str = "",
        program: str = "",
        flags: Sequence[str] = (),
    ) -> None:
        program = program or need("prometheus", "prometheus")
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

    def ask(self, what: str, **parameters: str) -> Any:
        """Return the data that the API has at *what*, such as ``query_exemplars``."""
        return json.loads(self._get(f"/api/v1/{what}?{urllib.parse.urlencode(parameters)}"))["data"]

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Return the instant vector of *expression*: (labels, value) of each series that is a number."""
        rows = self.ask("query", query=expression)["result"]
        return [(row["metric"], float(row["value"][1])) for row in rows if "value" in row]

    def wait_for(self, expression: str, timeout: float = 60.0) -> list[tuple[dict[str, str], float]]:
        """Return the vector of *expression* once it is not empty."""
        return until(lambda: self.query(expression), timeout, f"a series of {expression}; {self.targets()}")

    def targets(self) -> list[dict[str, Any]]:
        """Return the active targets with their ``health`` and ``lastError``."""
        return list(self.ask("targets")["activeTargets"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.process.close()
        self._folder.cleanup()

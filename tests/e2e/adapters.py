"""A metrics adapter as its users start it, on free ports."""

from __future__ import annotations

import gzip
import re
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.programs import script
from tests.support.waiting import until

_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)")


class Answer(NamedTuple):
    status: int
    text: str
    headers: Mapping[str, str]


class Adapter(Process):
    """The process, its ports and its page."""

    def __init__(
        self,
        *flags: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        by: Sequence[str] = (),
    ) -> None:
        self.web, self.lines = free_port(), free_port()
        own = [f"--web.listen-address=127.0.0.1:{self.web}"]
        for kind in ("udp", "tcp"):
            if not any(flag.startswith(f"--statsd.listen-{kind}=") for flag in flags):
                own.append(f"--statsd.listen-{kind}=127.0.0.1:{self.lines}")
        super().__init__([*by, script("podmates-metrics"), *own, *flags], env=env, cwd=cwd)

    def __enter__(self) -> Self:
        try:
            until(lambda: self.get("/livez").status == 200, 60, "the adapter to listen", ignoring=(OSError,))
        except AssertionError as error:
            raise AssertionError(f"{error}; its output:\n{self.output}") from None
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Where the StatsD lines go."""
        return ("127.0.0.1", self.lines)

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Return what the web port answers, whatever the status."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._ask(path, method, named, None)

    def post(self, path: str, body: str) -> Answer:
        """Return the answer to a POST of *body*, whatever the status."""
        return self._ask(path, "POST", {"Content-Type": "application/json"}, body.encode())

    def _ask(self, path: str, method: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        url = f"http://127.0.0.1:{self.web}{path}"
        request = urllib.request.Request(url, data=body, method=method, headers=dict(headers))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as response:
                answer = response.read()
                if response.headers.get("Content-Encoding") == "gzip":
                    answer = gzip.decompress(answer)
                return Answer(response.status, answer.decode(), dict(response.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read().decode(), dict(error.headers))

    def samples(self) -> dict[str, float]:
        """Return the page of metrics: series as written → value."""
        lines = self.get("/metrics").text.splitlines()
        return {found[1]: float(found[2]) for line in lines if (found := _SAMPLE.fullmatch(line))}

    def wait_for(self, wanted: Mapping[str, float], timeout: float = 60.0) -> dict[str, float]:
        """Return the page once it holds every series of *wanted* with its value."""

        def look() -> dict[str, float]:
            page = self.samples()
            return page if all(page.get(name) == value for name, value in wanted.items()) else {}

        return until(look, timeout, f"{wanted} on the page of\n{self.output}")

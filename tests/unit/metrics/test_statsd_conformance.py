"""What was observed of statsd_exporter holds here, in the engine itself: no socket, no clock."""

from __future__ import annotations

from typing import Any

import pytest

from podmates_metrics.collector import Own
from podmates_metrics.documents import parse
from podmates_metrics.exposition.text import merged
from podmates_metrics.metrics import RESERVED
from podmates_metrics.statsd.engine import Engine
from podmates_metrics.statsd.framing import Newlines
from podmates_metrics.statsd.line import Styles
from podmates_metrics.statsd.mapper import Mapper
from podmates_metrics.statsd.mapping import decode
from podmates_metrics.statsd.store import Store
from podmates_metrics.tree import Fault
from tests.support import statsd_cases
from tests.support.statsd_cases import Case
from tests.unit.metrics.engines import TWINS, twin

# What needs a process: tests/e2e/test_metrics_conformance.py plays those.
OUTSIDE = ("http", "exits", "file_mode", "relay_receives")
CASES = {
    case["id"]: case
    for case in statsd_cases.cases()
    if not any(key in step for step in statsd_cases.steps(case) for key in OUTSIDE)
}
# Files that end the original once a line comes are refused when they are read.
REFUSED = {
    "hazard/buckets not increasing": "buckets must increase",
    "hazard/quantile above one": "quantile and error must lie between 0 and 1",
    "hazard/reserved label from mapping": "invalid label key: __xx",
}


class Player:
    """An engine that does what the steps of a case say."""

    def __init__(self, case: Case, which: str) -> None:
        module = twin(which)
        self.now = 1000.0
        self._config = case.get("config_yaml") or ""
        store = Store(module.Cell, reserved=RESERVED)
        self._engine = Engine(module, self._mapper(), _styles(case.get("flags", [])), store=store)

    def _mapper(self) -> Mapper:
        return Mapper(decode(parse(self._config)))

    def play(self, step: dict[str, Any]) -> list[str]:
        """Do what *step* says; return what is not as it wants."""
        if "send" in step:
            self._send(step["send"], stream=step.get("transport") == "tcp")
        elif "sleep" in step:
            for _ in range(round(step["sleep"] * 10)):
                self.now += 0.1
                self._engine.sweep(self.now)
        elif "write_config" in step:
            self._config = step["write_config"]
        elif "signal" in step:
            self._reload()
        else:
            own = Own([self._engine.totals]).families()
            text = "".join(merged(list(self._engine.store.families.values()), own))
            return statsd_cases.problems(step, statsd_cases.read(text))
        return []

    def _send(self, packets: list[str], *, stream: bool) -> None:
        lines = Newlines()
        for packet in packets:
            data = lines.take(packet.encode()) if stream else packet.encode()
            if data is not None:
                self._engine.feed(data, self.now)
        if lines.rest():
            self._engine.feed(lines.rest(), self.now)

    def _reload(self) -> None:
        try:
            self._engine.use(self._mapper())
        except Fault:
            self._engine.reloads["failure"] += 1
        else:
            self._engine.reloads["success"] += 1


def _styles(flags: list[str]) -> Styles:
    off = {flag.removeprefix("--no-statsd.parse-").removesuffix("-tags"): False for flag in flags}
    return Styles(**{name: on for name, on in off.items() if not name.startswith("--")})


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize("name", [name for name in CASES if name not in REFUSED])
def test_a_page_shows_what_the_originals_page_shows(name: str, which: str) -> None:
    player = Player(CASES[name], which)

    for number, step in enumerate(statsd_cases.steps(CASES[name])):
        assert player.play(step) == [], f"step {number}"


@pytest.mark.parametrize(("name", "reason"), REFUSED.items())
def test_a_file_that_ends_the_original_later_is_refused(name: str, reason: str) -> None:
    with pytest.raises(Fault, match=reason):
        Player(CASES[name], "pure")


def test_a_case_that_is_not_met_is_found() -> None:
    player = Player(CASES["frame/udp trailing newline"], "pure")
    player.play({"send": ["foo:1|c\nbar:1|c"]})
    wanted = {"expect": [{"name": "foo", "labels": {}, "type": "gauge", "value": 2.0}], "strict": True}

    assert len(player.play(wanted | {"absent": ["bar"], "expect_errors": {"x": 1}})) == 4

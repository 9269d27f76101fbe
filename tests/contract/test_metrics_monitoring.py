"""Alerts and dashboard for the adapter's own state: promtool takes them, and they ask for what there is."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from podmates_metrics.metrics import RESERVED
from tests.support.programs import need

FOLDER = Path(__file__).parents[2] / "images" / "metrics-adapter" / "monitoring"
ALERTS, ALERTS_TEST, DASHBOARD = (
    FOLDER / name for name in ("alerts.yaml", "alerts-test.yaml", "dashboard.json")
)
_METRIC = re.compile(r"\b(?:podmates|statsd|process)_\w+")
_VARIABLES = {"$__rate_interval": "5m", "$__range": "1h", "$job": ".*", "$instance": ".*"}


def promtool(*words: str | Path) -> None:
    ended = subprocess.run(
        [need("promtool", "prometheus"), *words], capture_output=True, text=True, timeout=120, cwd=FOLDER
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


def expressions() -> list[str]:
    """Return what the dashboard's panels ask for, as Grafana sends it."""
    found = []
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            text = target["expr"]
            for variable, value in _VARIABLES.items():
                text = text.replace(variable, value)
            found.append(text)
    return found


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def test_promtool_takes_the_alerts_and_each_fires_on_its_trouble_alone() -> None:
    promtool("check", "rules", ALERTS)
    promtool("test", "rules", ALERTS_TEST)

    tested = set(re.findall(r'alertname="(\w+)"', ALERTS_TEST.read_text()))
    assert tested == {alert["alert"] for alert in alerts()}


def test_promtool_takes_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(expressions())]
    file = tmp_path / "rules.json"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))

    assert len(rules) > 20
    promtool("check", "rules", file)


def test_they_ask_only_for_metrics_that_the_adapter_has() -> None:
    asked = {name for text in expressions() for name in _METRIC.findall(text)}
    asked |= {name for alert in alerts() for name in _METRIC.findall(alert["expr"])}

    assert len(asked) > 20
    assert asked - RESERVED == set()


def test_the_panels_of_the_dashboard_stand_beside_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    panels = json.loads(DASHBOARD.read_text())["panels"]
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)

"""Rewrite the generated tables in the READMEs: ``make docs``."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from podmates_common.reference import markdown
from podmates_common.settings import options

ROOT = Path(__file__).parents[1]
SERVICES = {
    "sidecars/gitsync": "podmates_gitsync",
    "ambassadors/redis": "podmates_redis",
    "adapters/metrics": "podmates_metrics",
}


def settings_table(package: str) -> str:
    """Return the Markdown table of every setting of *package*."""
    module = importlib.import_module(f"{package}.settings")
    return markdown(options(module.Settings, module.PREFIX))


def metrics_table(package: str) -> str:
    """Return the Markdown table of every metric that *package* has of its own."""
    lines = ["| Metric | Type | Labels | Meaning |", "|---|---|---|---|"]
    for metric in importlib.import_module(f"{package}.metrics").METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        lines.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |")
    return "\n".join(lines) + "\n"


TABLES = {"settings": settings_table, "metrics": metrics_table}


def render(text: str, package: str) -> str:
    """Return the README *text* with every generated table as the code would print it today.

    Raises:
        ValueError: the README has no place for one of the tables.
    """
    for name, table in TABLES.items():
        block = re.compile(rf"(<!-- {name}: make docs -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        place = block.search(text)
        if not place:
            raise ValueError(f"no place for the {name} table")
        text = text[: place.end(1)] + table(package) + text[place.start(2) :]
    return text


def main() -> None:
    for folder, package in SERVICES.items():
        readme = ROOT / folder / "README.md"
        readme.write_text(render(readme.read_text(), package))


if __name__ == "__main__":
    main()

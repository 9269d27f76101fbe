"""jmx_exporter's files in the native form on a real JVM: the answers that jmx_exporter itself gave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podmates_metrics import command, config
from podmates_metrics.converting.verb import converted
from podmates_metrics.parts import sources
from tests.contract.test_jmx_rules import OWN, as_observed, pages
from tests.support.jmx_pages import Series
from tests.support.jvm import Jvm, observed_beans
from tests.unit.metrics.test_metrics_convert_jmx import CASES, CONVERTED

STANDARD = (*OWN, "jvm_", "process_")  # which a native source makes, as an agent does


@pytest.fixture(scope="module")
def beans() -> Iterator[Jvm]:
    with observed_beans() as jvm:
        yield jvm


def observed(case: dict[str, Any], jvm: Jvm, folder: Path) -> Series:
    """Return what the native form of a case's file makes, which is as it was observed."""
    old, new = folder / "old.yaml", folder / "new.yaml"
    old.write_text(json.dumps({key: value for key, value in case["file"].items() if key != "jmxUrl"}))
    new.write_text(converted(str(old), "jmx_exporter", {"": jvm.address}))
    told = command.words([f"--config.file={new}", "--source.timeout=30s"])
    settings = command.load(told, {}).settings
    [source] = sources(settings, config.read(settings, {}))
    return as_observed(case, pages(source, 2), own=STANDARD)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [name for name in CONVERTED if name != "hostPort and jmxUrl"])
def test_the_native_form_gives_what_jmx_exporter_gave(name: str, beans: Jvm, tmp_path: Path) -> None:
    observed(CASES[name], beans, tmp_path)


def test_a_selection_and_the_usual_metrics_of_a_jvm_can_be_said(beans: Jvm, tmp_path: Path) -> None:
    file = {"includeObjectNames": ["awk.empty:*"]}
    case = {"file": file, "want": {"types": {}, "samples": [["awk_empty_v", {}, 1]], "error": 0}}

    with_them = observed(case, beans, tmp_path)
    without = observed({**case, "file": {**file, "excludeJvmMetrics": True}}, beans, tmp_path)

    assert with_them["jvm_memory_used_bytes", (("area", "heap"),)] > 0
    assert not [name for name, _ in without if name.startswith(("jvm_", "java_"))]

"""The flag ``--jmx.config``: a jmx_exporter file, and which JVMs it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from podmates_metrics import config
from podmates_metrics.command import load, words
from podmates_metrics.config import Files
from podmates_metrics.tree import Fault


def read(folder: Path, text: str, *flags: str) -> Files:
    path = folder / "jmx.yaml"
    path.write_text(text)
    return config.read(load(words([f"--jmx.config={path}", *flags]), {}).settings, {})


def test_its_own_jvm_is_read_where_no_flag_names_one(tmp_path: Path) -> None:
    found = read(tmp_path, "hostPort: shop:9999\nrules: [{pattern: a, name: a}]")

    assert [target.label for target in found.jvms] == ["shop:9999"]
    assert found.shapes == {"jmx_exporter"}


def test_jvms_of_flags_take_the_place_of_its_own(tmp_path: Path) -> None:
    found = read(tmp_path, "hostPort: shop:9999", "--jmx.target=a=h:1", "--jmx.target=b=h:2")

    assert [target.label for target in found.jvms] == ["a", "b"]
    assert found.targets == []  # none is read without the file's rules


def test_a_file_without_a_key_is_one_of_jmx_exporter_there(tmp_path: Path) -> None:
    found = read(tmp_path, "", "--jmx.target=h:1")

    assert [target.label for target in found.jvms] == ["h:1"]


def test_a_fault_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"jmx.yaml: line 1: rules"):
        read(tmp_path, "rules: [{pattern: '(', name: x}]")
    with pytest.raises(Fault, match="hostPort or jmxUrl is missing"):
        read(tmp_path, "rules: []")


def test_changes_of_the_file_are_looked_for(tmp_path: Path) -> None:
    assert str(tmp_path / "jmx.yaml") in read(tmp_path, "hostPort: h:1").watching

"""Stores as Java itself takes them: which keys they have, and whom they have it believe."""

from __future__ import annotations

import subprocess
from pathlib import Path

from podmates_metrics.keystores.entries import anchors
from podmates_metrics.tree import Fault
from tests.support.certificates import Authority
from tests.support.jvm import compiled, need_java
from tests.support.keystores import LEGACY, PASSWORD, key_store, trust_store
from tests.unit.metrics.keystores.recorded import DATA, read, subject

RECORDED = ("two.p12", "two.jks", "old.p12", "open.p12", "chain.p12")  # those whose password is "secret"


def _ours(path: Path, password: str) -> str:
    found = read(path.read_bytes(), password)
    try:
        believed = anchors(found)
    except Fault:
        believed = []
    keys = sorted(f"{entry.alias}={len(entry.chain)}" for entry in found.entries if entry.chain)
    return f"{','.join(keys)} {','.join(sorted('CN=' + subject(each) for each in believed))}"


def test_java_finds_the_same_in_a_store(tmp_path: Path) -> None:
    java, authority = need_java(), Authority(tmp_path)
    certificates = {name: authority.issue(name) for name in ("Web", "other")}
    given = [(DATA / name, "secret") for name in RECORDED]
    for form, more in (("PKCS12", ()), ("PKCS12", LEGACY), ("JKS", ())):
        for mixed in (False, True):
            path = tmp_path / f"{form}{len(more)}{mixed}"
            key_store(path, form=form, more=more, **certificates)
            if mixed:
                trust_store(path, authority, Authority(tmp_path, "else"), form=form, more=more)
            given.append((path, PASSWORD))
    words = [str(word) for pair in given for word in pair]
    argv = [java, "-Xmx64m", "-cp", str(compiled("Stores")), "Stores", *words]
    said = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120).stdout.splitlines()

    assert said == [_ours(*pair) for pair in given]
    assert len({*said}) > 5

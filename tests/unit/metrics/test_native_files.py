"""The key files of a native file: which foreign files it takes, for which source, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from podmates_metrics import command, config
from podmates_metrics.documents import parse
from podmates_metrics.native.file import decode
from podmates_metrics.tree import Fault
from podmates_metrics.trial.run import run
from podmates_metrics.trial.verb import beside

FILES = {
    "mapping.yaml": "mappings: [{match: 'a.*', name: a, labels: {xx: $1}}]",
    "kafka.yaml": "rules: [{pattern: 'd<type=(.)><>Count', name: seen, labels: {a: $1}}]",
    "own.yaml": "{hostPort: 'b:2', includeObjectNames: ['d:*']}",
    "modules.yaml": "modules: {shop: {metrics: [{name: orders, path: '{.open}'}]}}",
    "native.yaml": "sources: {}",
    "wrong.yaml": "mappings: [{match: a, name: b, bogus: 1}]",
}
SOURCES = (
    "sources: {app: {statsd: {udp: ':9125'}}, jvm: {jmx: {target: 'a:1'}}, page: {http: {url: 'http://x'}}}"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "more").mkdir()
    for name, text in FILES.items():
        (tmp_path / "more" / name).write_text(text)
    return tmp_path


def read(folder: Path, text: str, *flags: str) -> config.Files:
    path = folder / "rules.yaml"
    path.write_text(text)
    told = command.words([f"--config.file={path}", *flags])
    return config.read(command.load(told, {}).settings, {})


def test_each_file_is_read_as_what_it_is_and_watched(folder: Path) -> None:
    absolute = folder / "more" / "modules.yaml"
    found = read(folder, f"{SOURCES}\nfiles: [more/mapping.yaml, jvm: more/kafka.yaml, {absolute}]")

    assert found.shapes == {"native", "statsd_exporter", "jmx_exporter", "json_exporter"}
    assert [rule.name for rule in found.mapping.rules] == ["a"]
    assert found.statsd_rules() is None
    assert [target.label for file in found.jmx for target in file.targets] == ["jvm"]
    assert found.targets == []
    assert sorted(found.asked) == ["jvm", "page"]
    assert list(found.modules) == ["shop"]
    names = {str(folder / "more" / name) for name in ("mapping.yaml", "kafka.yaml", "modules.yaml")}
    assert names <= set(found.watching)
    assert {"series a", "series seen", "module shop", "source jvm"} <= set(found.named)


def test_a_file_that_names_its_jvm_keeps_it_unless_a_source_is_said(folder: Path) -> None:
    alone = read(folder, "files: [more/own.yaml]")
    given = read(folder, f"{SOURCES}\nfiles: [{{jvm: more/own.yaml}}]")

    assert [str(target.registry) for target in alone.jvms] == ["b:2"]
    assert [str(target.registry) for target in given.jvms] == ["a:1"]


def test_a_file_without_a_jvm_takes_those_of_the_flags(folder: Path) -> None:
    found = read(folder, "files: [more/kafka.yaml]", "--jmx.target=c:3")

    assert [str(target.registry) for target in found.jmx[0].targets] == ["c:3"]


FAULTS = {
    "files: more/mapping.yaml": "line 2: files: want a list",
    "files: [[a]]": "line 2: files[0]: want the path of a file, or SOURCE: PATH",
    "files: ['']": "files[0]: want the path",
    "files: [{app: a, jvm: b}]": "files[0]: want the path",
    "files: [other: more/mapping.yaml]": "files[0]: there is no source other",
    "files: [page: more/modules.yaml]": "files[0]: source page takes no file",
    "files: [app: more/mapping.yaml, app: more/mapping.yaml]": "files[1]: there is a file for source app",
    "files: [more/none.yaml]": "/more/none.yaml: No such file",
    "files: [more/wrong.yaml]": "/more/wrong.yaml: line 1: mappings[0].bogus: field bogus not found",
    "files: [more/native.yaml]": "/more/native.yaml: a native file; files[0] wants one of statsd_exporter",
    "files: [jvm: more/mapping.yaml]": "a statsd_exporter file; files[0] wants one of jmx_exporter",
    "files: [more/mapping.yaml, more/mapping.yaml]": "there is a mapping file already",
    "files: [more/modules.yaml, more/modules.yaml]": "there is a module shop already",
    "files: [more/kafka.yaml]": "hostPort or jmxUrl is missing",
    "files: [jvm: more/own.yaml]\nrules: [{from: jvm, name: a}]": "files[0]: source jvm has rules of its own",
    "files: [more/mapping.yaml]\nrules: [{from: app, name: a}]": "StatsD lines have native rules and a",
}


@pytest.mark.parametrize(("text", "reason"), FAULTS.items(), ids=FAULTS.values())
def test_what_cannot_be_taken_is_told_with_both_names(folder: Path, text: str, reason: str) -> None:
    with pytest.raises(Fault, match=re.escape(reason)) as caught:
        read(folder, f"{SOURCES}\n{text}")
    missing = ("hostPort" in reason, "StatsD lines" in reason)
    assert any(missing) or str(caught.value).startswith(f"{folder}/rules.yaml: ")


def test_a_source_that_says_what_is_read_takes_no_file(folder: Path) -> None:
    text = "sources: {jvm: {jmx: {target: 'a:1', include: ['d:*']}}}\nfiles: [jvm: more/kafka.yaml]"

    with pytest.raises(Fault, match="source jvm says itself what is read and how"):
        read(folder, text)


SAMPLES = {
    "app": ("a.b:3|c", ['a{xx="b"} 3']),
    "jvm": ("d<type=A><>Count: 4", ['seen{a="A"} 4']),
    "shop": ('{"open": 5}', ["orders 5"]),
}


@pytest.mark.parametrize(("source", "sample", "wanted"), [(name, *pair) for name, pair in SAMPLES.items()])
def test_a_sample_is_tried_by_the_file_of_its_source(
    folder: Path, source: str, sample: str, wanted: list[str]
) -> None:
    text = f"{SOURCES}\nfiles: [more/mapping.yaml, jvm: more/kafka.yaml, more/modules.yaml]"

    trial = run(parse(text), sample.encode(), source, load=beside(str(folder / "rules.yaml")))

    assert (trial.series, trial.good) == (wanted, True)


@pytest.mark.parametrize(
    ("files", "source", "sample", "wanted"),
    [
        ("more/mapping.yaml", "", "a.b:3|c", ['a{xx="b"} 3']),
        ("more/own.yaml", "", "d<type=A><>Count: 4\ne<type=A><>Count: 4\nwhat", ["d_A_Count 4"]),
        ("more/modules.yaml", "", "no json", []),
        ("more/modules.yaml", "", "{}", []),
    ],
)
def test_files_alone_can_be_tried(
    folder: Path, files: str, source: str, sample: str, wanted: list[str]
) -> None:
    load = beside(str(folder / "rules.yaml"))

    trial = run(parse(f"files: [{files}]"), sample.encode(), source, load=load)

    assert trial.series == wanted
    assert trial.good == (files == "more/mapping.yaml")
    assert trial.good or trial.notes


def test_a_trial_over_http_reads_no_files(folder: Path) -> None:
    with pytest.raises(Fault, match=re.escape("line 1: files[0]: files are not read here")):
        run(parse("files: [/etc/passwd]"), b"")
    with pytest.raises(Fault, match=re.escape("more/wrong.yaml: line 1: mappings[0].bogus")):
        run(parse("files: [more/wrong.yaml]"), b"", load=beside(str(folder / "rules.yaml")))
    tree = parse("files: [x]")
    assert tree is not None
    assert decode(tree).files[0].source == ""

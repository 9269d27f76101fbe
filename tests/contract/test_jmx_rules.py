"""jmx_exporter's files on a real JVM: the answers that jmx_exporter itself gave, and where ours differ."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podmates_metrics.documents import load
from podmates_metrics.jmx.source import JmxSource
from podmates_metrics.jmx_exporter.files import decoded, sources
from podmates_metrics.jmx_exporter.patterns import compile_pattern
from podmates_metrics.sources.base import Family
from podmates_metrics.tree import Fault
from tests.support.jmx_pages import Series, series
from tests.support.jvm import Jvm, compiled, need_java, observed_beans

SUPPORT = Path(__file__).parents[1] / "support"
CASES = [json.loads(line) for line in (SUPPORT / "jmx_cases.jsonl").read_text().splitlines()]
OWN = ("jmx_", "podmates_")


@pytest.fixture(scope="module")
def beans() -> Iterator[Jvm]:
    with observed_beans() as jvm:
        yield jvm


def made(path: Path, file: dict[str, Any], jvm: Jvm, *, standard: bool = False) -> JmxSource:
    """Return the source that reads *jvm* by a file with this content."""
    path.write_text(json.dumps({"hostPort": jvm.address, **file}))
    known = decoded(str(path), load(str(path)), {}, standalone=not standard)
    [source] = sources(known, deadline=30, labelled=False)
    return source


def pages(source: JmxSource, times: int = 1) -> list[Family]:
    async def run() -> list[Family]:
        try:
            for _ in range(times - 1):
                await source.collect()
            return await source.collect()
        finally:
            await source.close()

    return asyncio.run(run())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_file_gives_what_jmx_exporter_gave(case: dict[str, Any], beans: Jvm, tmp_path: Path) -> None:
    """Where the case says `differs` the answer is ours, on purpose."""
    want = case["want"]
    if "refused" in want:
        with pytest.raises(Fault):
            made(tmp_path / "file.yaml", case["file"], beans)
        return
    families = pages(made(tmp_path / "file.yaml", case["file"], beans), 2)
    shown = as_observed(case, families)
    assert shown["jmx_scrape_cached_beans", ()] == want["cached"]


def as_observed(case: dict[str, Any], families: list[Family], *, own: tuple[str, ...] = OWN) -> Series:
    """Assert that *families* are what was observed, but for names beginning with *own*; return the series."""
    want, found = case["want"], series(families)
    shown = {key: value for key, value in found.items() if not key[0].startswith(own)}
    wanted = {(name, tuple(sorted(labels.items()))): value for name, labels, value in want["samples"]}
    kinds = {family.name: family.kind for family in families}

    assert {key: shown.get(key) for key in wanted} == {
        key: shown.get(key) if value is None else value for key, value in wanted.items()
    }
    assert set(wanted) <= set(shown) if want.get("partial") else set(wanted) == set(shown)
    assert {name: kinds[name] for name in want["types"]} == want["types"]
    assert {f.name: f.help for f in families if f.name in want.get("helps", {})} == want.get("helps", {})
    assert found["jmx_scrape_error", ()] == want["error"]
    return found


def test_what_is_dropped_is_counted(beans: Jvm, tmp_path: Path) -> None:
    rules = [
        {"pattern": "type=B.*><>Count", "name": "negative", "type": "COUNTER"},
        {"pattern": "name=(two)><>Count", "name": "double", "labels": {"a-b": "1", "a_b": "2"}},
    ]

    found = series(pages(made(tmp_path / "file.yaml", {"rules": rules}, beans)))

    assert found["podmates_jmx_samples_dropped_total", (("reason", "negative_counter"),)] == 1
    assert found["podmates_jmx_samples_dropped_total", (("reason", "duplicate_label"),)] == 1
    assert found["double", (("a_b", "2"),)] == 2


def test_beside_rules_stand_the_usual_metrics_of_a_jvm_unless_they_are_excluded(
    beans: Jvm, tmp_path: Path
) -> None:
    file = {"includeObjectNames": ["awk.empty:*"]}

    found = series(pages(made(tmp_path / "file.yaml", file, beans, standard=True)))
    without = series(
        pages(made(tmp_path / "file.yaml", {**file, "excludeJvmMetrics": True}, beans, standard=True))
    )

    assert found["jvm_memory_used_bytes", (("area", "heap"),)] > 0
    assert found["awk_empty_v", ()] == without["awk_empty_v", ()] == 1
    assert not [name for name, _ in found if name.startswith("java_lang")]
    assert not [name for name, _ in without if name.startswith(("jvm_", "java_"))]


def test_a_changed_file_counts_from_the_next_scrape_and_a_wrong_one_never(beans: Jvm, tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"

    def content(name: str) -> str:
        rule = {"pattern": "awk.empty", "name": name}
        return json.dumps({"hostPort": beans.address, "rules": [rule]})

    async def run() -> None:
        source = made(path, {"rules": [{"pattern": "awk.empty", "name": "first"}]}, beans)
        try:
            assert ("first", ()) in series(await source.collect())
            for text, name, good, bad in (
                (content("second one"), "second_one", 1, 0),
                (content("broken $1"), "second_one", 1, 1),
                (content("broken $1") + " ", "second_one", 1, 2),
                ('{"hostPort": "elsewhere:1"}', "second_one", 1, 3),
                (content("third"), "third", 2, 3),
            ):
                path.write_text(text)
                for _ in range(2):
                    found = series(await source.collect())
                    assert (name, ()) in found, text
                    assert found["jmx_config_reload_success_total", ()] == good
                    assert found["jmx_config_reload_failure_total", ()] == bad
        finally:
            await source.close()

    asyncio.run(run())


PATTERNS = r"""
kafka.server<type=(.+), name=(.+)><>Value
kafka.(\w+)<type=(.+), name=(.+)PerSec\w*, topic=(.+)><>Count
java.lang<type=(\w+)><(\w+)>(\w+): (\d+)
([a-z.]*)<type
(.*)Count
zzz|<type=(A|B), (.*)>
^java\.lang<
><>(Count|Value): (.*)$
org.cache<type=(\S*)(?:, ((?!scope)\S*)=(\S*))?(?:, scope=(\S*))?, name=(\S*)><>(Count|Value)
(?i)KAFKA\.(SER)ver
a(?i)b|C(d)
(?<first>\w+)=(?<second>[^,>]+)
[a-k&&[^c-e]]+(x?)
[^a-z[0-9]<>]+
[\w&&[^\d]]{3,}(\d+)
\Q<>\E(.+?):
(?s)a.c(.*)
(a|ab)(c|bcd)(d*)
(x*)(x+)(x?)
(?:(a)|b)+
([A-Z]\w*?)(\d*): ([\d.E-]+)
\p{Upper}\p{Lower}+\s\p{Digit}
\p{Lu}(\p{L}+)
(\d{2,3})(\d?)
[]x]+(y)?
[a\-z]+
(\w+)\.\1
(?<n>o)\k<n>
\bname\b=(.)
(?x) type = [ a-z A-Z ]+ (\w*)
\x41(\u0042)\0103
(?=.*topic)type=(\w+)
(?<=type=)(\w+)(?!x)
\h+(\S)
[é-ü]+
(?:^|.*\W)(p\d+)%
.*<type=(.*), key="(.*)"><>
"""
SUBJECTS = """
kafka.server<type=BrokerTopicMetrics, name=MessagesInPerSec, topic=orders.eu><>Count: 1000
kafka.server<type=ReplicaManager, name=PartitionCount><>Value: 12
java.lang<type=Memory><HeapMemoryUsage>used: 123456
org.cache<type=Client, scope=Read, name=Latency><>Count: 5
org.cache<type=Client, path=a=b, name=Latency><>p99: 1.5E-5
awk.dup<type=A, name=one><>Count: 5.0
awk.dup<type=B, name=three><>Text: 12.5
x<key="a,b=c\\"d", type=Zé><>Attr With 1 Space: true
d<type=T, key="say \\"hi\\""><>some.some: Infinity
abcd abc aXc
xxxx
foo.foo ABC ba
Ärger ÄRGER über é ü
[x]y a-z-a 1234567
"""


def test_patterns_match_and_capture_as_in_java(tmp_path: Path) -> None:
    need_java()
    patterns, subjects = PATTERNS.strip().split("\n"), SUBJECTS.strip().split("\n")
    files = [tmp_path / name for name in ("patterns", "subjects", "found")]
    for file, lines in zip(files, (patterns, subjects), strict=False):
        file.write_text("\n".join(lines))
    program = ["java", "-Dfile.encoding=UTF-8", "-cp", str(compiled("Matcher")), "Matcher", *map(str, files)]
    subprocess.run(program, check=True, timeout=120)
    answers = iter(files[2].read_text().splitlines())

    for pattern in patterns:
        ours = compile_pattern(pattern)
        for subject in subjects:
            found, theirs = ours.match(subject), next(answers)
            shown = "-" if found is None else "".join("\t" + str(part or "") for part in found[1:])
            assert shown == theirs.replace("\tnull", "\t"), (pattern, subject)

"""Values become readings, readings a page: as jmx_exporter does it, within bounds whatever comes."""

from __future__ import annotations

import math
from typing import Any

import pytest

from podmates_metrics.jmx.javatext import as_double, double_text, float_text, number, text
from podmates_metrics.jmx.javavalues import JavaArray, JavaClass, JavaFloat, JavaObject, Value
from podmates_metrics.jmx.objectname import parse
from podmates_metrics.jmx.report import Drop, Report
from podmates_metrics.jmx.standard import standard_families, system_properties
from podmates_metrics.jmx.walk import TooMuch, Walker
from tests.unit.metrics.jmx.shapes import SHAPES, decode

BEAN = parse("d:type=T,name=n")


def walk(value: Value, budget: int = 1000) -> list[tuple[Any, ...]]:
    found = Walker(budget).attribute(BEAN, "A", "says", value)
    return [(dict(r.properties[2:]), r.keys, r.attribute, r.description, r.value) for r in found]


def composite(**contents: Value) -> JavaObject:
    tree = JavaObject(JavaClass("java.util.TreeMap"))
    tree.written["java.util.TreeMap"] = [part for pair in contents.items() for part in pair]
    made = JavaObject(JavaClass("javax.management.openmbean.CompositeDataSupport"))
    made.fields["contents"] = tree
    return made


def test_scalars() -> None:
    for shape, value in {"integer": 5, "boolean": True, "string": "text", "atomic": 5, "adder": 8}.items():
        assert walk(decode(SHAPES[shape])) == [({}, (), "A", "says", value)]
    assert walk(decode(SHAPES["date"]))[0][-1] == 1_700_000_000.123
    assert walk(decode(SHAPES["big integer"]))[0][-1] == -123456789012345678901234567890
    assert walk(decode(SHAPES["big decimal"]))[0][-1] == 12.5


@pytest.mark.parametrize(
    "shape", ["null", "character", "longs", "strings", "list", "map", "object name", "class", "cycle"]
)
def test_what_is_no_sample_gives_none(shape: str) -> None:
    assert walk(decode(SHAPES[shape])) == []


def test_a_composite_gives_its_items_under_the_attribute() -> None:
    assert walk(decode(SHAPES["composite"])) == [
        ({}, ("A",), "name", "used and max", "eden"),
        ({}, ("A",), "used", "used and max", 1),
    ]


def test_a_table_gives_its_rows_by_label() -> None:
    assert walk(decode(SHAPES["table"])) == [
        ({"name_": "eden"}, ("A",), "max", "used and max", 2),
        ({"name_": "eden"}, ("A",), "used", "used and max", 1),
        ({"name_": "old"}, ("A",), "used", "used and max", 3),
    ]


def test_a_composite_within_itself_ends() -> None:
    inner = composite(one=1)
    inner.fields["contents"].written["java.util.TreeMap"] += ["self", inner]

    with pytest.raises(TooMuch):
        walk(inner)


def test_a_few_composites_that_refer_to_each_other_cannot_make_a_billion_readings() -> None:
    laughing = composite(a=1)
    for _ in range(25):
        laughing = composite(a=laughing, b=laughing, c=laughing)
    report = Report(maximum=5000)

    report.add(BEAN, {}, {"A": laughing, "B": 1})

    assert report.dropped[Drop.TOO_MANY] == 2
    assert sum(len(family.samples) for family in report.families()) <= 5000


def mapping(*parts: Value) -> JavaObject:
    made = JavaObject(JavaClass("java.util.HashMap"))
    made.written["java.util.HashMap"] = list(parts)
    return made


def table(rows: list[Value], index: list[Value], columns: list[Value]) -> JavaObject:
    """Return a table whose rows are as they are given, perhaps all the same one."""
    row_type = JavaObject(
        JavaClass("T"), {"nameToType": mapping(*[x for name in columns for x in (name, 1)])}
    )
    names = JavaArray(JavaClass("[L"), index)
    made = JavaObject(JavaClass("javax.management.openmbean.TabularDataSupport"))
    made.fields["tabularType"] = JavaObject(JavaClass("T"), {"rowType": row_type, "indexNames": names})
    made.fields["dataMap"] = mapping(*[part for row in rows for part in (1, row)])
    return made


def wide(contents: Value) -> JavaObject:
    made = composite()
    made.fields["contents"] = contents
    return made


MANY = 20_000
SAME = wide(mapping(*range(MANY)))
HOSTILE: dict[str, JavaObject] = {
    "a wide row again and again": table([SAME] * MANY, [], []),
    "a composite without readings again and again": composite(
        **{
            f"k{number}": wide(mapping(*[part for _ in range(MANY) for part in (1, 1)]))
            for number in range(9)
        }
    ),
    "rows that are none": table([1] * (MANY * 60), [], []),
    "an index of one name": table([wide(mapping("a", 1))] * 9, ["a"] * MANY, ["a"]),
    "very many names": table([SAME], [f"i{number}" for number in range(MANY * 30)], []),
    "wide cells of an index": table([wide(mapping("a", SAME))] * MANY, ["a"], []),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_looked_at_is_bounded_also_where_it_makes_no_readings(name: str) -> None:
    with pytest.raises(TooMuch):
        walk(HOSTILE[name], 1000)


def java_number(name: str, **fields: Value) -> JavaObject:
    return JavaObject(JavaClass(name), fields)


def big(magnitude: bytes, sign: int = 1) -> JavaObject:
    return java_number(
        "java.math.BigInteger", magnitude=JavaArray(JavaClass("[B"), raw=magnitude), signum=sign
    )


def test_numbers_that_no_double_holds_are_bounded() -> None:
    assert number(big(b"\x01" * 257)) is None
    assert as_double(number(big(b"\xff" * 256)) or 0) == math.inf
    assert number(java_number("java.math.BigDecimal", intVal=big(b"\x01"), scale=2**31 - 1)) is None
    assert number(java_number("java.math.BigDecimal", intVal=big(b"\xff" * 256), scale=-300)) == math.inf
    assert number(java_number("java.math.BigDecimal", intVal=big(b"\xff" * 256, -1), scale=0)) == -math.inf
    assert number(java_number("java.math.BigDecimal", intVal=big(b"\xff" * 256), scale=1)) == math.inf


TEXTS = {
    "0.0": 0.0,
    "-0.0": -0.0,
    "5.0": 5.0,
    "100.0": 100.0,
    "-123.456": -123.456,
    "0.001": 1e-3,
    "1.0E-5": 1e-5,
    "9999999.0": 9999999.0,
    "1.0E7": 1e7,
    "1.0E10": 1e10,
    "1.700000000123E9": 1700000000.123,
    "1.2345678901234568E29": 1.2345678901234568e29,
    "1.7976931348623157E308": 1.7976931348623157e308,
    "5.0E-324": 5e-324,  # 4.9E-324 to Java, which wants two digits there
    "NaN": math.nan,
    "Infinity": math.inf,
    "-Infinity": -math.inf,
}


@pytest.mark.parametrize(("shown", "value"), TEXTS.items())
def test_doubles_read_as_java_writes_them(shown: str, value: float) -> None:
    assert double_text(value) == shown


@pytest.mark.parametrize(
    ("shown", "value"), {"1.1": 1.100000023841858, "0.5": 0.5, "3.4028235E38": 3.4028234663852886e38}.items()
)
def test_floats_have_the_digits_of_a_float(shown: str, value: float) -> None:
    assert float_text(value) == text(JavaFloat(value)) == shown


def test_other_texts() -> None:
    assert text(decode(SHAPES["object name"])) == 'd:b="x,y",a=1'
    assert text(decode(SHAPES["atomic"])) == "5"
    assert [text(value) for value in (None, True, False, 7, "x")] == ["null", "true", "false", "7", "x"]
    assert text(decode(SHAPES["list"])) == "java.util.ArrayList"


def test_equal_label_sets_are_told_apart_by_the_bean() -> None:
    report = Report()
    report.add(parse("d:type=T,a=1"), {}, {"x_total": 1})
    report.add(parse("d:type=T,a=1"), {}, {"x": 2})
    report.add(parse("d:type=T,a=1"), {}, {"x": 3})

    [family] = report.families()

    assert family.name == "d_T_x" and family.kind == "untyped"
    assert [(dict(s.labels)["_objectname"], s.value) for s in family.samples] == [
        ("d<type=T, a=1><>x", 2),
        ("d<type=T, a=1><>x_total", 1),
    ]
    assert report.dropped == {Drop.SAMPLE: 1}


def test_standard_metrics_come_from_the_platform_only() -> None:
    pool = parse("java.lang:type=MemoryPool,name=Eden")
    mine = parse("mine:type=Threading")
    values = {"Usage": composite(used=5, max=-1), "CollectionUsage": None}
    gc = parse("java.lang:type=GarbageCollector,name=Copy")

    found = {
        (f.name + s.suffix, s.labels): s.value
        for f in standard_families(
            {
                "pool": (pool, values),
                "mine": (mine, {"ThreadCount": 3}),
                "gc": (gc, {"CollectionCount": 2, "CollectionTime": 1500}),
            },
            {"java.runtime.version": "17"},
        )
        for s in f.samples
    }

    assert found == {
        ("jvm_memory_pool_used_bytes", (("pool", "Eden"),)): 5,
        ("jvm_memory_pool_max_bytes", (("pool", "Eden"),)): -1,
        ("jvm_gc_collection_seconds_count", (("gc", "Copy"),)): 2,
        ("jvm_gc_collection_seconds_sum", (("gc", "Copy"),)): 1.5,
        ("jvm_runtime_info", (("runtime", ""), ("vendor", ""), ("version", "17"))): 1,
    }


@pytest.mark.parametrize("shape", ["null", "table", "composite", "list", "integer"])
def test_system_properties_of_a_strange_shape_are_none(shape: str) -> None:
    assert system_properties(decode(SHAPES[shape])) == {}

"""Texts of all formats to records: what is read, what is counted as unreadable, what it may cost."""

from __future__ import annotations

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.exposition.text import given
from podmates_metrics.formats.base import Format, FormatProblem, Misses
from podmates_metrics.formats.reading import feed, records
from podmates_metrics.native.file import decode
from podmates_metrics.native.policy import Policy
from podmates_metrics.native.pulls import Pull
from podmates_metrics.rules.apply import Applied
from podmates_metrics.rules.judging import Ruleset
from podmates_metrics.tree import Fault


def read(text: str, keys: str) -> tuple[list[tuple[dict[str, str], float | None]], int]:
    """Return the records (without ``text``) of a source with *keys*, and how many lines it missed."""
    misses = Misses()
    found = records(text, pull(keys).format, misses)
    plain = [({k: v for k, v in r.fields.items() if k != "text"}, r.value) for r in found]
    return plain, misses.lines


def pull(keys: str) -> Pull:
    tree = parse(f"sources: {{s: {{socket: {{connect: 'tcp://h:1', {keys}}}}}}}")
    assert tree is not None
    return decode(tree).pulls[0]


APACHE = "localhost\nServerVersion: Apache/2.4\nTotal Accesses: 5\nCPULoad: .25\nScoreboard: __W.\n"
MEMCACHED = "STAT pid 7\r\nSTAT version 1.6.18\r\nSTAT rusage_user 0.5\r\nEND\r\n"
REDIS = (
    "$100\r\n# Server\r\nredis_version:7.0\r\nexecutable:/a=b:c\r\n"
    "# Keyspace\r\ndb0:keys=3,expires=0\r\n\r\n+OK\r\n"
)
ZOOKEEPER = "zk_version\t3.8.0-5a, built on 2022-02-25 08:49 UTC\nzk_znode_count\t5\n"
PAIRS = {
    "apache": (
        APACHE,
        [("ServerVersion", None), ("Total Accesses", 5.0), ("CPULoad", 0.25), ("Scoreboard", None)],
        1,
    ),
    "memcached": (MEMCACHED, [("pid", 7.0), ("version", None), ("rusage_user", 0.5)], 0),
    "redis": (
        REDIS,
        [("redis_version", 7.0), ("executable", None), ("db0.keys", 3.0), ("db0.expires", 0.0)],
        0,
    ),
    "zookeeper": (ZOOKEEPER, [("zk_version", None), ("zk_znode_count", 5.0)], 0),
    "ini": ("[a]\nx = 1\n[b c]\nx=2\n", [("a.x", 1.0), ("b c.x", 2.0)], 0),
    "assignments": ("x=1\n\n# y=2\n  z = 3  \n", [("x", 1.0), ("z", 3.0)], 0),
    "colons": ("x:1\ny:2\n", [("x", 1.0), ("y", 2.0)], 0),
    "blanks": ("x   1\ny 2\n", [("x", 1.0), ("y", 2.0)], 0),
    "nothing": ("", [], 0),
}


@pytest.mark.parametrize("name", PAIRS)
def test_keys_and_values_are_read_whatever_stands_between_them(name: str) -> None:
    text, wanted, missed = PAIRS[name]
    misses = Misses()

    found = [(r.fields["text"], r.value) for r in records(text, Format("keyvalue"), misses)]

    assert (found, misses.lines) == (wanted, missed)


def test_a_key_has_its_section_and_the_part_of_its_value() -> None:
    found, _ = read("[db]\nmain: keys=3,mode=fast\n", "format: keyvalue")

    assert found == [
        ({"section": "db", "key": "main", "part": "keys", "value": "3"}, 3.0),
        ({"section": "db", "key": "main", "part": "mode", "value": "fast"}, None),
    ]


def test_a_separator_of_ones_own() -> None:
    assert read("a :: 1: 2\n", "format: keyvalue, separator: '::'")[0] == [
        ({"key": "a", "value": "1: 2"}, None)
    ]


def test_rows_of_csv_go_by_the_header() -> None:
    text = '# name,"the, cost",note,\nx,1,"a ""b"""\ny,2\nz,3,,4,5\n'

    assert read(text, "format: csv") == (
        [
            ({"name": "x", "the, cost": "1", "note": 'a "b"'}, None),
            ({"name": "y", "the, cost": "2"}, None),
            ({"name": "z", "the, cost": "3", "note": ""}, None),
        ],
        0,
    )


def test_csv_without_a_header_with_another_separator() -> None:
    found, _ = read("x;1\n", "format: csv, columns: [name, value], separator: ';'")

    assert found == [({"name": "x", "value": "1"}, 1.0)]


def test_every_number_of_a_row_is_a_record_with_cells() -> None:
    found, _ = read("name,a,b,c\nx,1,-,2.5\n", "format: csv, records: cells")

    row = {"name": "x", "a": "1", "b": "-", "c": "2.5"}
    assert found == [(row | {"key": "a", "value": "1"}, 1.0), (row | {"key": "c", "value": "2.5"}, 2.5)]


def test_logfmt_has_quotes_and_bare_keys() -> None:
    line = r'level=warn msg="a \"b\"\n=c" took=5ms done empty= '

    assert read(f"{line}\n= x\n{{}}\n", "format: logfmt") == (
        [({"level": "warn", "msg": 'a "b"\n=c', "took": "5ms", "done": "true", "empty": ""}, None),
         ({"{}": "true"}, None)],
        1,
    )  # fmt: skip


def test_json_lines_have_their_members_by_path() -> None:
    text = '{"a": {"b": 1, "c": [true, null, "x"]}, "value": 2.0}\n[1]\n{"a": \n{}\n'

    assert read(text, "format: jsonl") == (
        [({"a.b": "1", "a.c.0": "true", "a.c.2": "x", "value": "2"}, 2.0), ({}, None)],
        2,
    )


def test_a_regular_expression_reads_lines_and_the_first_that_matches_takes_one() -> None:
    keys = "format: regex, pattern: ['^(?P<what>\\w+) took (?P<value>\\d+)', '(?P<what>\\w+)=']"

    assert read("get took 5 s\nput=x\n???\n", keys) == (
        [({"what": "get", "value": "5"}, 5.0), ({"what": "put"}, None)],
        1,
    )


def test_a_regular_expression_over_the_whole_text() -> None:
    patterns = r"['a (?P<a>\d+)\n', 'b (?P<b>\d+) (?P<c>-?)', 'd (?P<d>.)']"

    found, missed = read("a 1\nb 2 -\n", f"format: regex, over: text, records: cells, pattern: {patterns}")

    assert [(fields["key"], value) for fields, value in found] == [("a", 1.0), ("b", 2.0)]
    assert missed == 1, "there is no d"


LONG = "x" * 70_000
HOSTILE = {
    "a line without an end": ("keyvalue", LONG, 1),
    "a long line among others": ("keyvalue", f"a: 1\n{LONG}: 2\nb: 3\n", 1),
    "a quote left open": ("csv", 'a,b\n"x,1\n' * 10, 0),
    "many columns": ("csv", "a" + ",a" * 30_000 + "\n1,2\n", 0),
    "deep json": ("jsonl", "[" * 50_000 + "\n" + '{"a":' * 50_000, 2),
    "wide json": ("jsonl", '{"a": [' + "1," * 5000 + "1]}", 0),
    "many pairs": ("logfmt", "a=1 " * 10_000, 0),
    "many keys": ("logfmt", " ".join(f"a{n}=1" for n in range(5000)), 1),
    "many parts": ("keyvalue", "a: " + "b=1," * 15_000, 0),
    "bytes that are no text": ("keyvalue", "\ud800\x00\x01: 1\n", 0),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_costs_a_count_at_most(name: str) -> None:
    kind, text, missed = HOSTILE[name]
    misses = Misses()

    for record in records(text, Format(kind), misses):
        assert len(record.fields) <= 1002
    assert misses.lines == missed


def test_an_answer_has_a_bounded_number_of_records() -> None:
    with pytest.raises(FormatProblem, match="more than 100000 records"):
        feed(b"a:1\n" * 100_001, Format("keyvalue"), Applied(Ruleset([], "s", expose=False)))


def test_text_that_has_nothing_of_its_format_is_a_problem() -> None:
    applied = Applied(Ruleset([], "s", expose=False))
    with pytest.raises(FormatProblem, match="none of its 1 lines could be read as keyvalue"):
        feed(b"-NOAUTH\r\n", Format("keyvalue"), applied)
    with pytest.raises(FormatProblem, match="there is no header"):
        feed(b"\n", Format("csv"), applied)
    with pytest.raises(FormatProblem, match="not JSON"):
        feed(b"{", Format(), applied)


@pytest.mark.parametrize("depth", [990, 5000, 200_000])
def test_a_document_that_is_nested_too_deep_gives_nothing_and_says_so(depth: int) -> None:
    """Where the parser gives up is each Python's own affair; what it takes is cut by the rules."""
    document = b'{"a":' * depth + b"1" + b"}" * depth
    applied, problem = Applied(Ruleset([], "s", expose=True)), ""
    try:
        feed(document, Format(), applied)
    except FormatProblem as error:
        problem = str(error)

    assert not applied.families
    told = "not JSON" in problem or "nested too deep" in problem
    assert told or applied.errors.total() == 1


FAULTS = {
    "": "sources.s.socket: format is missing; want one of json, keyvalue",
    "format: json, separator: x": "field separator not found in type source.socket",
    "format: keyvalue, separator: ''": "separator: want a text of 1 to 20",
    "format: csv, separator: ab": "separator: want a single character",
    "format: csv, columns: [[]]": "columns: want a list of at most 1000 names",
    "format: csv, records: all": "records: all: want rows, cells or both",
    "format: regex": "pattern: want 1 to 100 regular expressions",
    "format: regex, pattern: 'a'": "pattern: 'a': there is no named group",
    "format: regex, pattern: '(?P<a>'": "pattern: '(?P<a>': ",
    "format: regex, pattern: [[]]": "pattern: want regular expressions",
    "format: regex, pattern: '(?P<a>.)', over: words": "over: words: want lines or text",
    "format: logfmt, pattern: x": "field pattern not found",
}


@pytest.mark.parametrize("keys", FAULTS)
def test_a_wrong_key_is_named_with_its_place(keys: str) -> None:
    with pytest.raises(Fault) as caught:
        pull(keys)

    assert FAULTS[keys] in str(caught.value)


PAGE = r"""# HELP requests_total All \\ requests,\nreally.
# TYPE requests_total counter
requests_total{path="/a \"b\"\n",method="GET",empty=""} 5 1700000000500
requests_total{method="PUT",} 2
# TYPE took_seconds histogram
took_seconds_bucket{le="0.1"} 1
took_seconds_bucket{le="+Inf"} 2
took_seconds_sum 1.5
took_seconds_count 2
# a comment
plain 3e2
odd{a="1",a="2"} 1
odd{a="1} 1
odd 1 2 3
requests_total{method="PUT"} 9
"""


def passed(page: str, rules: str = "") -> tuple[list[str], Applied]:
    tree = parse(f"sources: {{s: {{http: {{url: 'http://x', format: prometheus}}}}}}\nrules: [{rules}]")
    assert tree is not None
    native = decode(tree)
    applied = Applied(Policy().ruleset(native.rules, "s"))
    feed(page.encode(), native.pulls[0].format, applied)
    return "".join(given(family) for family in applied.families.values()).splitlines(), applied


def test_a_page_of_prometheus_is_passed_on_with_types_help_and_times() -> None:
    page, applied = passed(PAGE)

    assert page == [
        r"# HELP requests_total All \\ requests,\nreally.",
        "# TYPE requests_total counter",
        r'requests_total{method="GET",path="/a \"b\"\n"} 5 1700000000500',
        'requests_total{method="PUT"} 2',
        "# HELP took_seconds From source s.",
        "# TYPE took_seconds histogram",
        'took_seconds_bucket{le="0.1"} 1',
        'took_seconds_bucket{le="+Inf"} 2',
        "took_seconds_sum 1.5",
        "took_seconds_count 2",
        "# HELP plain From source s.",
        "# TYPE plain untyped",
        "plain 300",
    ]
    assert applied.errors == {("", "duplicate"): 1}
    assert applied.records == 8


def test_rules_drop_samples_of_a_page_or_make_others_of_them() -> None:
    page, _ = passed(PAGE, "{match: {metric: 'took_*'}, action: drop}, {match: {method: PUT}, action: drop}")
    assert [line for line in page if line[0] != "#"] == [
        r'requests_total{method="GET",path="/a \"b\"\n"} 5 1700000000500',
        "plain 300",
    ]
    page, _ = passed(
        PAGE, "{match: {metric: requests_total, method: '{m}'}, name: asked, labels: {by: '{m}'}}"
    )
    assert [line for line in page if line[0] != "#"] == ['asked{by="GET"} 5', 'asked{by="PUT"} 2']


def test_a_page_of_something_else_is_a_problem() -> None:
    with pytest.raises(FormatProblem, match="none of its 2 lines could be read as prometheus"):
        passed("<html>\n{}\n")
    assert passed("# nothing yet\n")[0] == []
    assert passed('a{__name__="b"} 1\nc 1\n')[0][2:] == ["c 1"]  # one that ends a whole scrape of Prometheus

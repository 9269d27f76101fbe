"""What DogStatsD has beyond StatsD: sets, events, service checks, tags without a value, newer fields."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podmates_metrics.statsd.dogstatsd import notice
from podmates_metrics.statsd.line import Styles
from podmates_metrics.statsd.members import EXACT, SLICES, Members
from podmates_metrics.statsd.store import MAX_SETS
from tests.support.fuzzing import often
from tests.unit.metrics.engines import TWINS, engine, errors, samples, total

EXTENDED = Styles(extended=True)
PIECES = [b"_e{", b"_sc|", b"1,1}:", b"a|b", b"|t:error", b"|#", b",x", b":1|c", b"|s", b"|e:", b"|c:", b"\n"]
EVENT, CHECK = "statsd_events_total", "service_check_status"
TAKEN = {
    b"users:alice|s\nusers:bob|s\nusers:alice|s|#": {"users": 2},
    b"users:alice|s|#a:b\nusers:17|s|#a:b\nusers:18|s|#a:b": {'users{a="b"}': 3},
    b"a:1|c|#urgent,#x:y,late": {'a{late="true",urgent="true",x="y"}': 1},
    b"a:1:2|c\nb:1:2|g|#x:y": {"a": 3, 'b{x="y"}': 2},
    b"_e{5,4}:title|text": {f'{EVENT}{{alert_type="info",priority="normal"}}': 1},
    "_e{2,6}:é|a|b\\nc|t:error|p:low|s:app|k:key|h:host|d:1|#env:x,alert_type:y".encode(): {
        f'{EVENT}{{alert_type="error",env="x",priority="low",source_type_name="app"}}': 1
    },
    b"_e{1,1}:1|2\n_e{1,1}:1|2\n_e{1,1}:7|2": {f'{EVENT}{{alert_type="info",priority="normal"}}': 3},
    b"_sc|db.up|2": {f'{CHECK}{{name="db.up"}}': 2},
    b"_sc|db|1\n_sc|db|0|d:1|h:host|#env:x,name:y|m:it is | well|#no:tag\n_sc|db|3": {
        f'{CHECK}{{name="db"}}': 3,
        f'{CHECK}{{env="x",name="db"}}': 0,
    },
    b"_ordinary:1|c": {"_ordinary": 1},
}
REFUSED = {
    b"users:|s": {"malformed_value": 1},
    b"users:a:b|s": {"invalid_extended_aggregate_type": 1},
    b"_e{5,4}:title": {"malformed_line": 1},
    b"_e{5,4}:title|te": {"malformed_line": 1},
    b"_e{5,4}:title|textmore": {"malformed_line": 1},
    b"_e{99999999,4}:title|text": {"malformed_line": 1},
    b"_e{x}:a|b": {"malformed_line": 1},
    b"_e{1,1}:a|b|t:loud": {"malformed_line": 1},
    b"_e{1,1}:a|b|p:high": {"malformed_line": 1},
    b"_e{1,1}:\xff|b": {"malformed_line": 1},
    b"_sc|": {"malformed_line": 1},
    b"_sc|name": {"malformed_line": 1},
    b"_sc|name|4": {"malformed_line": 1},
    b"_sc|name|\xff": {"malformed_line": 1},
    b"a:1|c|#x:": {"tag": 1},
}


@pytest.mark.parametrize("which", TWINS)
@pytest.mark.parametrize(("lines", "wanted"), TAKEN.items(), ids=map(str, TAKEN))
def test_what_the_extensions_take(lines: bytes, wanted: dict[str, float], which: str) -> None:
    subject = engine(which, styles=EXTENDED)

    subject.feed(lines, 0.0)

    assert samples(subject) == wanted
    assert errors(subject) == {}
    assert total(subject, "statsd_exporter_samples_total") >= lines.count(b"\n") + 1


@pytest.mark.parametrize(("line", "wanted"), REFUSED.items(), ids=map(str, REFUSED))
def test_what_is_malformed_costs_a_count(line: bytes, wanted: dict[str, float]) -> None:
    subject = engine(styles=EXTENDED)

    subject.feed(line, 0.0)

    assert errors(subject) == wanted


@pytest.mark.parametrize("line", TAKEN, ids=lambda line: str(line[:12]))
def test_without_the_extensions_they_are_what_they_are_for_the_original(line: bytes) -> None:
    subject = engine()

    subject.feed(line, 0.0)

    assert not {name for name in samples(subject) if name.startswith(("users", EVENT, CHECK))}


@pytest.mark.parametrize("which", TWINS)
def test_a_set_counts_what_its_window_saw(which: str) -> None:
    subject = engine(which, styles=EXTENDED)
    seen = []
    for second in range(200):
        if second < 90:
            subject.feed(b"users:%d|s" % second, float(second))
        subject.sweep(float(second))
        seen.append(samples(subject)["users"])

    assert seen[49] == 50
    assert 50 <= max(seen) <= 61
    assert seen[-1] == 0


def test_a_set_and_a_gauge_do_not_share_a_series() -> None:
    subject = engine(styles=EXTENDED)

    subject.feed(b"a:x|s\na:7|g\na:7|g|#k:v\na:x|s|#k:v", 0.0)

    assert samples(subject) == {"a": 1, 'a{k="v"}': 7}
    assert errors(subject) == {"gauge/a": 1, "set/a": 1}


def test_rules_name_drop_and_end_sets_events_and_checks() -> None:
    text = """
mappings:
- {match: users.*, name: users, match_metric_type: gauge, labels: {site: "$1"}, ttl: 5s}
- {match: statsd_events_total, name: dropped, action: drop}
"""
    subject = engine(mapping=text, styles=EXTENDED)
    subject.feed(b"users.a:x|s\nusers.b:x|s\nusers.b:y|s\n_e{1,1}:a|b\n_sc|x|0", 0.0)

    assert samples(subject) == {'users{site="a"}': 1, 'users{site="b"}': 2, f'{CHECK}{{name="x"}}': 0}
    subject.sweep(10.0)
    assert samples(subject) == {f'{CHECK}{{name="x"}}': 0}


def test_sets_are_bounded() -> None:
    subject = engine(styles=EXTENDED)

    subject.feed(b"\n".join(b"s%d:x|s" % number for number in range(MAX_SETS + 3)), 0.0)

    assert len(samples(subject)) == MAX_SETS
    assert errors(subject) == {"series_limit": 3}


@pytest.mark.parametrize("wanted", [0, 1, EXACT, 5_000, 100_000])
def test_many_members_are_told_nearly(wanted: int) -> None:
    members = Members()
    for number in range(wanted):
        members.add(f"member {number}")
        members.add("member 0")

    assert members.count() == (wanted if wanted <= EXACT else pytest.approx(wanted, rel=0.08))


def test_many_members_are_forgotten_slice_by_slice_and_few_are_exact_again() -> None:
    members = Members()
    for turn in range(SLICES):
        for number in range(1000):
            members.add(f"{turn} {number}")
        members.turn()
    counts = []
    for _ in range(SLICES):
        counts.append(members.count())
        members.turn()
    members.add("one")

    wanted = [5000, 4000, 3000, 2000, 1000, 0]
    assert counts == [pytest.approx(n, rel=0.08, abs=10) for n in wanted]
    assert members.count() == 1


def test_a_container_id_is_a_label_unless_it_is_not_wanted() -> None:
    for styles, name in ((Styles(), 'a{container_id="x"}'), (Styles(containers=False), "a")):
        subject = engine(styles=styles)
        subject.feed(b"a:1|c|c:x\na:1|c|c:x", 0.0)

        assert samples(subject) == {name: 2}


@pytest.mark.parametrize("line", [b"a:1|c|e:it-false,cn-x|card:low", b"a:1|c|#x:y|e:it|card:low"])
def test_newer_fields_are_passed_over_and_counted(line: bytes) -> None:
    subject = engine(styles=EXTENDED)

    subject.feed(line, 0.0)

    assert list(samples(subject).values()) == [1]
    assert errors(subject) == {}
    assert total(subject, "podmates_statsd_ignored_fields_total", "card") == 1
    assert total(subject, "podmates_statsd_ignored_fields_total", "e") == 1


@pytest.mark.parametrize("which", TWINS)
@settings(max_examples=often(100))
@given(data=st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=6)), max_size=12).map(b"".join))
def test_no_bytes_break_the_extensions(which: str, data: bytes) -> None:
    subject = engine(which, styles=EXTENDED)

    for prefix in (b"", b"_e{", b"_sc|", b"a:x|s"):
        subject.feed(prefix + data, 0.0)
    subject.sweep(100.0)

    samples(subject)


def test_an_ordinary_line_is_no_notice() -> None:
    assert notice(b"a:1|c") is None
    assert notice(b"_") is None

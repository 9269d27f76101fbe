"""What is asked of a target is learnt from what it answered."""

from __future__ import annotations

from podmates_metrics.jmx.catalogue import AT_A_TIME, REFRESH, Catalogue
from podmates_metrics.jmx.messages import AttributeInfo

FLIGHT = "jdk.management.jfr:type=FlightRecorder"
RUNTIME = "java.lang:type=Runtime"


def infos(**kinds: str) -> list[AttributeInfo]:
    return [AttributeInfo(name, kind, None) for name, kind in kinds.items()]


def known(**kinds: str) -> Catalogue:
    catalogue = Catalogue()
    assert catalogue.unknown(["d:a=1"], 0) == ["d:a=1"]
    catalogue.describe({"d:a=1": infos(**kinds)}, 0)
    return catalogue


def test_a_bean_is_described_once_while_it_stays() -> None:
    catalogue = known(a="int", b="long")

    assert catalogue.plan() == [("d:a=1", ("a", "b"))]
    assert catalogue.unknown(["d:a=1", "d:a=2"], REFRESH) == ["d:a=2"]
    assert catalogue.unknown(["d:a=1"], REFRESH + 1) == ["d:a=1"]
    assert catalogue.unknown([], 1) == [] and catalogue.plan() == []


def test_what_never_becomes_a_sample_is_not_asked_for() -> None:
    catalogue = known(array="[J", name="javax.management.ObjectName", any="java.lang.Object")

    assert catalogue.plan() == [("d:a=1", ("any",))]
    assert catalogue.unknown([FLIGHT, RUNTIME], 0) == [RUNTIME]
    catalogue.describe({RUNTIME: infos(Uptime="long", ClassPath="java.lang.String")}, 0)
    assert catalogue.plan() == [(RUNTIME, ("Uptime",))]


def test_a_broken_attribute_is_left_out_until_the_next_description() -> None:
    catalogue = known(a="int", b="java.lang.Object")
    catalogue.learn("d:a=1", ["a"], ["b"])

    assert catalogue.plan() == [("d:a=1", ("a",))]
    assert catalogue.unknown(["d:a=1"], 1) == []
    assert catalogue.unknown(["d:a=1"], REFRESH + 1) == ["d:a=1"]
    catalogue.describe({"d:a=1": infos(a="int", b="java.lang.Object")}, REFRESH + 1)
    assert catalogue.plan() == [("d:a=1", ("a", "b"))]


def test_an_attribute_that_goes_missing_has_the_bean_described_again_once() -> None:
    """A getter that always throws is missing for ever; a bean replaced by another has to be noticed."""
    catalogue = known(a="int", b="int", c="int")
    catalogue.learn("d:a=1", ["a"], ["c"])
    assert catalogue.unknown(["d:a=1"], 1) == ["d:a=1"]

    catalogue.describe({"d:a=1": infos(a="int", b="int", c="int")}, 1)
    catalogue.learn("d:a=1", ["a"], [])

    assert catalogue.unknown(["d:a=1"], 2) == []
    assert catalogue.plan() == [("d:a=1", ("a", "b"))]


def test_descriptions_are_not_all_renewed_in_the_same_scrape() -> None:
    names = [f"d:a={number}" for number in range(3 * AT_A_TIME)]
    catalogue = Catalogue()
    catalogue.describe({name: infos(a="int") for name in catalogue.unknown(names, 0)}, 0)

    rounds = []
    for now in (REFRESH + 1, REFRESH + 2, REFRESH + 3, REFRESH + 4):
        due = catalogue.unknown(names, now)
        catalogue.describe({name: infos(a="int") for name in due}, now)
        rounds.append(len(due))

    assert rounds == [AT_A_TIME, AT_A_TIME, AT_A_TIME, 0]

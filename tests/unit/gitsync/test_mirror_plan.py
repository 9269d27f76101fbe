"""The plan of a mirror, over every small case: what is not ours is never touched, and the tree arrives."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from podmates_gitsync.mirror.listing import Entry
from podmates_gitsync.mirror.plan import Adopt, Clear, Drop, Facts, Forget, Kind, Look, Plan, Prune, Put, plan

POLICIES = ("overwrite", "keep", "fail")
ONE, TWO = Entry(0o100644, "1"), Entry(0o100644, "2")
PATHS = ("a", "b/c")  # each may be recorded as ours, be in the new tree, and look in any way


def cases() -> Iterator[Facts]:
    """Yield every combination of what two paths were, are, and are to be."""
    looks = [Look(kind) for kind in (Kind.ABSENT, Kind.OURS, Kind.READY, Kind.OTHER, Kind.FOLDER)]
    looks += [Look(Kind.FOLDER, ("a/x",)), Look(Kind.BLOCKED, ("b",))]
    one = [
        (old, new, look)
        for old, new, look in product((None, ONE), (None, ONE, TWO), looks)
        if (old or new) and (old or look.kind is not Kind.OURS) and (new or look.kind is not Kind.READY)
    ]
    for first, second in product(one, repeat=2):
        rows = dict(zip(PATHS, (first, second), strict=True))
        yield Facts(
            old={path: old for path, (old, _, _) in rows.items() if old},
            new={path: new for path, (_, new, _) in rows.items() if new},
            seen={path: look for path, (_, _, look) in rows.items()},
            made=("b",),
        )


def touched(made: Plan) -> set[str]:
    return {step.path for step in made.steps if isinstance(step, Put | Drop)}


def test_what_is_not_ours_is_never_written_over_nor_removed() -> None:
    for facts, policy in product(cases(), POLICIES):
        for path in touched(plan(facts, policy)):
            kind = facts.seen[path].kind

            assert kind is not Kind.OTHER or path in facts.old, (facts, policy)
            assert not facts.seen[path].hinder, (facts, policy)  # here nothing that hinders is ours


def test_the_tree_arrives_unless_something_is_refused_or_kept() -> None:
    for facts, policy in product(cases(), POLICIES):
        made = plan(facts, policy)
        if made.refused or made.kept:
            assert not (made.refused and made.steps), facts
            continue
        there = {path for path, look in facts.seen.items() if look.kind is Kind.OURS}
        right = {path for path in there if facts.old[path] == facts.new.get(path)}
        right |= {step.path for step in made.steps if isinstance(step, Put | Adopt)}

        assert right == set(facts.new), (facts, policy)
        assert there - {step.path for step in made.steps if isinstance(step, Drop)} <= set(facts.new)


def test_only_overwrite_touches_a_file_of_ours_that_was_changed() -> None:
    for facts, policy in product(cases(), ("keep", "fail")):
        for path in touched(plan(facts, policy)) & set(facts.old):
            assert facts.seen[path].kind is Kind.OURS, (facts, policy)


def test_fail_refuses_whenever_keep_keeps() -> None:
    for facts in cases():
        assert bool(plan(facts, "keep").kept) == bool(plan(facts, "fail").refused), facts


def test_a_file_that_is_the_same_is_in_no_step() -> None:
    facts = Facts({"a": ONE}, {"a": ONE}, {"a": Look(Kind.OURS)})

    assert plan(facts, "overwrite").steps == []
    assert plan(Facts(facts.old, facts.new, facts.seen, stale={"a"}), "overwrite").steps == [Put("a")]


def test_removals_come_last_and_make_room_where_they_must() -> None:
    old = {"d/x": ONE, "d/y": ONE, "gone": ONE, "up": ONE}
    new = {"d": TWO, "new": TWO, "up/x": TWO}
    seen = {name: Look(Kind.OURS) for name in old} | {
        "d": Look(Kind.FOLDER, ("d/x", "d/y")),
        "new": Look(Kind.ABSENT),
        "up/x": Look(Kind.BLOCKED, ("up",)),
    }
    made = plan(Facts(old, new, seen, made=("d", "idle", "idle/er")), "overwrite")

    assert made.steps == [
        Put("new"),
        *(Drop("d/x"), Drop("d/y"), Clear("d"), Put("d")),
        *(Drop("up"), Put("up/x")),
        Drop("gone"),
        *(Prune("idle/er"), Prune("idle")),
    ]


def test_a_file_of_ours_that_is_gone_or_became_something_else_is_forgotten() -> None:
    for look in (Look(Kind.ABSENT), Look(Kind.FOLDER), Look(Kind.BLOCKED, ("a",))):
        for policy in POLICIES:
            made = plan(Facts({"a/b": ONE}, {}, {"a/b": look}), policy)

            assert made == Plan([Forget("a/b")])

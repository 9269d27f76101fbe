"""Whatever the volume looks like, the steps never pull the tree from under the link."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from podmates_gitsync.sync.plan import (
    Add,
    Advance,
    Drop,
    Observed,
    Publish,
    Retire,
    Settle,
    Step,
    changes,
    plan,
)

HERE, BESIDE, OLD = "/r/.worktrees/a", "/r/.worktrees/standby/a", "/r/.worktrees/b"
NEVER = "/r/.worktrees/c"  # a tree that this process made for a commit it could not publish


def volumes() -> Iterator[Observed]:
    """Yield every volume: where the link points, what is at the canonical path, how often we synced."""
    for published, present, sound, updated, waiting in product(
        (None, HERE, OLD, BESIDE, "/elsewhere"),
        (True, False),
        (True, False),
        (True, False),
        (None, HERE, OLD, NEVER),
    ):
        if sound and not (present and HERE in {published, waiting}):
            continue  # only a tree that is published, or waits to be, is ever looked at
        yield Observed("a", published, present, sound, updated, waiting)


def test_the_link_never_dangles_and_ends_on_a_settled_tree_of_the_commit() -> None:
    for seen in volumes():
        dangling = seen.published == HERE and not seen.present
        trees = {tree for tree in (HERE if seen.present else None, seen.published, seen.waiting) if tree}
        trees -= set() if seen.present else {HERE}
        settled = {HERE} if seen.sound else set()
        link = seen.published
        for step in plan(seen, canonical=HERE, standby=BESIDE):
            match step:
                case Drop(tree):
                    assert tree != link, (seen, step)
                    trees.discard(tree)
                    settled.discard(tree)
                case Add(tree, "a"):
                    assert tree not in trees or tree == BESIDE, (seen, step)
                    trees.add(tree)
                case Settle(tree, "a"):
                    assert tree in trees, (seen, step)
                    settled.add(tree)
                case Publish(tree):
                    assert tree in settled, (seen, step)
                    link, dangling = tree, False
                case Retire(tree):
                    assert tree != link, (seen, step)
            assert dangling or link is None or link in trees, (seen, step)

        assert link == HERE, seen
        assert HERE in settled, seen
        assert seen.waiting in {None, HERE, seen.published} or seen.waiting not in trees, seen


def test_nothing_is_done_for_a_sound_tree_after_the_first_update() -> None:
    assert plan(Observed("a", HERE, True, True, True), canonical=HERE, standby=BESIDE) == []


WAITING: dict[str, tuple[Observed, list[Step]]] = {
    "tried again": (
        Observed("a", OLD, present=True, sound=True, updated=True, waiting=HERE),
        [Advance("a"), Publish(HERE), Retire(OLD)],
    ),
    "tried again, the first of all": (
        Observed("a", None, present=True, sound=True, updated=False, waiting=HERE),
        [Advance("a"), Publish(HERE)],
    ),
    "damaged while it waited": (
        Observed("a", OLD, present=True, sound=False, updated=True, waiting=HERE),
        [Advance("a"), Drop(HERE), Add(HERE, "a"), Settle(HERE, "a"), Publish(HERE), Retire(OLD)],
    ),
    "gone while it waited": (
        Observed("a", OLD, present=False, sound=False, updated=True, waiting=HERE),
        [Advance("a"), Add(HERE, "a"), Settle(HERE, "a"), Publish(HERE), Retire(OLD)],
    ),
    "a newer commit came": (
        Observed("a", OLD, present=False, sound=False, updated=True, waiting=NEVER),
        [Drop(NEVER), Advance("a"), Add(HERE, "a"), Settle(HERE, "a"), Publish(HERE), Retire(OLD)],
    ),
    "the ref went back to what is published": (
        Observed("a", HERE, present=True, sound=True, updated=True, waiting=NEVER),
        [Drop(NEVER)],
    ),
    "somebody published it": (
        Observed("a", NEVER, present=False, sound=False, updated=True, waiting=NEVER),
        [Advance("a"), Add(HERE, "a"), Settle(HERE, "a"), Publish(HERE), Retire(NEVER)],
    ),
    "of another process, so perhaps cut off": (
        Observed("a", OLD, present=True, sound=False, updated=False),
        [Advance("a"), Drop(HERE), Add(HERE, "a"), Settle(HERE, "a"), Publish(HERE), Retire(OLD)],
    ),
}


@pytest.mark.parametrize(("seen", "steps"), WAITING.values(), ids=WAITING.keys())
def test_a_tree_that_waits_is_published_or_goes(seen: Observed, steps: list[Step]) -> None:
    assert plan(seen, canonical=HERE, standby=BESIDE) == steps


def test_the_first_sync_of_a_process_repairs_in_place_and_publishes_nothing() -> None:
    steps = plan(Observed("a", HERE, True, True, False), canonical=HERE, standby=BESIDE)

    assert Settle(HERE, "a") in steps
    assert not changes(steps)


def test_the_tree_that_was_replaced_is_retired_after_the_link_moved() -> None:
    steps = plan(Observed("a", OLD, False, False, True), canonical=HERE, standby=BESIDE)

    assert steps[-2:] == [Publish(HERE), Retire(OLD)]
    assert changes(steps)

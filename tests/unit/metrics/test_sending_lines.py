"""What `send` makes of a person's words, and how lines are packed."""

from __future__ import annotations

import pytest

from podmates_metrics.sending.lines import Said, Wrong, lines, packets

CASES = {
    "a counter counts one": (Said("counter", "a.b", []), ["a.b:1|c"]),
    "a line for each value": (Said("counter", "a", ["2", "0.5"]), ["a:2|c", "a:0.5|c"]),
    "a gauge is set": (Said("gauge", "g", ["4.5"]), ["g:4.5|g"]),
    "a gauge below zero goes by way of zero": (Said("gauge", "g", ["-4"]), ["g:0|g", "g:-4|g"]),
    "a gauge is moved": (Said("gauge", "g", ["4", "-4"], relative=True), ["g:+4|g", "g:-4|g"]),
    "a timer": (Said("timer", "t", ["250"]), ["t:250.000000|ms"]),
    "types of DogStatsD": (Said("histogram", "h", ["1e3"]), ["h:1e3|h"]),
    "another": (Said("distribution", "d", ["7"]), ["d:7|d"]),
    "a member": (Said("set", "s", ["ann"]), ["s:ann|s"]),
    "sampled": (Said("timer", "t", ["5"], rate="0.1"), ["t:5.000000|ms|@0.1"]),
    "tagged": (Said("counter", "c", [], tags=["a:b", "urgent"]), ["c:1|c|#a:b,urgent"]),
    "both": (Said("counter", "c", ["3"], rate="1", tags=["a:é"]), ["c:3|c|@1|#a:é"]),
    "each of a gauge's lines is tagged": (
        Said("gauge", "g", ["-1"], tags=["a:b"]),
        ["g:0|g|#a:b", "g:-1|g|#a:b"],
    ),
}


@pytest.mark.parametrize(("said", "wanted"), CASES.values(), ids=CASES)
def test_a_value_becomes_a_line(said: Said, wanted: list[str]) -> None:
    assert lines(said) == wanted


REFUSED = {
    "a value that is no number": (Said("gauge", "g", ["much"]), "much: want a number"),
    "of DogStatsD's types too": (Said("histogram", "h", ["much"]), "malformed_value"),
    "none at all": (Said("timer", "t", []), "a timer wants a value"),
    "a counter that goes down": (Said("counter", "c", ["-1"]), "does not go down"),
    "a rate above one": (Said("counter", "c", [], rate="2"), "at most 1"),
    "a rate of zero": (Said("counter", "c", [], rate="0"), "above 0"),
    "a rate of what is not sampled": (Said("gauge", "g", ["1"], rate="0.5"), "a gauge is not sampled"),
    "a counter is always relative": (Said("counter", "c", [], relative=True), "--relative moves a gauge"),
    "no name": (Said("counter", "", []), "malformed_line"),
    "a name with a colon": (Said("counter", "a:b", []), "would not mean that"),
    "a name with a tag in it": (Said("counter", "a,b=c", []), "would not mean that"),
    "a member with a bar": (Said("set", "s", ["a|b"]), "would not mean that"),
    "a tag with a comma": (Said("counter", "c", [], tags=["a:b,c"]), "would not mean that"),
    "a tag without a key": (Said("counter", "c", [], tags=[":b"]), "would not mean that"),
    "a tag twice": (Said("counter", "c", [], tags=["a:b", "a:c"]), "would not mean that"),
    "two lines in one": (Said("set", "s", ["a\nb"]), "would not mean that"),
}


@pytest.mark.parametrize(("said", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_the_grammar_has_no_line_for_is_refused(said: Said, reason: str) -> None:
    with pytest.raises(Wrong) as caught:
        lines(said)

    assert reason in str(caught.value)


def test_datagrams_are_filled_and_no_line_is_cut() -> None:
    given = [b"aaaa", b"bbbb", b"c" * 20, b"d"]

    assert list(packets(given, 9)) == [b"aaaa\nbbbb", b"c" * 20, b"d"]
    assert list(packets([], 9)) == []

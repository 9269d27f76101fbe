"""What is said of a fault can be read, whatever the file holds."""

from __future__ import annotations

import pytest

from podmates_metrics.documents import parse
from podmates_metrics.statsd.mapping import decode
from podmates_metrics.tree import Fault

LONG = "a.*." * 100_000
FILES = {
    "a match": f"mappings: [{{match: '{LONG}*..', name: b}}]",
    "a key": f"mappings:\n- ? '{LONG}'\n  : 1\n",
    "a number": "mappings: [{match: a, name: b, ttl: " + "9" * 100_000 + "x}]",
}


@pytest.mark.parametrize("name", FILES)
def test_a_long_value_is_shown_in_part_with_place_and_reason(name: str) -> None:
    with pytest.raises(Fault) as caught:
        decode(parse(FILES[name]))
    text = str(caught.value)
    assert len(text) < 5000
    assert "mappings[0]" in text[:100]

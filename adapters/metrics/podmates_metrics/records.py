"""What a source of text gives to the rules: named fields, and the number that they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(slots=True)
class Record:
    """One line, row or number. ``fields["text"]`` is the line as it came, or the name that it has.

    *value* is None where the record has no number of its own: a rule says which field is its value.
    """

    fields: Mapping[str, str]
    value: float | None = None

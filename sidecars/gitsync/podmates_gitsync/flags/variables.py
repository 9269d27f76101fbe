"""git-sync's variables: an older spelling beats a newer one, and is warned about."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class Declared(Protocol):
    """What is needed of a setting: its field, and its variables, the current name first."""

    @property
    def name(self) -> str: ...
    @property
    def variables(self) -> tuple[str, ...]: ...


class Read(NamedTuple):
    """Field name → (variable, text), and the lines to warn with."""

    values: dict[str, tuple[str, str]]
    warnings: list[str]


def read(rows: Sequence[Declared], environ: Mapping[str, str]) -> Read:
    """Return the variable of each setting that counts; one that is present but empty is set.

    Of several spellings the last one in the declared order wins (releases from 4.4 on), so an old
    manifest keeps its meaning when somebody adds the new names beside the old.
    """
    found = Read({}, [])
    for row in rows:
        present = [name for name in row.variables if name in environ]
        for name in present:
            if name != row.variables[0]:
                found.warnings.append(f"env {name} has been deprecated, use {row.variables[0]} instead")
        for loser, winner in itertools.pairwise(present):
            found.warnings.append(f"env {loser} was overridden by env {winner}")
        if present:
            found.values[row.name] = (present[-1], environ[present[-1]])
    return found

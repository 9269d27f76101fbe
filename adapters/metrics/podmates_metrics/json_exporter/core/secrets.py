"""Secrets in a file's sections, and what all sections have in common."""

from __future__ import annotations

from dataclasses import dataclass

from podmates_metrics.tree import Fault, Keys, Listing, Scalar


@dataclass(frozen=True, slots=True, repr=False)
class Hidden:
    """A secret, or the file that it is read from when it is needed. Shows itself to nobody."""

    text: str = ""
    file: str = ""

    def __repr__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self.text or self.file)


def hidden(told: Keys, key: str) -> Hidden:
    """Return the secret at *key*, or at *key* with ``_file``.

    Raises:
        Fault: both are there, or it is to come from a manager of secrets.
    """
    text, file = told.text(key), told.text(f"{key}_file")
    if text and file:
        raise told.place(key).fault(f"at most one of {key} & {key}_file must be configured")
    if told.text(f"{key}_ref"):
        raise told.place(f"{key}_ref").fault("there is no manager of secrets; want a file")
    return Hidden(text, file)


def texts(told: Keys | None, key: str) -> list[str]:
    """Return a list of single values as texts; none when absent."""
    found = told.get(key) if told else None
    if found is None or told is None:
        return []
    if not isinstance(found, Listing) or not all(isinstance(item, Scalar) for item in found.items):
        raise told.place(key).fault("want a list of texts")
    return [item.text for item in found.items if isinstance(item, Scalar)]


def note_unknown(told: Keys, notes: list[str]) -> None:
    """Add to *notes* each key that nobody asked for: the original passes over them."""
    try:
        told.finish()
    except Fault:
        unknown = [key for key in told.table.entries if key not in told.taken]
        notes += [str(told.place(key).fault("unknown, without effect")) for key in unknown]

"""The settings in force, as one object: whoever holds it sees what was reloaded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any, cast

from podmates_redis.settings import Settings


class Live:
    """Has every attribute of the settings that it took last."""

    def __init__(self, settings: Settings) -> None:
        self.take(settings)

    def take(self, settings: Settings) -> None:
        """Be like *settings* from now on."""
        vars(self).update({field.name: getattr(settings, field.name) for field in fields(settings)})

    @property
    def settings(self) -> Settings:
        """This object, for those who want settings."""
        return cast(Settings, self)


def overwrite(old: Any, new: Any, *, but: Collection[str] = ()) -> None:
    """Make the fields of *old*, all *but* some, those of *new*, of the same class."""
    for field in fields(old):
        if field.name not in but:
            setattr(old, field.name, getattr(new, field.name))

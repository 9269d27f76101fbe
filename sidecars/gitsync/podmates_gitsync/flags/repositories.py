"""Several repositories in one process: the TOML file that ``--config`` names.

A key at the top of the file is the default of a setting that neither a flag nor a variable sets; a key of
a ``[[repository]]`` table is for that repository alone and beats all of them. Passwords are never inherited:
what one repository is given must not reach the server of another.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from podmates_common.files import read_small
from podmates_common.settings import Loaded, Option
from podmates_gitsync.flags.load import Command, parsed
from podmates_gitsync.flags.validate import first_fault
from podmates_gitsync.git.refs import default_link

# Of the whole process: one listener, one umask, one end.
PROCESS = frozenset(
    {"config", "http_bind", "http_metrics", "http_pprof", "push_bind", "push_path", "verbose"}
    | {"group_write", "sync_on_signal", "one_time", "add_user"}
)
# Of one repository only.
ALONE = frozenset(
    {"repo", "username", "password", "password_file", "credential", "askpass_url"}
    | {"github_app_private_key", "github_app_private_key_file", "github_app_client_id"}
    | {"github_app_application_id", "github_app_installation_id"}
)
_HIDDEN = frozenset({"password_flag", "password_env", "github_app_private_key_env"})
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,62}")
_PLACES = ("error_file", "touch_file", "mirror_dir")


class FileError(ValueError):
    """The file cannot be used; the text names it and the place in it."""


class Told(NamedTuple):
    """What one repository was told, and its name; the name is empty when it is the only one."""

    name: str
    command: Command


def read(command: Command) -> tuple[Command, list[Told]]:
    """Return what the whole process is told with the file, and what each repository is.

    Raises:
        FileError: the first fault.
    """
    file = command.settings.config
    reading = _Reading(file, command.loaded.rows)
    document = _document(file)
    tables = document.pop("repository", [])
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise FileError(f"{file}: no [[repository]] in it")
    for name in sorted((ALONE | _HIDDEN) & command.present):
        raise FileError(f"{_place(command, name)} belongs into a [[repository]] of {file}")
    whole = reading.merged(command, document, forbidden=ALONE, place=file, beaten_by=command.present)
    if fault := first_fault(whole):
        raise FileError(f"{file}: {fault}")
    told = [reading.repository(whole, table, number) for number, table in enumerate(tables, 1)]
    for fault in _clashes(told):
        raise FileError(f"{file}: {fault}")
    return whole, told


def _document(file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(read_small(file).decode())
    except OSError as error:
        raise FileError(f"{file}: {error.strerror}") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise FileError(f"{file}: {error}") from None


class _Reading:
    def __init__(self, file: str, rows: Sequence[Option]) -> None:
        self._file = file
        self._rows = {row.name: row for row in rows if not row.hidden and not row.secret}

    def repository(self, whole: Command, table: Mapping[str, Any], number: int) -> Told:
        """Return what the repository of one table is told."""
        keys = dict(table)
        name = keys.pop("name", None)
        if name is None:
            name = default_link(str(keys.get("repo", ""))).removesuffix(".git")
        place = f"{self._file}: repository {number}"
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise FileError(f"{place}: it needs a name of letters, digits, '.', '_' and '-'")
        place = f"{self._file}: repository {name}"
        root = whole.settings.root
        if root and "root" not in keys:
            keys["root"] = f"{root.rstrip('/')}/{name}"
        if "max_failures" not in whole.present:
            keys.setdefault("max_failures", -1)  # one that is in trouble waits, and stops no other
        command = self.merged(whole, keys, forbidden=PROCESS, place=place)
        alone = dataclasses.replace(command.settings, config="")
        if fault := first_fault(command.having(alone)):
            raise FileError(f"{place}: {fault}")
        return Told(name, command.having(alone))

    def merged(
        self,
        command: Command,
        keys: Mapping[str, Any],
        *,
        forbidden: frozenset[str],
        place: str,
        beaten_by: frozenset[str] = frozenset(),
    ) -> Command:
        """Return *command* with what *keys* say, and where each value came from."""
        values: dict[str, Any] = {}
        for key, value in keys.items():
            row = self._rows.get(key)
            if row is None:
                raise FileError(f"{place}: {key}: unknown setting")
            if key in forbidden:
                where = "at the top of the file" if key in PROCESS else "into a [[repository]]"
                raise FileError(f"{place}: {key}: belongs {where}")
            if key not in beaten_by:
                values[key] = _parsed(row, value, place)
        origins = {**command.loaded.origins, **dict.fromkeys(values, place)}
        settings = dataclasses.replace(command.settings, **values)
        loaded = Loaded(settings, origins, command.loaded.rows)
        return dataclasses.replace(command, loaded=loaded, present=command.present | frozenset(values))


def _parsed(row: Option, value: Any, place: str) -> Any:
    texts = [_text(part) for part in value] if isinstance(value, list) and row.repeatable else [_text(value)]
    if any("\0" in text for text in texts):  # in a flag or a variable there is none either
        raise FileError(f"{place}: {row.name}: there is a NUL in it")
    try:
        return parsed(row, texts)
    except ValueError as error:
        raise FileError(f"{place}: {row.name}: {error}") from None


def _text(value: Any) -> str:
    """Values of TOML as the text that a flag would have; tables and lists are JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _clashes(told: Sequence[Told]) -> Iterator[str]:
    """Yield what two repositories cannot both have."""
    for number, (name, command) in enumerate(told):
        for other, before in told[:number]:
            if name == other:
                yield f"two repositories are called {name}; give one another `name`"
            root, there = (os.path.realpath(c.settings.root) for c in (command, before))
            if _overlap(root, there):
                yield f"the roots of {other} and {name} are not apart: {there} and {root}"
            for key in ("link", *_PLACES):
                if _where(command, key) and _where(command, key) == _where(before, key):
                    yield f"{other} and {name} have the same {key}: {_where(command, key)}"
            for here, its in (((name, command), (other, before)), ((other, before), (name, command))):
                yield from _mirror_clashes(here, its)


def _mirror_clashes(one: tuple[str, Command], two: tuple[str, Command]) -> Iterator[str]:
    """Yield where the mirror of *one* and what *two* writes are in each other."""
    (name, command), (other, its) = one, two
    mirror = _where(command, "mirror_dir")
    if not mirror:
        return
    root = os.path.realpath(its.settings.root)
    if _overlap(mirror, root):
        yield f"the mirror_dir of {name} and the root of {other} are not apart: {mirror} and {root}"
    theirs = _where(its, "mirror_dir")
    if theirs and theirs != mirror and mirror.startswith(f"{theirs}/"):
        yield f"the mirrors of {other} and {name} are not apart: {theirs} and {mirror}"
    for key in ("link", "error_file", "touch_file"):
        if _where(its, key).startswith(f"{mirror}/"):
            yield f"the {key} of {other} is in the mirror_dir of {name}: {_where(its, key)}"


def _overlap(one: str, two: str) -> bool:
    return one == two or f"{one}/".startswith(f"{two}/") or f"{two}/".startswith(f"{one}/")


def _where(command: Command, key: str) -> str:
    """Return where something is; a mirror is not below root, so it is not relative to it."""
    settings = command.settings
    if key == "link":  # itself, not what it names
        folder, name = os.path.split(
            os.path.join(settings.root, settings.link or default_link(settings.repo))
        )
        return os.path.join(os.path.realpath(folder), name)
    base = "" if key == "mirror_dir" else settings.root
    value = getattr(settings, key)
    return os.path.realpath(os.path.join(base, value)) if value else ""


def _place(command: Command, name: str) -> str:
    return command.loaded.origins[name]

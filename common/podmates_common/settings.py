"""One declaration per setting; flag, variable, file key, help and documentation are derived from it.

Precedence, highest first: flag, variable, file, default. Everything is text until its parser,
defaults included, so no source can bring a value of another type.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from podmates_common.errors import ConfigError
from podmates_common.files import TooLarge, read_small, why_unread
from podmates_common.flags import Flags, family
from podmates_common.redact import Secret

T = TypeVar("T")

# Kubernetes injects these into every pod for a Service named like our prefix.
SERVICE_LINK = re.compile(
    r"(SERVICE_HOST|SERVICE_PORT|PORT)(_|$)|[A-Z0-9_]+_(SERVICE_HOST|SERVICE_PORT|PORT)(_|$)"
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One setting, with the name it has in every place where a reader can meet it."""

    name: str  # attribute and file key: poll_interval
    flag: str  # --poll-interval; empty for a secret, because `ps` shows flags to everyone
    shorthand: str  # -v; empty for most
    variables: tuple[str, ...]  # PODMATES_GITSYNC_POLL_INTERVAL, then older names
    parse: Callable[[str], Any]
    default: str | None  # as text, so that it is shown and parsed like any other source
    help: str
    secret: bool
    repeatable: bool  # the value is a tuple, an element per use; in a variable separated by commas
    switch: bool  # a bare flag means true
    hidden: bool  # accepted, but not shown
    restart: bool  # a service that takes up changed settings while it runs does not take up this one

    @property
    def shown(self) -> str:
        """The default, as help and documentation print it."""
        default = "required" if self.default is None else f"default {self.default or 'empty'}"
        return default + ("; a change needs a restart" if self.restart else "")


def setting(
    default: str | None,
    parse: Callable[[str], Any],
    help: str,
    *,
    secret: bool = False,
    flag: str = "",
    shorthand: str = "",
    variables: tuple[str, ...] = (),
    repeatable: bool = False,
    switch: bool = False,
    hidden: bool = False,
    restart: bool = False,
) -> Any:
    """Declare a field of a settings class; None as *default* makes it mandatory.

    A secret's field is a `Secret`; *parse* checks its text. *flag* and *variables* are given only
    where a system that we replace named them before us.
    """
    metadata: dict[str, Any] = {
        "parse": parse,
        "default": default,
        "help": help,
        "secret": secret,
        "flag": flag,
    }
    metadata |= {"shorthand": shorthand, "variables": variables, "repeatable": repeatable}
    metadata |= {"switch": switch, "hidden": hidden, "restart": restart}
    return dataclasses.field(metadata=metadata)


def options(cls: Any, prefix: str) -> list[Option]:
    """Return the rows of *cls*. This is the only function that spells a name."""
    rows = []
    for field in dataclasses.fields(cls):
        told = dict(field.metadata)
        told["flag"] = "" if told["secret"] else "--" + (told["flag"] or field.name.replace("_", "-"))
        told["variables"] = told["variables"] or (f"{prefix}_{field.name}".upper(),)
        rows.append(Option(name=field.name, **told))
    return rows


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded(Generic[T]):
    """The settings, and for each name the place that its value came from."""

    settings: T
    origins: Mapping[str, str]
    rows: Sequence[Option]


class Found(NamedTuple):
    """The text of a setting, and the place that it stands in."""

    place: str
    texts: list[str]
    secret: Secret | None = None


def load(cls: type[T], prefix: str, argv: Sequence[str], environ: Mapping[str, str]) -> Loaded[T]:
    """Build *cls* from the family's command line, the environment and the file that ``--config`` names.

    Raises:
        ConfigError: names every fault at once.
    """
    rows = options(cls, prefix)
    flags = family(rows, argv)
    problems = [*flags.problems, *(f"{word!r}: unexpected argument" for word in flags.positional)]
    file: Mapping[str, Any] = {}
    if config := [row for row in rows if row.name == "config"]:
        try:
            file = _read_file(_find(config[0], flags, environ, {}))
        except ConfigError as error:
            problems += error.problems
    return resolve(cls, prefix, flags, environ, file=file, problems=problems)


def resolve(
    cls: type[T],
    prefix: str,
    flags: Flags,
    environ: Mapping[str, str],
    *,
    file: Mapping[str, Any] | None = None,
    problems: Sequence[str] = (),
) -> Loaded[T]:
    """Build *cls* from the sources that were read; *problems* are faults found before.

    Raises:
        ConfigError: names every fault at once.
    """
    rows, file = options(cls, prefix), file or {}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    faults = [*problems, *_strangers(rows, prefix, environ, file)]
    for row in rows:
        try:
            found = _find(row, flags, environ, file)
            values[row.name] = _value(row, found)
            origins[row.name] = found.place
        except ConfigError as error:
            named = any(fault.startswith(f"{row.flag}:") for fault in problems)
            faults += [] if named else error.problems
    if faults:
        raise ConfigError(faults)
    return Loaded(cls(**values), origins, rows)


def _find(row: Option, flags: Flags, environ: Mapping[str, str], file: Mapping[str, Any]) -> Found:
    """Return the text of the highest source that has one, or raise ConfigError."""
    if row.name in flags.values:
        return Found(row.flag, flags.values[row.name])
    present = [name for name in row.variables if name in environ]
    if present:
        text = environ[present[0]]
        return Found(present[0], _split(text) if row.repeatable else [text])
    if row.secret and (named := environ.get(row.variables[0] + "_FILE")):
        place = row.variables[0] + "_FILE"
        try:
            secret = Secret.from_file(Path(named))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a text file of at most 1 MiB"
            raise ConfigError([f"{place}: {named!r}: {reason}"]) from None
        return Found(place, [secret.reveal()], secret)
    if row.name in file:
        return Found(f"file key {row.name}", _texts(row, file[row.name]))
    if row.default is None:
        raise ConfigError([f"{row.flag or row.variables[0]}: required: {row.help}"])
    return Found("default", _split(row.default) if row.repeatable else [row.default])


def _value(row: Option, found: Found) -> Any:
    values = []
    for text in found.texts:
        try:
            values.append(row.parse(text))
        except (ValueError, OSError) as error:
            shown = "(secret)" if row.secret else repr(text)
            raise ConfigError([f"{found.place}: {shown}: {error}"]) from None
    if row.secret:
        return found.secret or Secret(found.texts[0])
    return tuple(values) if row.repeatable else values[-1]


def _texts(row: Option, value: Any) -> list[str]:
    """Return the texts of a file's value: TOML has types, our parsers want text."""
    if row.secret:
        raise ConfigError([f"file key {row.name}: a secret does not belong into this file"])
    if isinstance(value, dict):
        raise ConfigError([f"file key {row.name}: want a value, not a table"])
    parts = [_text(part) for part in value] if isinstance(value, list) else [_text(value)]
    return parts if row.repeatable else [",".join(parts)]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _read_file(named: Found) -> Mapping[str, Any]:
    path = named.texts[-1]
    if not path:
        return {}
    try:
        return tomllib.loads(read_small(path).decode())
    except (OSError, TooLarge) as error:
        raise ConfigError([f"{named.place}: {path!r}: {why_unread(error)}"]) from None
    except ValueError as error:  # TOML and UTF-8 faults alike
        raise ConfigError([f"{path}: {error}"]) from None


def _strangers(
    rows: Sequence[Option], prefix: str, environ: Mapping[str, str], file: Mapping[str, Any]
) -> list[str]:
    """Return a fault for each name that is ours but unknown: a typing error must not pass silently."""
    known = {name for row in rows for name in row.variables}
    known |= {row.variables[0] + "_FILE" for row in rows if row.secret}
    ours = [name for name in environ if name.startswith(prefix + "_") and name not in known]
    unknown = sorted(n for n in ours if not SERVICE_LINK.match(n.removeprefix(prefix + "_")))
    keys = sorted(set(file) - {row.name for row in rows})
    return [f"{n}: unknown setting" for n in unknown] + [f"file key {n}: unknown setting" for n in keys]

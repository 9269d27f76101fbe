"""From command line and environment to settings, in git-sync's way: variables first, one fault at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from podmates_common.redact import Redactor, Secret
from podmates_common.settings import SERVICE_LINK, Loaded, Option, options
from podmates_gitsync import govalues
from podmates_gitsync.flags import pflag, variables
from podmates_gitsync.flags.manual import manual
from podmates_gitsync.flags.pflag import FlagError
from podmates_gitsync.flags.shown import texts
from podmates_gitsync.flags.usage import usage
from podmates_gitsync.settings import PREFIX, Printing, Settings

_ADDED = frozenset({"credential"})  # uses of the flag come after what the variable says, all count


class VariableError(Exception):
    """A variable cannot be used; exit status 1, even with ``--help``, as it is read before any flag."""


@dataclass(frozen=True, slots=True)
class Command:
    """What the process was told."""

    loaded: Loaded[Settings]
    given: Mapping[str, Sequence[str]]  # flags of the command line: field name → texts
    present: frozenset[str]  # fields that a flag or a variable set
    positional: Sequence[str]

    def having(self, settings: Settings) -> Command:
        """Return the same with other settings."""
        return replace(self, loaded=Loaded(settings, self.loaded.origins, self.loaded.rows))

    @property
    def settings(self) -> Settings:
        return self.loaded.settings

    def printing(self, name: str) -> bool:
        """Return whether one of the print-and-exit flags was given and is true."""
        return self.given.get(name, ["false"])[-1] not in {"false", "0", "f", "F", "FALSE", "False"}


class Loader:
    """Reads the environment at once and the command line when asked, because their faults differ."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read the variables.

        Raises:
            VariableError: one does not parse, or has our prefix and is not known.
        """
        self.rows = options(Settings, PREFIX)
        self.flags = [*self.rows, *options(Printing, PREFIX)]
        readable = [row for row in self.rows if not (row.hidden and row.variables[0].startswith(PREFIX))]
        read = variables.read(readable, environ)
        self.warnings, self._found = read.warnings, read.values
        self._refuse_strangers(environ)
        for row in readable:
            if row.name in self._found:
                place, text = self._found[row.name]
                try:
                    _parsed(row, place, _variable_texts(row, text))
                except VariableError:
                    if row.name not in _ADDED:
                        raise
                    del self._found[row.name]  # malformed, and ignored without a word, as in the original

    def usage(self, program: str) -> str:
        """Return the text of ``--help``, with the defaults that the environment made."""
        return usage(program, self.flags, self.defaults(), self.beyond)

    def manual(self) -> str:
        """Return the text of ``--man``."""
        return manual(self.flags, self.defaults(), self.beyond)

    @property
    def beyond(self) -> frozenset[str]:
        """The fields that git-sync does not know."""
        return _beyond(self.rows)

    def defaults(self) -> dict[str, str]:
        """Return what each flag is when it is not given, as text without secrets, by field name."""
        clean = Redactor().clean
        found = {}
        for row in self.rows:
            parts = [clean(text) for text in texts(row, parsed(row, self._find(row, {})[1]))]
            found[row.name] = f"[{','.join(parts)}]" if row.repeatable else parts[-1]
        return found

    def command(self, argv: Sequence[str]) -> Command:
        """Read the command line.

        Raises:
            FlagError: it cannot be used; exit status 2.
        """
        flags = pflag.parse(self.flags, argv)
        values: dict[str, Any] = {}
        origins: dict[str, str] = {}
        for row in self.rows:
            origins[row.name], texts = self._find(row, flags.values)
            values[row.name] = parsed(row, texts)
        present = frozenset(flags.values) | frozenset(self._found)
        loaded = Loaded(Settings(**values), origins, self.rows)
        return Command(loaded, flags.values, present, flags.positional)

    def _find(self, row: Option, flags: Mapping[str, list[str]]) -> tuple[str, list[str]]:
        place, text = self._found.get(row.name, ("", ""))
        first = _variable_texts(row, text) if place else []
        if row.name in flags:
            return row.flag, [*(first if row.name in _ADDED else []), *flags[row.name]]
        if place:
            return place, first
        return "default", [row.default] if row.default else [] if row.repeatable else [""]

    def _refuse_strangers(self, environ: Mapping[str, str]) -> None:
        known = {name for row in self.rows for name in row.variables}
        for name in sorted(environ):
            ending = name.removeprefix(f"{PREFIX}_")
            if ending != name and name not in known and not SERVICE_LINK.match(ending):
                raise VariableError(f"{name}: unknown setting")


def _variable_texts(row: Option, text: str) -> list[str]:
    """A variable holds several values as git-sync has it for keys, split by colons, else a line each."""
    if row.name == "ssh_key_file":
        return text.split(":") if text else []
    if row.name in _ADDED:
        return [text]
    return [line for line in text.splitlines() if line] if row.repeatable else [text]


def _parsed(row: Option, place: str, texts: Sequence[str]) -> list[Any]:
    try:
        return [row.parse(text) for text in texts]
    except ValueError as error:
        raise VariableError(f"invalid env value for {place}: {error}") from None


def parsed(row: Option, texts: Sequence[str]) -> Any:
    """Return the value that *texts* stand for.

    Raises:
        ValueError: a text is not one of its kind.
    """
    if row.secret:
        return Secret(texts[-1])
    values = [row.parse(text) for text in texts]
    return tuple(values) if row.repeatable else values[-1]


def deprecations(command: Command) -> list[str]:
    """Return a warning for each flag of v3 on the command line."""
    rows = [row for row in command.loaded.rows if row.name in command.given]
    return [
        f"Flag {row.flag} has been deprecated, {row.help}"
        for row in rows
        if row.hidden and not row.flag.startswith("--__")
    ]


def goes_beyond(command: Command) -> bool:
    """Return whether a setting that git-sync does not have was given; without, it behaves as git-sync."""
    return bool(_beyond(command.loaded.rows) & command.present)


def _beyond(rows: Sequence[Option]) -> frozenset[str]:
    ours = {row.name for row in rows if not row.hidden and row.variables[0].startswith(PREFIX)}
    return frozenset(ours - {"git_config_add"})


def flag_lines(command: Command) -> list[str]:
    """Return ``--name=value`` for the first line of the log, sorted, without secrets and hidden flags.

    Those of the command line; from verbosity 4 on others that are not empty too, from 6 on all.
    """
    settings, clean = command.settings, Redactor().clean
    lines = []
    for row in command.loaded.rows:
        shown = texts(row, getattr(settings, row.name))
        wanted = row.name in command.given or settings.verbose >= (4 if any(shown) else 6)
        if wanted and row.flag and not row.hidden:
            lines += [f"{row.flag}={clean(text)}" for text in shown or [""]]
    return sorted(lines)


def presentable(command: Command) -> Command:
    """Return the same command with every setting that may hold a secret masked, to be printed."""
    masked: dict[str, Any] = {}
    for row in command.loaded.rows:
        if row.parse is govalues.text and not row.secret:
            parts = texts(row, getattr(command.settings, row.name))
            masked[row.name] = tuple(parts) if row.repeatable else parts[-1]
    return command.having(replace(command.settings, **masked))


__all__ = [
    "Command",
    "FlagError",
    "Loader",
    "VariableError",
    "deprecations",
    "flag_lines",
    "goes_beyond",
    "parsed",
    "presentable",
]

"""Whether the question may be asked in process: only where git itself would ask in the very same way.

What git alone understands (another address for a URL, a proxy, a cookie, a certificate, a helper for
passwords) is left to git. A table of reasons; the first that holds is told in the log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from podmates_gitsync.polling.naming import can_be_asked

_URL = re.compile(r"(https?)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?(/[!-~]*)")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_PORTS = {"http": 80, "https": 443}
_ODD_PATH = re.compile(r"[?#\"<>\\^`{|}]|/\.{1,2}(?:/|$)")  # curl would rewrite or refuse it
# git reads these sections of its configuration on the way to a server.
_SECTIONS = ("url", "http", "remote", "protocol", "credential", "include", "includeif")
# Kubernetes sets these for a Service called git, git-…: git knows no variable with such an end.
_SERVICE = re.compile(r"_(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)?)$")


class Endpoint(NamedTuple):
    """An http(s) address in its parts; *authority* is host and port as the URL spells them."""

    scheme: str
    host: str
    port: int
    authority: str
    path: str  # without the slash at its end


class Held(NamedTuple):
    """A user and a password that we gave to git for *url*."""

    url: str
    user: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Everything that decides it.

    Attributes:
        git: the program that runs as git.
        variables: names of the variables that git gets.
        own: those of them that are ours.
        netrc: whether there is such a file.
        config: git's configuration in force, in the repository.
        helper: our `credential.helper`.
        held: the credentials that we hold, whatever they are for.
    """

    repo: str
    ref: str
    git: str = "git"
    variables: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    netrc: bool = False
    config: Sequence[tuple[str, str]] = ()
    helper: str = ""
    held: Sequence[Held] = ()


def endpoint(url: str) -> Endpoint | None:
    """Return the parts of an http(s) *url* that needs no interpretation; None for every other."""
    match = _URL.fullmatch(url)
    if match is None or _ODD_PATH.search(match[4]):
        return None
    scheme, host, port, path = match.groups()
    number = int(port) if port else _PORTS[scheme]
    if not 0 < number < 65536:
        return None
    authority = f"{host}:{port}" if port else host
    return Endpoint(scheme, host.strip("[]"), number, authority, path.removesuffix("/"))


def credential(setup: Setup) -> Held | None:
    """Return the only credential that is for exactly the repository's scheme, host and port."""
    same = [held for held in setup.held if _is_for(held, setup.repo, exactly=True)]
    return same[0] if len(same) == 1 else None


def objection(setup: Setup) -> str | None:
    """Return why git has to ask instead of us; None when we may."""
    return next((reason for reason, holds in _REASONS if holds(setup)), None)


def _is_for(held: Held, repo: str, *, exactly: bool) -> bool:
    ours, theirs = endpoint(repo), endpoint(held.url if held.url.count("/") > 2 else held.url + "/")
    if ours is None or theirs is None:
        return False
    if exactly:  # as git compares: the text
        return (ours.scheme, ours.authority) == (theirs.scheme, theirs.authority)
    return (ours.scheme, ours.host.lower(), ours.port) == (theirs.scheme, theirs.host.lower(), theirs.port)


def _is_unclear(setup: Setup) -> bool:
    """Several credentials for the server, or one whose URL spells the server in another way."""
    likely = [held for held in setup.held if _is_for(held, setup.repo, exactly=False)]
    return len(likely) > 1 or (len(likely) == 1 and credential(setup) is None)


def _cannot_be_sent(setup: Setup) -> bool:
    held = credential(setup)
    return held is not None and (":" in held.user or bool(_CONTROLS.search(held.user + held.password)))


def _proxies(setup: Setup) -> bool:
    return any(name.lower().endswith("_proxy") for name in setup.variables)


def _git_variables(setup: Setup) -> bool:
    strange = {name for name in setup.variables - setup.own if name.startswith("GIT_")}
    return any(not _SERVICE.search(name) for name in strange)


def _configured(setup: Setup) -> bool:
    return any(_matters(key, value, setup) for key, value in setup.config)


def _matters(key: str, value: str, setup: Setup) -> bool:
    section, _, rest = key.partition(".")
    if key.lower() == "core.gitproxy":
        return True
    if section.lower() not in _SECTIONS:
        return False
    if key == "credential.helper":
        return value != setup.helper
    ours = {"origin.url", "origin.fetch", f"{setup.repo}.promisor", f"{setup.repo}.partialclonefilter"}
    return not (section == "remote" and rest in ours)


_REASONS: tuple[tuple[str, Callable[[Setup], bool]], ...] = (
    ("not a plain http or https address", lambda setup: endpoint(setup.repo) is None),
    ("--git is another program", lambda setup: setup.git != "git"),
    ("the ref is not a plain name", lambda setup: not can_be_asked(setup.ref)),
    ("a proxy is set in the environment", _proxies),
    ("the environment has settings of git", _git_variables),
    ("there is a .netrc", lambda setup: setup.netrc),
    ("several credentials may be for the server", _is_unclear),
    ("the credential cannot be sent by us", _cannot_be_sent),
    ("git's configuration says how to reach servers", _configured),
)

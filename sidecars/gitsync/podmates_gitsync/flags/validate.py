"""git-sync's checks of its settings, in its order; the first fault is the only one reported."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from podmates_gitsync.flags import additions, legacy
from podmates_gitsync.flags.load import Command
from podmates_gitsync.git.urls import bare, has_password
from podmates_gitsync.govalues import integer, show_duration
from podmates_gitsync.settings import Settings

_SHORTEST = 0.01  # seconds


def first_fault(command: Command) -> str | None:
    """Return what is wrong with the settings, or None."""
    return next(_faults(command), None)


def _faults(command: Command) -> Iterator[str]:
    settings = command.settings
    yield from _what(settings)
    yield from _when(settings)
    yield from _hooks(settings)
    yield from _password(settings)
    yield from _app(settings)
    yield from (fault for use in settings.credential for entry in use.entries if (fault := entry.fault()))
    for name in ("http-metrics", "http-pprof"):
        if getattr(settings, name.replace("-", "_")) and not settings.http_bind:
            yield f"required flag: --http-bind must be specified when --{name} is set"
    yield from additions.faults(settings)


def _what(settings: Settings) -> Iterator[str]:
    if not settings.root and not settings.config:
        yield "required flag: --root must be specified"
    if not settings.repo and not settings.config:
        yield "required flag: --repo must be specified"
    if legacy.conflict(settings):
        yield "invalid flag: only one of --branch and --rev may be specified"
    if not settings.ref:
        yield "required flag: --ref must be specified"
    for name, value in (("repo", settings.repo), ("ref", settings.ref)):
        if value.startswith("-"):  # git would take it for an option
            yield f"invalid flag: --{name} must not begin with '-'"
    if settings.depth < 0:
        yield "invalid flag: --depth must be greater than or equal to 0"
    if settings.submodules not in {"recursive", "shallow", "off"}:
        yield "invalid flag: --submodules must be one of recursive, shallow, off"
    if settings.git_gc not in {"auto", "always", "aggressive", "off"}:
        yield "invalid flag: --git-gc must be one of auto, always, aggressive, off"
    if has_password(settings.repo):
        yield "invalid flag: --repo has a password, which only a URL of http:// or https:// may have"


def _when(settings: Settings) -> Iterator[str]:
    if settings.period < _SHORTEST:
        yield _at_least("period", _SHORTEST)
    if settings.init_period and settings.init_period < _SHORTEST:
        yield _at_least("init-period", _SHORTEST)
    if settings.change_permissions:
        yield "deprecated flag: --change-permissions is no longer supported"
    if settings.sync_on_signal and signal_number(settings.sync_on_signal) is None:
        yield f"invalid flag: --sync-on-signal: no such signal: {settings.sync_on_signal}"
    if settings.sync_timeout < _SHORTEST:
        yield _at_least("sync-timeout", _SHORTEST)


def _hooks(settings: Settings) -> Iterator[str]:
    for name, used in (
        ("exechook", settings.exechook_command),
        ("pre-publish-exechook", settings.pre_publish_exechook_command),
        ("webhook", settings.webhook_url),
    ):
        for limit in ("timeout", "backoff") if used else ():
            if getattr(settings, f"{name}-{limit}".replace("-", "_")) < 1:
                yield _at_least(f"{name}-{limit}", 1)
    if settings.webhook_url and settings.webhook_success_status < -1:
        yield "invalid flag: --webhook-success-status must be a valid HTTP code or -1"


def _password(settings: Settings) -> Iterator[str]:
    both = bool(settings.password) and bool(settings.password_file)
    if settings.username:
        if not settings.password and not settings.password_file:
            yield "required flag: $GITSYNC_PASSWORD or --password-file must be specified when --username is"
        if both:
            yield "invalid flag: only one of $GITSYNC_PASSWORD and --password-file may be specified"
        if bare(settings.repo).user is not None:
            yield "invalid flag: only one of --username and credentials in --repo may be specified"
    elif settings.password:
        yield "invalid flag: $GITSYNC_PASSWORD may only be specified when --username is specified"
    elif settings.password_file:
        yield "invalid flag: --password-file may only be specified when --username is specified"


def _app(settings: Settings) -> Iterator[str]:
    """Yield what is wrong with the GitHub App; a key without an id is none, and ignored."""
    client, application = settings.github_app_client_id, settings.github_app_application_id
    key, file = settings.github_app_private_key, settings.github_app_private_key_file
    if client and application:
        yield (
            "invalid flag: only one of --github-app-client-id and --github-app-application-id may be "
            "specified"
        )
    if client or application:
        if not settings.github_app_installation_id:
            yield "required flag: --github-app-installation-id must be specified when a GitHub App's id is"
        if not key and not file:
            yield (
                "required flag: $GITSYNC_GITHUB_APP_PRIVATE_KEY or --github-app-private-key-file must be "
                "specified when a GitHub App's id is"
            )
        if key and file:
            yield (
                "invalid flag: only one of $GITSYNC_GITHUB_APP_PRIVATE_KEY and --github-app-private-key-file "
                "may be specified"
            )
        for name in ("username", "password", "password_file"):
            if getattr(settings, name):
                shown = "$GITSYNC_PASSWORD" if name == "password" else f"--{name.replace('_', '-')}"
                yield f"invalid flag: {shown} may not be specified when a GitHub App's id is"
    elif settings.github_app_installation_id:
        yield (
            "required flag: --github-app-client-id or --github-app-application-id must be specified when "
            "--github-app-installation-id is"
        )


def _at_least(name: str, seconds: float) -> str:
    return f"invalid flag: --{name} must be at least {show_duration(seconds)}"


def signal_number(text: str) -> int | None:
    """Return the number that a name (with or without SIG) or a number stands for; None if it is neither."""
    with contextlib.suppress(ValueError):
        return integer(text) or None  # a number that is no signal never comes
    names = {member.name: member.value for member in signal.Signals}
    return names.get(text) or names.get(f"SIG{text}")

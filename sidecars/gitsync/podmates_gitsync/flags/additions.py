"""Checks of the settings that git-sync does not know; git-sync's own are in `validate`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from podmates_gitsync.settings import Settings
from podmates_gitsync.trees import sparse

CHOICES = {
    "poll": ("auto", "fetch"),
    "push_provider": (
        *("auto", "forgejo", "gitea", "gogs", "gitlab", "bitbucket", "bitbucket-dc", "azure", "github"),
        "generic",
    ),
    "pre_publish_exechook_mode": ("async", "gate"),
    "verify": ("off", "audit", "enforce"),
    "verify_objects": ("commit", "tag", "both"),
    "publish": ("auto", "checkout", "link", "reflink"),
    "webhook_format": ("none", "json"),
    "mirror_local_changes": ("overwrite", "keep", "fail"),
    "lfs": ("off", "on"),
    "progress": ("auto", "on", "off"),
}

_PATH = re.compile(r"/[A-Za-z0-9._~/-]{0,200}")
_TAKEN = ("", "/sync", "/metrics", "/status", "/livez", "/readyz")  # paths that others answer on


def faults(settings: Settings) -> Iterator[str]:
    """Yield what is wrong with them."""
    for name, allowed in CHOICES.items():
        if getattr(settings, name) not in allowed:
            yield f"invalid flag: --{name.replace('_', '-')} must be one of {', '.join(allowed)}"
    for path in settings.path:
        try:
            sparse.normal(path)
        except ValueError as error:
            yield f"invalid flag: --path {path!r}: {error}"
    if settings.path and settings.sparse_checkout_file:
        yield "invalid flag: only one of --path and --sparse-checkout-file may be specified"
    if settings.keep < 0:
        yield "invalid flag: --keep must not be negative"
    if settings.max_staleness < 0:
        yield "invalid flag: --max-staleness must not be negative"
    if settings.max_staleness and not settings.http_bind:
        yield "required flag: --http-bind must be specified when --max-staleness is set"
    if not 0 <= settings.period_jitter <= 1:
        yield "invalid flag: --period-jitter must be from 0 to 1"
    if settings.max_backoff < 0:
        yield "invalid flag: --max-backoff must not be negative"
    yield from _mirror(settings)
    yield from _pushes(settings)
    if not settings.config:  # the rest may stand with a repository
        yield from _missing(settings)


def _missing(settings: Settings) -> Iterator[str]:
    """Yield what one setting needs of another."""
    for wanted, name, why in (
        (settings.exechook_args, "exechook_command", "--exechook-args is set"),
        (settings.pre_publish_exechook_args, "pre_publish_exechook_command", "its arguments are set"),
        (
            settings.pre_publish_exechook_mode == "gate",
            "pre_publish_exechook_command",
            "--pre-publish-exechook-mode is gate",
        ),
        (settings.webhook_format == "json", "webhook_url", "--webhook-format is json"),
        (settings.verify != "off", "verify_ssh_allowed_signers_file", f"--verify is {settings.verify}"),
    ):
        if wanted and not getattr(settings, name):
            yield f"required flag: --{name.replace('_', '-')} must be specified when {why}"
    if settings.webhook_secret_file and settings.webhook_format == "none":
        yield "required flag: --webhook-format must be json when --webhook-secret-file is set"


def _mirror(settings: Settings) -> Iterator[str]:
    if settings.mirror_local_changes != "overwrite" and not settings.mirror_dir and not settings.config:
        yield "required flag: --mirror-dir must be specified when --mirror-local-changes is set"
    if settings.mirror_dir and settings.error_file.startswith(settings.mirror_dir.rstrip("/") + "/"):
        yield "invalid flag: --error-file must not be in --mirror-dir, which has to be empty at first"


def _pushes(settings: Settings) -> Iterator[str]:
    if settings.push_bind and not settings.config and not (settings.push_secret or settings.push_secret_file):
        yield (
            "required flag: PODMATES_GITSYNC_PUSH_SECRET or --push-secret-file must be specified"
            " when --push-bind is"
        )
    if settings.push_debounce < 0:
        yield "invalid flag: --push-debounce must not be negative"
    if not _PATH.fullmatch(settings.push_path) or settings.push_path.rstrip("/") in _TAKEN:
        yield f"invalid flag: --push-path must be a path such as /push, and none of {', '.join(_TAKEN[1:])}"

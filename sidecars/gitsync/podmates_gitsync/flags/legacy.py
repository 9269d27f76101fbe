"""Names of git-sync v3: what each of them means today."""

from __future__ import annotations

import dataclasses
from typing import Any

from podmates_common.redact import Secret
from podmates_gitsync.settings import Settings

# Old field → new field, for those that are plain renames; zero and empty mean "not given".
_RENAMED = {
    "dest": "link",
    "timeout": "sync_timeout",
    "max_sync_failures": "max_failures",
    "sync_hook_command": "exechook_command",
}
# Flags that hold a secret, two of them for tests only.
_SECRETS = {
    "password_flag": "password",
    "password_env": "password",
    "github_app_private_key_env": "github_app_private_key",
}


def conflict(settings: Settings) -> bool:
    """Return whether a branch and another revision were both asked for, which v4 cannot do."""
    return bool(settings.branch) and settings.rev not in {"", "HEAD"}


def rewrite(settings: Settings) -> tuple[Settings, list[str]]:
    """Return the settings with old names put into new fields, which they beat, and a line for each."""
    new: dict[str, Any] = {}
    lines: list[str] = []
    for old, name, value in _rewrites(settings):
        new[name] = value
        if not old.endswith("_env"):
            lines.append(f"setting {_flag(name)} from deprecated {_flag(old)}")
    return dataclasses.replace(settings, **new), lines


def _rewrites(settings: Settings) -> list[tuple[str, str, Any]]:
    found: list[tuple[str, str, Any]] = [
        (old, name, getattr(settings, old)) for old, name in _RENAMED.items() if getattr(settings, old)
    ]
    if settings.branch and not conflict(settings):
        found.append(("branch", "ref", settings.branch))
    elif settings.rev and not settings.branch:
        found.append(("rev", "ref", settings.rev))
    if settings.wait:
        found.append(("wait", "period", int(settings.wait * 1000) / 1000))
    for old, name in _SECRETS.items():
        if getattr(settings, old):
            found.append((old, name, Secret(getattr(settings, old))))
    if settings.v >= 0:
        found.append(("v", "verbose", settings.v))
    return found


def _flag(name: str) -> str:
    return "$GITSYNC_PASSWORD" if name == "password" else f"--{name.removesuffix('_flag').replace('_', '-')}"

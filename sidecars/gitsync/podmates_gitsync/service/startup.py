"""From settings to the parts of the process, in git-sync's order of start-up."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from podmates_common.redact import Redactor
from podmates_common.version import VERSION
from podmates_gitsync.auth.passwd import add_user
from podmates_gitsync.errors import StartError
from podmates_gitsync.flags.load import Command, flag_lines
from podmates_gitsync.git import gitconfig, lfs, ssh
from podmates_gitsync.git.commands import Git, GitError
from podmates_gitsync.git.configpairs import ConfigPairError, shown
from podmates_gitsync.git.refs import default_link
from podmates_gitsync.git.urls import bare
from podmates_gitsync.mirror import place
from podmates_gitsync.mirror.mirror import Mirror
from podmates_gitsync.reports.logs import Log
from podmates_gitsync.settings import Settings

_MAY_HOLD_SECRETS = frozenset({"credential", "askpass_url", "webhook_url", "git_config", "git_config_add"})
_COOKIES = Path("/etc/git-secret/cookie_file")
_BUDGET = 30.0  # seconds for git's answers at start-up


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is, absolute and resolved."""

    root: Path
    link: Path
    touch_file: Path | None
    mirror: Path | None


def announce(command: Command, log: Log, environ: Mapping[str, str]) -> None:
    """Write the first line of the log."""
    log.info(
        0,
        "starting up",
        version=VERSION,
        pid=os.getpid(),
        uid=os.getuid(),
        gid=os.getgid(),
        home=environ.get("HOME", ""),
        flags=flag_lines(command),
    )


def make_places(settings: Settings, log: Log) -> Places:
    """Set the umask, create root, and resolve it.

    Raises:
        StartError: git is not found, root cannot be made, or the mirror cannot be where it should.
    """
    if shutil.which(settings.git) is None:
        raise StartError(f"git executable not found: {settings.git}")
    if settings.lfs == "on" and shutil.which(lfs.PROGRAM) is None:
        raise StartError(f"--lfs=on needs {lfs.PROGRAM}, which is not found")
    os.umask(0o002 if settings.group_write else 0o022)
    given = Path(os.path.abspath(settings.root))
    try:
        given.mkdir(mode=0o775, parents=True, exist_ok=True)
        root = given.resolve(strict=True)
    except OSError as error:
        raise StartError(f"cannot make root: {error}") from None
    if str(root) != settings.root:
        log.info(0, "root resolved", path=settings.root, root=str(root))
    touch_file = root / settings.touch_file if settings.touch_file else None
    link = Path(os.path.normpath(root / (settings.link or default_link(settings.repo))))
    try:
        mirror = place.make(settings.mirror_dir, root) if settings.mirror_dir else None
    except OSError as error:
        raise StartError(f"cannot mirror to {settings.mirror_dir}: {error}") from None
    return Places(root, link, touch_file, mirror)


def make_mirror(settings: Settings, places: Places, git: Git, log: Log) -> Mirror | None:
    """Return what keeps the mirror in step, if there is to be one."""
    if places.mirror is None:
        return None
    return Mirror(
        places.mirror,
        local_changes=settings.mirror_local_changes,
        git=git,
        log=log,
        shared=settings.group_write,
    )


def strip_secrets(command: Command, environ: MutableMapping[str, str]) -> None:
    """Take passwords out of what git will inherit; hooks get a copy made before."""
    for row in command.loaded.rows:
        for name in row.variables if row.secret or row.name in _MAY_HOLD_SECRETS else ():
            environ.pop(name, None)
        for name in row.variables if row.name == "repo" else ():
            if name in environ:
                environ[name] = bare(environ[name]).url


def enter_empty_directory() -> None:
    """Make our own working directory one in which no command can do harm, and that leaves nothing behind."""
    try:
        name = tempfile.mkdtemp(prefix="git-sync.")
    except OSError:
        os.chdir("/")
        return
    os.chdir(name)
    with contextlib.suppress(OSError):
        os.rmdir(name)


def make_config(
    settings: Settings, environ: Mapping[str, str], helper: str, *, redactor: Redactor
) -> tuple[gitconfig.PrivateConfig, dict[str, str]]:
    """Return git's private configuration, and the variables that make git use it.

    Raises:
        StartError: ``--git-config``, ``--git-config-add`` or ``--cookie-file`` cannot be used.
    """
    try:
        own = gitconfig.chosen(settings)
        for secret in gitconfig.secrets(settings):
            redactor.add(secret)
    except ConfigPairError as error:
        raise StartError(f"cannot parse --git-config or --git-config-add: {error}") from None
    large = lfs.config(settings.repo) if settings.lfs == "on" else []
    ours = [*gitconfig.DEFAULTS, ("credential.helper", helper), *cookies(settings), *large]
    config = gitconfig.PrivateConfig(gitconfig.render([*ours, *own]))
    command = ssh.command(
        environ.get("GIT_SSH_COMMAND") or "ssh",
        keys=settings.ssh_key_file,
        known_hosts=settings.ssh_known_hosts_file if settings.ssh_known_hosts else None,
        verbosity=settings.verbose,
    )
    return config, gitconfig.additions(config.path, command)


def cookies(settings: Settings, file: Path = _COOKIES) -> list[tuple[str, str]]:
    """Return what makes git send cookies, when it is asked for.

    Raises:
        StartError: the file is not there.
    """
    if not settings.cookie_file:
        return []
    try:
        file.stat()
    except OSError as error:
        raise StartError(f"cannot use the cookie file: {error}") from None
    return [("http.cookieFile", str(file))]


def ensure_user(settings: Settings, environ: Mapping[str, str], log: Log) -> None:
    """Do what ``--add-user`` asks for, in the user's working directory.

    Raises:
        StartError: the list of users cannot be changed.
    """
    if not settings.add_user:
        return
    try:
        added = add_user(environ.get("HOME") or os.getcwd())
    except (OSError, ValueError) as error:
        raise StartError(f"cannot add the user: {error}") from None
    if added:
        log.info(0, "added the user", uid=os.getuid(), gid=os.getgid())


def ask_git(git: Git, log: Log) -> None:
    """Log git's version and the configuration that is in force, values that look like secrets masked.

    Raises:
        StartError: git does not answer, or reads a configuration that it does not understand.
    """
    git.deadline = time.monotonic() + _BUDGET
    try:
        version = git.run(["version"], Path("/")).strip()
        listed = git.run(["config", "--list", "-z"], Path("/"), private=True)
    except GitError as error:
        raise StartError(f"cannot use git: {error}") from None
    log.info(0, "git version", version=version)
    pairs = [entry.partition("\n")[::2] for entry in listed.split("\0") if entry]
    log.info(0, "git config", config=[f"{key}={shown(key, value)}" for key, value in pairs])

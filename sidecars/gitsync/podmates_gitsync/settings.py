"""Every setting: git-sync v4's, the names of version 3 that it still takes, and our own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from podmates_common.settings import setting
from podmates_gitsync.flags.entries import Entries, entries
from podmates_gitsync.govalues import boolean, duration, integer, number, text

PREFIX = "PODMATES_GITSYNC"


def _names(*endings: str) -> tuple[str, ...]:
    """Return GITSYNC_X and GIT_SYNC_X for each ending: the spellings of most settings."""
    return tuple(f"{start}_{ending}" for ending in endings for start in ("GITSYNC", "GIT_SYNC"))


def _new(name: str) -> tuple[str, ...]:
    return (f"GITSYNC_{name}",)


def _old(name: str) -> tuple[str, ...]:
    return (f"GIT_SYNC_{name}",)


def _known(default: str, parse: Any, variables: tuple[str, ...], help: str, **more: Any) -> Any:
    """Declare a setting that git-sync named before us."""
    return setting(default, parse, help, variables=variables, switch=parse is boolean, **more)


def _ours(default: str, parse: Any, help: str, **more: Any) -> Any:
    """Declare a setting that git-sync does not know."""
    return setting(default, parse, help, switch=parse is boolean, **more)


def _secret(variables: tuple[str, ...], help: str) -> Any:
    return _known("", text, variables, help, secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What gitsync can be told; durations are seconds."""

    # what to sync
    repo: str = _known("", text, _names("REPO"), "the git repository to sync (required)")
    ref: str = _known("HEAD", text, _new("REF"), "the branch, tag or full hash to sync")
    depth: int = _known("1", integer, _names("DEPTH"), "commits of history to fetch, 0 for all")
    filter: str = _known("", text, _new("FILTER"), "a filter for `git fetch --filter`, such as blob:none")
    submodules: str = _known("recursive", text, _names("SUBMODULES"), "one of recursive, shallow, off")
    sparse_checkout_file: str = _known(
        "",
        text,
        _names("SPARSE_CHECKOUT_FILE"),
        "a file in git's sparse-checkout syntax: which files to check out",
    )
    # where to
    root: str = _known("", text, _names("ROOT"), "the directory for everything that is synced (required)")
    link: str = _known(
        "",
        text,
        _names("LINK"),
        "the link to publish, below root or absolute; empty: the repository's last part",
    )
    error_file: str = _known(
        "", text, _names("ERROR_FILE"), "a file that holds the last error until the next success"
    )
    touch_file: str = _known("", text, _names("TOUCH_FILE"), "a file to touch after every change")
    group_write: bool = _known("false", boolean, _names("GROUP_WRITE"), "let the group write what is synced")
    stale_worktree_timeout: float = _known(
        "0s", duration, _new("STALE_WORKTREE_TIMEOUT"), "how long to keep a tree that was replaced"
    )
    # when
    period: float = _known("10s", duration, _names("PERIOD"), "pause between two syncs, at least 10ms")
    init_period: float = _known(
        "0s", duration, _new("INIT_PERIOD"), "--period until the first success; 0 for no difference"
    )
    sync_timeout: float = _known("2m0s", duration, _names("SYNC_TIMEOUT"), "limit for one whole sync")
    one_time: bool = _known("false", boolean, _names("ONE_TIME"), "exit after the first success")
    sync_on_signal: str = _known("", text, _names("SYNC_ON_SIGNAL"), "a signal that ends the pause at once")
    max_failures: int = _known(
        "0", integer, _names("MAX_FAILURES"), "failures in a row before giving up, negative for never"
    )
    init_max_failures: int = _known(
        "0", integer, _new("INIT_MAX_FAILURES"), "--max-failures until the first success"
    )
    # hooks
    exechook_command: str = _known("", text, _names("EXECHOOK_COMMAND"), "a program to run after each change")
    exechook_timeout: float = _known(
        "30s", duration, _names("EXECHOOK_TIMEOUT"), "limit for one run of the exechook"
    )
    exechook_backoff: float = _known(
        "3s", duration, _names("EXECHOOK_BACKOFF"), "wait before it is tried again"
    )
    pre_publish_exechook_command: str = _known(
        "", text, _new("PRE_PUBLISH_EXECHOOK_COMMAND"), "a program to start before each publish"
    )
    pre_publish_exechook_timeout: float = _known(
        "30s", duration, _new("PRE_PUBLISH_EXECHOOK_TIMEOUT"), "limit for one run of it"
    )
    pre_publish_exechook_backoff: float = _known(
        "3s", duration, _new("PRE_PUBLISH_EXECHOOK_BACKOFF"), "wait before it is tried again"
    )
    webhook_url: str = _known("", text, _names("WEBHOOK_URL"), "a URL to call after each change")
    webhook_method: str = _known("POST", text, _names("WEBHOOK_METHOD"), "the HTTP method of webhooks")
    webhook_success_status: int = _known(
        "200", integer, _names("WEBHOOK_SUCCESS_STATUS"), "the status of success; 0 or -1: any will do"
    )
    webhook_timeout: float = _known("1s", duration, _names("WEBHOOK_TIMEOUT"), "limit for one webhook")
    webhook_backoff: float = _known(
        "3s", duration, _names("WEBHOOK_BACKOFF"), "wait before it is tried again"
    )
    # authentication
    username: str = _known("", text, _names("USERNAME"), "the user name for the repository")
    password: Any = _secret(_names("PASSWORD"), "the password of --username")  # noqa: RUF009
    password_file: str = _known(
        "", text, _names("PASSWORD_FILE"), "a file with the password of --username, read at each sync"
    )
    credential: tuple[Entries, ...] = _known(
        "", entries, _new("CREDENTIAL"), "passwords for more URLs, as JSON (repeatable)", repeatable=True
    )
    ssh_key_file: tuple[str, ...] = _known(
        "/etc/git-secret/ssh",
        text,
        (*_names("SSH_KEY_FILE"), "GIT_SSH_KEY_FILE"),
        "a private key for ssh (repeatable)",
        repeatable=True,
    )
    ssh_known_hosts: bool = _known(
        "true",
        boolean,
        ("GITSYNC_SSH_KNOWN_HOSTS", "GIT_SYNC_KNOWN_HOSTS", "GIT_KNOWN_HOSTS"),
        "check the key of an ssh host",
    )
    ssh_known_hosts_file: str = _known(
        "/etc/git-secret/known_hosts",
        text,
        (*_names("SSH_KNOWN_HOSTS_FILE"), "GIT_SSH_KNOWN_HOSTS_FILE"),
        "the keys of known ssh hosts",
    )
    cookie_file: bool = _known(
        "false",
        boolean,
        (*_names("COOKIE_FILE"), "GIT_COOKIE_FILE"),
        "use git's cookies of /etc/git-secret/cookie_file",
    )
    askpass_url: str = _known(
        "",
        text,
        (*_names("ASKPASS_URL"), "GIT_ASKPASS_URL"),
        "a URL that answers with username=… and password=…, asked at each sync",
    )
    github_base_url: str = _known(
        "https://api.github.com/", text, _new("GITHUB_BASE_URL"), "where GitHub's API is, for a GitHub App"
    )
    github_app_private_key: Any = _secret(_new("GITHUB_APP_PRIVATE_KEY"), "the private key of a GitHub App")  # noqa: RUF009
    github_app_private_key_file: str = _known(
        "", text, _new("GITHUB_APP_PRIVATE_KEY_FILE"), "a file with the private key of a GitHub App"
    )
    github_app_client_id: str = _known(
        "", text, _new("GITHUB_APP_CLIENT_ID"), "the client id of a GitHub App"
    )
    github_app_application_id: int = _known(
        "0", integer, _new("GITHUB_APP_APPLICATION_ID"), "the id of a GitHub App, where it has no client id"
    )
    github_app_installation_id: int = _known(
        "0", integer, _new("GITHUB_APP_INSTALLATION_ID"), "the id of its installation"
    )
    add_user: bool = _known("false", boolean, _names("ADD_USER"), "add the user to /etc/passwd, for ssh")
    # git, HTTP, other
    git: str = _known("git", text, _names("GIT"), "the git program")
    git_config: str = _known(
        "", text, _names("GIT_CONFIG"), "settings of git: key:value,key:value (see --man)"
    )
    git_config_add: tuple[str, ...] = setting("", text, "more settings of git (repeatable)", repeatable=True)
    git_gc: str = _known("always", text, _names("GIT_GC"), "one of auto, always, aggressive, off")
    http_bind: str = _known("", text, _names("HTTP_BIND"), "host:port or :port to serve HTTP on")
    http_metrics: bool = _known("false", boolean, _names("HTTP_METRICS"), "serve /metrics on --http-bind")
    http_pprof: bool = _known("false", boolean, _names("HTTP_PPROF"), "serve /debug/pprof/ on --http-bind")
    verbose: int = _known("0", integer, _new("VERBOSE"), "verbosity of the log, 0 to 9", shorthand="-v")
    # beyond git-sync
    config: str = _ours("", text, "a TOML file with several repositories")
    poll: str = _ours("auto", text, "how to look for news: auto (ask first) or fetch (as git-sync does)")
    period_jitter: float = _ours("0", number, "lengthen each pause at random by up to this fraction of it")
    max_backoff: float = _ours("0s", duration, "double the pause after each failure up to this; 0 for never")
    push_bind: str = _ours("", text, "host:port or :port to receive pushes on")
    push_path: str = _ours("/push", text, "the path of the push receiver")
    push_secret: Any = _secret((f"{PREFIX}_PUSH_SECRET",), "what senders of pushes must know")  # noqa: RUF009
    push_secret_file: tuple[str, ...] = _ours(
        "", text, "a file with what senders of pushes must know (repeatable, for rotation)", repeatable=True
    )
    push_provider: str = _ours(
        "auto", text, "auto, forgejo, gitea, gogs, gitlab, bitbucket, bitbucket-dc, azure, github or generic"
    )
    push_debounce: float = _ours("200ms", duration, "gather further pushes for so long")
    pre_publish_exechook_mode: str = _ours(
        "async", text, "async, or gate: publish only what the hook ends with 0 for"
    )
    verify: str = _ours("off", text, "check signatures: off, audit (log) or enforce (publish only good ones)")
    verify_objects: str = _ours("commit", text, "what must be signed: commit, tag or both")
    verify_ssh_allowed_signers_file: str = _ours("", text, "who may sign, in ssh's allowed signers format")
    publish: str = _ours(
        "auto", text, "how unchanged files get into a new tree: auto, checkout, link or reflink"
    )
    max_staleness: float = _ours(
        "0s", duration, "not live, not ready when the last success is older; 0 for never"
    )
    exechook_args: tuple[str, ...] = _ours(
        "", text, "an argument for the exechook (repeatable)", repeatable=True
    )
    pre_publish_exechook_args: tuple[str, ...] = _ours(
        "", text, "an argument for the pre-publish exechook (repeatable)", repeatable=True
    )
    webhook_format: str = _ours("none", text, "the body of webhooks: none or json")
    webhook_secret_file: str = _ours("", text, "a file with the key to sign JSON webhooks with")
    path: tuple[str, ...] = _ours("", text, "publish this directory only (repeatable)", repeatable=True)
    keep: int = _ours("0", integer, "how many replaced trees to keep at least")
    mirror_dir: str = _ours("", text, "a plain directory to keep in step as well, file by file")
    mirror_local_changes: str = _ours(
        "overwrite", text, "files of the mirror that somebody changed: overwrite, keep or fail"
    )
    lfs: str = _ours("off", text, "fetch large files (git-lfs): off or on")
    progress: str = _ours("auto", text, "show the progress of a long first clone: auto, on or off")
    # names of v3
    branch: str = _known("", text, _old("BRANCH"), "use --ref", hidden=True)
    rev: str = _known("", text, _old("REV"), "use --ref", hidden=True)
    dest: str = _known("", text, _old("DEST"), "use --link", hidden=True)
    wait: float = _known("0", number, _old("WAIT"), "use --period", hidden=True)
    timeout: int = _known("0", integer, _old("TIMEOUT"), "use --sync-timeout", hidden=True)
    max_sync_failures: int = _known(
        "0", integer, _old("MAX_SYNC_FAILURES"), "use --max-failures", hidden=True
    )
    sync_hook_command: str = _known("", text, _old("HOOK_COMMAND"), "use --exechook-command", hidden=True)
    change_permissions: int = _known("0", integer, _old("PERMISSIONS"), "no longer supported", hidden=True)
    password_flag: str = setting("", text, "use GITSYNC_PASSWORD", flag="password", hidden=True)
    password_env: str = setting("", text, "for tests", flag="__env__GITSYNC_PASSWORD", hidden=True)
    github_app_private_key_env: str = setting(
        "", text, "for tests", flag="__env__GITSYNC_GITHUB_APP_PRIVATE_KEY", hidden=True
    )
    ssh: bool = setting("false", boolean, "no longer necessary", switch=True, hidden=True)
    v: int = setting("-1", integer, "use --verbose", hidden=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Printing:
    """Flags that print and end; no variable sets them."""

    help: bool = setting("false", boolean, "print this and exit", shorthand="-h", switch=True)
    question: bool = setting("false", boolean, "", flag="__?", shorthand="-?", switch=True, hidden=True)
    man: bool = setting("false", boolean, "print the manual and exit", switch=True)
    version: bool = setting("false", boolean, "print the version and exit", switch=True)

"""The first fault of the settings is reported, in git-sync's order; flags not yet there are refused."""

from __future__ import annotations

import pytest

from podmates_gitsync.flags import legacy
from podmates_gitsync.flags.additions import CHOICES
from podmates_gitsync.flags.legacy import rewrite
from podmates_gitsync.flags.load import Loader
from podmates_gitsync.flags.validate import first_fault, signal_number

BASE = ["--root=/r", "--repo=r"]
APP = ["--github-app-client-id=c", "--github-app-installation-id=7"]
APP_KEY = "--__env__GITSYNC_GITHUB_APP_PRIVATE_KEY=k"
FAULTS = {
    "no root": ([], "--root must be specified"),
    "no repo": (["--root=/r"], "--repo must be specified"),
    "root before repo": (["--depth=-1"], "--root"),
    "empty ref": ([*BASE, "--ref="], "--ref must be specified"),
    "repo that git would take for an option": (["--root=/r", "--repo=--upload-pack=x"], "must not begin"),
    "ref that git would take for an option": ([*BASE, "--ref=-x"], "must not begin with"),
    "negative depth": ([*BASE, "--depth=-1"], "--depth must be greater than or equal to 0"),
    "submodules": ([*BASE, "--submodules=on"], "--submodules must be one of"),
    "gc": ([*BASE, "--git-gc=never"], "--git-gc must be one of"),
    "short period": ([*BASE, "--period=9ms"], "--period must be at least 10ms"),
    "short init period": ([*BASE, "--init-period=1ms"], "--init-period must be at least 10ms"),
    "permissions": ([*BASE, "--change-permissions=1"], "no longer supported"),
    "signal 0": ([*BASE, "--sync-on-signal=0"], "--sync-on-signal"),
    "signal in lower case": ([*BASE, "--sync-on-signal=sighup"], "--sync-on-signal"),
    "short timeout": ([*BASE, "--sync-timeout=1ms"], "--sync-timeout must be at least 10ms"),
    "hook timeout": ([*BASE, "--exechook-command=x", "--exechook-timeout=9ms"], "at least 1s"),
    "hook backoff": ([*BASE, "--exechook-command=x", "--exechook-backoff=9ms"], "--exechook-backoff"),
    "metrics without HTTP": ([*BASE, "--http-metrics"], "--http-bind must be specified"),
    "profiles without HTTP": ([*BASE, "--http-pprof"], "--http-bind must be specified when --http-pprof"),
    "one fault at a time": ([*BASE, "--depth=-1", "--period=1ms"], "--depth"),
    "password in an ssh URL": (["--root=/r", "--repo=ssh://u:p@h/r"], "--repo has a password"),
    "path out of the repository": ([*BASE, "--path=../x"], "--path '../x': must not contain .."),
    "path and sparse file": ([*BASE, "--path=a", "--sparse-checkout-file=/f"], "only one of --path"),
    "way to poll": ([*BASE, "--poll=never"], "--poll must be one of"),
    "negative jitter": ([*BASE, "--period-jitter=-0.1"], "--period-jitter must be from 0 to 1"),
    "jitter beyond one": ([*BASE, "--period-jitter=1.1"], "--period-jitter must be from 0 to 1"),
    "negative backoff": ([*BASE, "--max-backoff=-1s"], "--max-backoff must not be negative"),
    "negative staleness": ([*BASE, "--max-staleness=-1s"], "--max-staleness must not be negative"),
    "staleness without HTTP": ([*BASE, "--max-staleness=1h"], "--http-bind must be specified"),
    "negative debounce": ([*BASE, "--push-debounce=-1s"], "--push-debounce must not be negative"),
    "pushes without a secret": ([*BASE, "--push-bind=:0"], "PODMATES_GITSYNC_PUSH_SECRET or --push-secret"),
    "a push path of others": ([*BASE, "--push-path=/metrics/"], "--push-path must be a path"),
    "a push path that is everything": ([*BASE, "--push-path=/"], "--push-path must be a path"),
    "a push path with a variable": ([*BASE, "--push-path=/{name}"], "--push-path must be a path"),
    "negative number of trees": ([*BASE, "--keep=-1"], "--keep must not be negative"),
    "branch and rev": ([*BASE, "--branch=b", "--rev=r"], "only one of --branch and --rev"),
    "hook 2 timeout": (
        [*BASE, "--pre-publish-exechook-command=x", "--pre-publish-exechook-timeout=9ms"],
        "--pre-publish-exechook-timeout must be at least 1s",
    ),
    "webhook backoff": ([*BASE, "--webhook-url=http://h", "--webhook-backoff=9ms"], "--webhook-backoff must"),
    "webhook status": (
        [*BASE, "--webhook-url=http://h", "--webhook-success-status=-2"],
        "--webhook-success-status must",
    ),
    "user without password": ([*BASE, "--username=u"], "GITSYNC_PASSWORD or --password-file must be"),
    "user twice": (["--root=/r", "--repo=https://u:p@h/r", "--username=u", "--password-file=x"], "only one"),
    "password file without user": ([*BASE, "--password-file=x"], "--password-file may only be specified"),
}
APP_FAULTS = {
    "both ids": ([*APP, APP_KEY, "--github-app-application-id=1"], "only one of --github-app-client-id"),
    "no installation": (["--github-app-client-id=c", APP_KEY], "--github-app-installation-id must be"),
    "no installation for an id": (["--github-app-application-id=1"], "--github-app-installation-id must be"),
    "no key": (APP, "--github-app-private-key-file must be specified"),
    "two keys": ([*APP, APP_KEY, "--github-app-private-key-file=x"], "only one of $GITSYNC_GITHUB_APP"),
    "user": ([*APP, APP_KEY, "--username=u", "--password=p"], "--username may not be specified"),
    "installation without an id": (["--github-app-installation-id=7"], "--github-app-client-id or"),
    "before credentials": ([*APP, "--credential={}"], "--github-app-private-key-file must be specified"),
    "after passwords": ([*APP, "--password=p"], "$GITSYNC_PASSWORD may only be specified"),
}
FINE = {
    "least": BASE,
    "hook limits without a hook": [*BASE, "--exechook-timeout=1ms"],
    "signal by name": [*BASE, "--sync-on-signal=SIGHUP"],
    "signal by short name": [*BASE, "--sync-on-signal=HUP"],
    "unknown signal number": [*BASE, "--sync-on-signal=99"],
    "negative limit": [*BASE, "--max-failures=-1"],
    "a user name for ssh": ["--root=/r", "--repo=ssh://git@host/r"],
    "user and password in an http URL": ["--root=/r", "--repo=https://u:p@h/r"],
    "user and password file": [*BASE, "--username=u", "--password-file=x"],
    "branch with rev HEAD": [*BASE, "--branch=b", "--rev=HEAD"],
    "several paths": [*BASE, "--path=a", "--path=b/c/", "--keep=2"],
    "an App": [*BASE, *APP, "--github-app-private-key-file=x"],
    "an App by its number": [
        *(*BASE, "--github-app-application-id=1", "--github-app-installation-id=7"),
        "--github-app-private-key-file=x",
    ],
    "a key of no App": [*BASE, "--github-app-private-key-file=x"],
    "scp style": ["--root=/r", "--repo=git@host:r.git"],
}


# One wrong value for each check, in git-sync's order; the names are in the text of the fault.
ORDER = [
    ("--root=", "--root"),
    ("--repo=", "--repo"),
    ("--branch=b --rev=r", "--branch and --rev"),
    ("--ref=", "--ref"),
    ("--depth=-1", "--depth"),
    ("--submodules=x", "--submodules"),
    ("--git-gc=x", "--git-gc"),
    ("--period=9ms", "--period"),
    ("--init-period=9ms", "--init-period"),
    ("--change-permissions=1", "--change-permissions"),
    ("--sync-on-signal=0", "--sync-on-signal"),
    ("--sync-timeout=9ms", "--sync-timeout"),
    ("--exechook-command=x --exechook-timeout=1ms", "--exechook-timeout"),
    ("--exechook-command=x --exechook-backoff=1ms", "--exechook-backoff"),
    ("--pre-publish-exechook-command=x --pre-publish-exechook-timeout=1ms", "--pre-publish-exechook-timeout"),
    ("--pre-publish-exechook-command=x --pre-publish-exechook-backoff=1ms", "--pre-publish-exechook-backoff"),
    ("--webhook-url=http://h --webhook-timeout=1ms", "--webhook-timeout"),
    ("--webhook-url=http://h --webhook-backoff=1ms", "--webhook-backoff"),
    ("--webhook-url=http://h --webhook-success-status=-2", "--webhook-success-status"),
    ("--password-file=x", "--password-file"),
    ("--github-app-installation-id=1", "--github-app-installation-id"),
    ('--credential={"username":"u"}', "--credential must have a url"),
    ("--http-metrics", "--http-metrics"),
    ("--http-pprof", "--http-pprof"),
]


CLIENT = ["--github-app-client-id=c"]
APP_ORDER = [
    ([*CLIENT, "--github-app-application-id=1"], "only one of --github-app-client-id and"),
    (CLIENT, "--github-app-installation-id must be"),
    (
        [*CLIENT, "--github-app-installation-id=1"],
        "GITSYNC_GITHUB_APP_PRIVATE_KEY or --github-app-private-key-file",
    ),
    (
        [
            *(*CLIENT, "--github-app-installation-id=1", "--github-app-private-key-file=x"),
            "--__env__GITSYNC_GITHUB_APP_PRIVATE_KEY=k",
        ],
        "only one of $GITSYNC_GITHUB_APP_PRIVATE_KEY",
    ),
    (
        [
            *(*CLIENT, "--github-app-installation-id=1", "--github-app-private-key-file=x"),
            *("--username=u", "--password-file=x"),
        ],
        "--username may not be",
    ),
]
CREDENTIALS = {
    '{"username":"u","password":"p"}': "must have a url",
    '{"url":"u"}': "must have a username",
    '{"url":"u","username":"u"}': "must have a password or a password-file",
    '[{"url":"u","username":"u","password":"p","password-file":"f"}]': "only one of password and",
}


@pytest.mark.parametrize(("argv", "reason"), APP_ORDER, ids=[reason for _, reason in APP_ORDER])
def test_faults_of_a_github_app_come_in_git_syncs_order(argv: list[str], reason: str) -> None:
    settings, _ = rewrite(Loader({}).command([*BASE, *argv]).settings)
    fault = first_fault(Loader({}).command(BASE).having(settings))

    assert fault is not None
    assert reason in fault


def test_a_key_of_a_github_app_alone_is_ignored() -> None:
    for key in ("--github-app-private-key-file=x", "--__env__GITSYNC_GITHUB_APP_PRIVATE_KEY=x"):
        settings, _ = rewrite((command := Loader({}).command([*BASE, key])).settings)
        assert first_fault(command.having(settings)) is None


@pytest.mark.parametrize(("text", "reason"), CREDENTIALS.items())
def test_faults_of_a_credential(text: str, reason: str) -> None:
    fault = first_fault(Loader({}).command([*BASE, f"--credential={text}"]))

    assert fault is not None
    assert reason in fault


def test_faults_come_in_git_syncs_order() -> None:
    for number, (_, name) in enumerate(ORDER):
        wrong = [word for text, _ in reversed(ORDER[number:]) for word in text.split()]
        fault = first_fault(Loader({}).command([*BASE, *wrong]))
        assert fault is not None
        assert name in fault, f"instead of {name}: {fault}"


@pytest.mark.parametrize(("argv", "reason"), FAULTS.values(), ids=FAULTS.keys())
def test_the_first_fault_is_told(argv: list[str], reason: str) -> None:
    fault = first_fault(Loader({}).command(argv))

    assert fault is not None
    assert reason in fault


@pytest.mark.parametrize(("argv", "reason"), APP_FAULTS.values(), ids=APP_FAULTS.keys())
def test_the_first_fault_of_a_github_app_is_told(argv: list[str], reason: str) -> None:
    command = Loader({}).command([*BASE, *argv])
    settings, _ = legacy.rewrite(command.settings)
    fault = first_fault(command.having(settings))

    assert fault is not None
    assert reason in fault


@pytest.mark.parametrize("argv", FINE.values(), ids=FINE.keys())
def test_sound_settings_have_none(argv: list[str]) -> None:
    assert first_fault(Loader({}).command(argv)) is None


def test_faults_of_a_password_do_not_show_it() -> None:
    loader = Loader({"GITSYNC_PASSWORD": "hunter2", "GITSYNC_GITHUB_APP_PRIVATE_KEY": "hunter2"})

    for argv, reason in {
        (*BASE,): "invalid flag: $GITSYNC_PASSWORD may only be specified when --username is specified",
        (*BASE, "--username=u", "--password-file=x"): "invalid flag: only one of $GITSYNC_PASSWORD and "
        "--password-file may be specified",
        (*BASE, *APP, "--github-app-private-key-file=x", "--username=u"): "invalid flag: only one of "
        "$GITSYNC_GITHUB_APP_PRIVATE_KEY and --github-app-private-key-file may be specified",
    }.items():
        assert first_fault(loader.command(argv)) == reason


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_is_one_of_its_words(name: str) -> None:
    flag = f"--{name.replace('_', '-')}"

    fault = first_fault(Loader({}).command([*BASE, f"{flag}=other"]))

    assert fault == f"invalid flag: {flag} must be one of {', '.join(CHOICES[name])}"


def test_a_signal_is_a_name_or_a_number() -> None:
    texts = ("HUP", "SIGHUP", "1", "0x1", "99", "-1", "0", "hup", "sighup", "", "SIGSIGHUP", "NOPE")
    assert [signal_number(text) for text in texts] == [1, 1, 1, 1, 99, -1, None, None, None, None, None, None]

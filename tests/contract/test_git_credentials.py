"""What git and its credential cache say to each other, and where a password goes."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from podmates_common.redact import Redactor
from podmates_gitsync.auth.cache import Cache
from podmates_gitsync.auth.credentials import Pair
from podmates_gitsync.auth.store import Store
from podmates_gitsync.git import gitconfig
from podmates_gitsync.git.commands import Git
from podmates_gitsync.programs import Running
from podmates_gitsync.reports.logs import Log
from tests.support.git_repo import git_environment
from tests.support.programs import need


class Setup:
    """A cache of ours, and git pointed at it."""

    def __init__(self, folder: Path) -> None:
        self.cache = Cache(folder)
        helper = ("credential.helper", self.cache.helper)
        self.config = gitconfig.PrivateConfig(gitconfig.render([*gitconfig.DEFAULTS, helper]))
        self.folder = folder

    def git(self, verb: str, *lines: str) -> str:
        """Run ``git credential verb`` with *lines* and return what it prints; nothing when it fails."""
        environment = git_environment(self.folder) | {"GIT_CONFIG_GLOBAL": self.config.path}
        done = subprocess.run(
            [need("git", "git"), "credential", verb],
            input="\n".join([*lines, "", ""]),
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[Setup]:
    made = Setup(tmp_path)
    yield made
    made.config.remove()
    made.cache.close()


GIVEN = ("protocol=https", "host=example.com:8443", "username=u", "password=p=ä ")
WANTED = ("protocol=https", "host=example.com:8443")


def test_git_stores_finds_and_drops_passwords_with_us(setup: Setup) -> None:
    # With core.askPass=true git asks and gets nothing: then it prints an empty user and password.
    assert "p=ä " not in setup.git("fill", *WANTED)
    setup.git("approve", *GIVEN)

    assert setup.cache.passwords.find({"username": "u"}) is not None  # here, not in a daemon
    assert set(GIVEN) <= set(setup.git("fill", *WANTED).splitlines())
    assert set(GIVEN) <= set(setup.git("fill", *WANTED, "path=any/repository.git").splitlines())
    assert "p=ä " not in setup.git("fill", "protocol=https", "host=example.com")
    setup.git("approve", *GIVEN[:3], "password=new")
    assert "password=new" in setup.git("fill", *WANTED)
    setup.git("reject", *GIVEN[:3], "password=new")

    assert "password=new" not in setup.git("fill", *WANTED)
    assert setup.cache.passwords.find({}) is None


@pytest.mark.parametrize(
    "url",
    [
        *("https://example.com/x.git", "https://example.com:8443/x", "http://EXAMPLE.com/", "https://h"),
        *("https://h%2Fx/y", "https://u@h/x", "https://[::1]:80/x", "https://h/x?y#z", "https://h?x"),
    ],
)
def test_git_describes_a_url_as_we_do_so_that_it_is_told_once(setup: Setup, url: str) -> None:
    additions = gitconfig.additions(setup.config.path, "ssh")
    log = io.StringIO()
    git = Git("git", additions, Log(5, stream=log), Running())
    store = Store(setup.cache, Redactor(), 120)
    for _ in range(3):
        store.approve(git, [Pair(url, "u", "p"), Pair("https://elsewhere", "v", "q")])

    assert log.getvalue().count("git credential approve") == 2

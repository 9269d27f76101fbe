"""git is told a password when it does not know it, and no more often; files count as they are now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from podmates_common.redact import Redactor
from podmates_gitsync.auth.cache import Cache
from podmates_gitsync.auth.credentials import Pair, gather
from podmates_gitsync.auth.store import Store
from podmates_gitsync.flags.load import Loader
from podmates_gitsync.git.commands import GitError
from podmates_gitsync.git.urls import description


class FakeGit:
    """`git credential approve` with the cache, or with another helper."""

    def __init__(self, cache: Cache, *, helper: bool = True) -> None:
        self.cache, self.helper = cache, helper
        self.told: list[str] = []

    def run(
        self, words: Sequence[str], cwd: Path, *, locked: bool = True, input: str = "", whole: bool = False
    ) -> str:
        assert words == ["credential", "approve"]
        assert not locked
        fields = dict(line.split("=", 1) for line in input.split("\n\n")[0].splitlines())
        self.told.append(fields["password"])
        url = fields.pop("url")
        if self.helper:
            known = {**description(url), **fields}
            self.cache.passwords.answer(
                "action=store\ntimeout=3600\n" + "".join(f"{n}={v}\n" for n, v in known.items())
            )
        return ""


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path)


ONE, TWO = Pair("https://a/x.git", "u", "1"), Pair("https://b:8080/", "v", "2")


def test_what_git_knows_is_not_told_again(cache: Cache) -> None:
    git, store = FakeGit(cache), Store(cache, Redactor(), 120)

    for pairs, told in (
        ([ONE, TWO], ["1", "2"]),
        ([ONE, TWO], []),
        ([ONE, TWO._replace(password="3")], ["1", "3"]),
        ([ONE, TWO._replace(password="3")], []),
    ):
        store.approve(git, pairs)
        assert git.told == told
        assert list(store.held) == pairs
        git.told.clear()


def test_what_git_dropped_is_put_back_all_in_order(cache: Cache) -> None:
    git, store = FakeGit(cache), Store(cache, Redactor(), 120)
    other = ONE._replace(user="second", password="2")
    store.approve(git, [ONE, other])
    cache.passwords.answer("action=erase\nprotocol=https\nhost=a\nusername=u\n\n")

    store.approve(git, [ONE, other])

    assert git.told == ["1", "2"] * 2
    assert cache.passwords.find({"host": "a"}) == {**description(ONE.url), "username": "u", "password": "1"}


@pytest.mark.parametrize(("longest", "told"), [(120, 1), (3600, 2), (1e9, 2)])
def test_what_would_not_last_for_a_sync_is_told_again(cache: Cache, longest: float, told: int) -> None:
    git, store = FakeGit(cache), Store(cache, Redactor(), longest)
    store.approve(git, [ONE])
    store.approve(git, [ONE])

    assert len(git.told) == told


def test_another_helper_is_told_each_time(cache: Cache) -> None:
    git, store = FakeGit(cache, helper=False), Store(cache, Redactor(), 120)
    store.approve(git, [ONE])
    store.approve(git, [ONE])

    assert git.told == ["1", "1"]


@pytest.mark.parametrize(
    "pair", [Pair("https://a", "u", "two\nlines"), Pair("https://a", "u\0", "p"), Pair("a\nb", "u", "p")]
)
def test_what_git_cannot_take_is_an_error(cache: Cache, pair: Pair) -> None:
    git = FakeGit(cache)
    with pytest.raises(GitError, match="line break"):
        Store(cache, Redactor(), 120).approve(git, [pair])

    assert git.told == []


def test_passwords_are_masked_from_then_on(cache: Cache) -> None:
    redactor = Redactor()
    Store(cache, redactor, 120).approve(FakeGit(cache), [ONE._replace(password="hunter2")])

    assert redactor.clean("it is hunter2") == "it is ***"


def test_of_many_tokens_the_oldest_is_forgotten_one_in_use_is_not(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("podmates_gitsync.auth.store._MOST_MASKED", 3)
    redactor = Redactor()
    store = Store(cache, redactor, 120)
    for token in ("token1", "token2", "token3", "token4"):
        store.approve(FakeGit(cache), [ONE._replace(password="constant"), TWO._replace(password=token)])

    assert redactor.clean("constant token1 token2 token3 token4") == "*** token1 token2 *** ***"


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"p", "p"),
        (b"p\n", "p"),
        (b"p\n\n", "p"),
        (b" p ", " p "),
        (b"p\r\n", "p\r"),
        (b"p\n\r", "p\n\r"),
        ("pä".encode(), "pä"),
        (b"p\xff", "p\udcff"),
        (b"", ""),
    ],
)
def test_a_password_file_counts_byte_for_byte_but_for_the_lines_end(
    tmp_path: Path, content: bytes, password: str
) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    settings = Loader({}).command(["--repo=https://a/r", "--username=u", f"--password-file={file}"]).settings

    assert [credential.pair() for credential in gather(settings)] == [Pair("https://a/r", "u", password)]


@pytest.mark.parametrize("content", [None, b"x" * ((1 << 20) + 1)], ids=["missing", "too long"])
def test_a_password_file_that_cannot_be_read_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    settings = Loader({}).command(["--repo=https://a/r", "--username=u", f"--password-file={file}"]).settings

    with pytest.raises(GitError, match="cannot read the password"):
        gather(settings)[0].pair()


def test_a_relative_password_file_counts_from_where_we_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text("p")
    monkeypatch.chdir(tmp_path)
    entry = '{"url": "https://b", "username": "v", "password-file": "password"}'
    argv = ["--repo=https://a/r", "--username=u", "--password-file=password", f"--credential={entry}"]
    found = gather(Loader({}).command(argv).settings)
    monkeypatch.chdir("/")

    assert [credential.pair() for credential in found] == [
        Pair("https://a/r", "u", "p"),
        Pair("https://b", "v", "p"),
    ]


@pytest.mark.parametrize(
    ("repo", "argv", "expected"),
    [
        ("https://u:p%40@a/r%20s", [], [Pair("https://a/r%20s", "u", "p@")]),
        ("https://u@a/r", [], [Pair("https://a/r", "u", "")]),
        ("https://:p@a/r", [], []),
        ("ssh://u@a/r", [], []),
        ("https://a/r", ["--username=u", "--password=p"], [Pair("https://a/r", "u", "p")]),
    ],
)
def test_user_information_of_an_http_url_counts(repo: str, argv: list[str], expected: list[Pair]) -> None:
    from podmates_gitsync.flags import legacy

    settings, _ = legacy.rewrite(Loader({}).command([f"--repo={repo}", *argv]).settings)

    assert [credential.pair() for credential in gather(settings)] == expected

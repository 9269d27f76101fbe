"""The poller asks in the cheapest way that is sure, and says "the same" only when the remote did."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from podmates_gitsync.flags.load import Loader
from podmates_gitsync.git.commands import Git, GitError
from podmates_gitsync.polling.eligibility import Held
from podmates_gitsync.polling.pktline import Marker, packet
from podmates_gitsync.polling.poller import Around, Poller
from podmates_gitsync.programs import Running
from podmates_gitsync.reports.logs import Log
from tests.support.scripted_http import ScriptedServer, response

A, B, C = "a" * 40, "b" * 40, "c" * 40
KIND = "application/x-git-upload-pack"
FLUSH = Marker.FLUSH.value
ABLE = response(packet("version 2") + packet("ls-refs") + FLUSH, f"{KIND}-advertisement")
SAME = response(packet(f"{A} refs/heads/main") + FLUSH, f"{KIND}-result")
OTHER = response(packet(f"{B} refs/heads/main") + FLUSH, f"{KIND}-result")
GONE = response(FLUSH, f"{KIND}-result")
REDIRECT = response(b"", "text/plain", "302 Found", "Location: http://127.0.0.1:1/")
OLD = response(packet(f"{A} HEAD\0caps") + FLUSH, f"{KIND}-advertisement")
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b"0" * 1_100_000


class FakeGit(Git):
    """Answers from a table: the first word → what it prints, or the error."""

    def __init__(self, **answers: str | GitError) -> None:
        super().__init__("git", {}, Log(0, stream=io.StringIO()), Running())
        self.answers: dict[str, str | GitError] = {"config": "", "ls_remote": f"{A}\trefs/heads/main\n"}
        self.answers |= answers
        self.ran: list[list[str]] = []
        self.deadlines: list[float] = []

    def run(
        self,
        words: Sequence[str],
        cwd: Path,
        *,
        locked: bool = True,
        input: str = "",
        private: bool = False,
        whole: bool = False,
    ) -> str:
        self.ran.append(list(words))
        self.deadlines.append(self.deadline)
        answer = self.answers[words[0].replace("-", "_")]
        if isinstance(answer, GitError):
            raise answer
        return answer


class Scene:
    """A poller with all that it talks to."""

    def __init__(
        self, folder: Path, repo: str, *flags: str, around: Around | None = None, git: FakeGit | None = None
    ):
        self.root, self.git, self.counted, self.ahead = folder, git or FakeGit(), list[str](), 0.0
        (folder / ".git").mkdir(exist_ok=True)
        argv = [f"--repo={repo}", "--root=/r", "--ref=main", *flags]
        self.poller = Poller(
            Loader({}).command(argv).settings,
            folder,
            git=self.git,
            log=Log(9, stream=io.StringIO()),
            around=replace(around or Around(), counted=self.counted.append),
            clock=lambda: time.monotonic() + self.ahead,
        )

    def same(self, commit: str = A) -> bool:
        return self.poller.names_still(commit, time.monotonic() + self.ahead + 60)

    @property
    def programs(self) -> list[str]:
        return [words[0] for words in self.git.ran]


def http(server: ScriptedServer) -> str:
    return f"http://127.0.0.1:{server.port}/x.git"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_over_http_git_is_asked_once_for_its_configuration_and_never_again(tmp_path: Path) -> None:
    with ScriptedServer([ABLE, SAME, SAME, OTHER, GONE]) as server:
        scene = Scene(tmp_path, http(server))
        assert [scene.same() for _ in range(4)] == [True, True, False, False]
        scene.poller.close()
    assert scene.programs == ["config"]
    assert scene.counted == ["http", "http"]


def test_a_configuration_that_changed_is_read_again(tmp_path: Path) -> None:
    with ScriptedServer([ABLE, SAME]) as server:
        scene = Scene(tmp_path, http(server))
        assert scene.same()
        (tmp_path / ".git" / "config").write_text("[http]\n\tproxy = http://proxy\n")
        scene.git.answers["config"] = "http.proxy\nhttp://proxy\0"
        assert scene.same()
        scene.poller.close()
    assert scene.programs == ["config", "config", "ls-remote"]
    assert scene.counted == ["http", "ls_remote"]


def test_a_netrc_that_appears_is_for_git(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "http://127.0.0.1:1/x.git")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1\n")
    assert scene.same()
    assert scene.programs == ["ls-remote"]


def test_the_credential_goes_out_and_a_second_one_for_the_server_is_for_git(tmp_path: Path) -> None:
    with ScriptedServer([ABLE, SAME]) as server:
        held = [Held(http(server), "user", "word")]
        scene = Scene(tmp_path, http(server), around=Around(held=lambda: held))
        assert scene.same()
        held.append(Held(http(server), "other", "word"))
        assert scene.same()
        scene.poller.close()
    assert b"dXNlcjp3b3Jk" in server.requests[0]
    assert scene.counted == ["http", "ls_remote"]


def test_other_remotes_are_asked_by_ls_remote_with_half_of_the_time(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "ssh://git@example.com/x")
    now = time.monotonic()
    assert scene.same()
    assert scene.git.ran == [["ls-remote", "ssh://git@example.com/x", "main", "main^{}"]]
    assert scene.git.deadlines[0] - now < 31
    assert scene.git.deadline - now > 59
    assert scene.counted == ["ls_remote"]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (f"{A}\trefs/heads/main\n", True),
        (f"{B}\trefs/heads/main\n", False),
        ("", False),
        (f"{A}\trefs/heads/feature/main\n{B}\trefs/heads/main\n", False),
        (f"{B}\trefs/heads/main\n{A}\trefs/tags/main\n", True),
        (f"{B}\trefs/tags/main\n{A}\trefs/tags/main^{{}}\n", True),
        (f"{A}\trefs/tags/main\n{B}\trefs/tags/main^{{}}\n", False),
        (f"{A}\trefs/heads/main", True),
        (f"{A}\trefs/heads/main … and 9 bytes more", False),
        ("garbage", False),
    ],
)
def test_ls_remotes_answer_is_read_by_full_names(tmp_path: Path, text: str, same: bool) -> None:
    assert Scene(tmp_path, "file:///x", git=FakeGit(ls_remote=text)).same() is same


def test_a_git_that_fails_is_no_answer(tmp_path: Path) -> None:
    scene = Scene(tmp_path, "file:///x", git=FakeGit(ls_remote=GitError("gone")))
    assert not scene.same()
    assert scene.counted == []


@pytest.mark.parametrize("flags", [["--poll=fetch"], [f"--ref={A}"], ["--ref=a b"], ["--ref=+main"]])
def test_nobody_is_asked_what_only_a_fetch_can_tell(tmp_path: Path, flags: list[str]) -> None:
    scene = Scene(tmp_path, "http://127.0.0.1:1/x.git", *flags)
    assert not scene.same()
    assert scene.programs == []


def test_a_server_that_never_answers_us_is_left_to_git_for_an_hour(tmp_path: Path) -> None:
    with ScriptedServer([REDIRECT, REDIRECT, REDIRECT, ABLE, SAME]) as server:
        scene = Scene(tmp_path, http(server))
        assert [scene.same() for _ in range(5)] == [False, False, False, True, True]
        assert len(server.requests) == 3
        scene.ahead = 3601.0
        assert scene.same()
        scene.poller.close()
    assert scene.counted == ["ls_remote", "ls_remote", "http"]


def test_an_answer_makes_up_for_two_failures(tmp_path: Path) -> None:
    bad = [REDIRECT, REDIRECT]
    with ScriptedServer([*bad, ABLE, SAME, REDIRECT, REDIRECT, ABLE, SAME]) as server:
        scene = Scene(tmp_path, http(server))
        assert [scene.same() for _ in range(6)] == [False, False, True, False, False, True]
        scene.poller.close()
    assert scene.programs == ["config"]


@pytest.mark.parametrize("answer", [OLD, ENDLESS], ids=["before version 2", "too long"])
def test_a_server_that_can_only_list_everything_is_fetched_from(tmp_path: Path, answer: bytes) -> None:
    with ScriptedServer([answer]) as server:
        scene = Scene(tmp_path, http(server))
        assert [scene.same() for _ in range(3)] == [False, False, False]
        scene.poller.close()
    assert len(server.requests) == 1
    assert scene.programs == ["config"]

"""Passwords from everywhere: each reaches the server that it is for, no other, and no log."""

from __future__ import annotations

import base64
import json
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.git_http import GitServer
from tests.support.git_repo import Repository
from tests.support.gitsync import Gitsync, drop_in
from tests.support.ports import free_port
from tests.support.processes import run
from tests.support.programs import need
from tests.support.waiting import until
from tests.support.web import get
from tests.support.web_server import Asked, Reply, WebServer

SECRET = "s3cr3t"
USER = "deploy"


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "upstream")
    repository.commit({"a": "1"})
    return repository


@pytest.fixture
def server(upstream: Repository) -> Iterator[GitServer]:
    with GitServer(upstream.folder, (USER, SECRET)) as running:
        yield running


def fails(process: Gitsync, timeout: float = 60) -> str:
    """Return the error of the last line, once it has ended with 1."""
    assert process.wait(timeout) == 1
    return str(process.messages()[-1]["error"])


def test_a_malformed_credential_ends_with_2_and_is_not_quoted(tmp_path: Path) -> None:
    with Gitsync(tmp_path, "r", f'--credential={{"url": "{SECRET}"') as process:
        assert process.wait(60) == 2
        assert 'for "--credential" flag: not JSON' in process.stderr
        assert SECRET not in process.output
        assert not process.root.exists()


def test_a_rejected_password_is_put_back_and_works_once_the_server_takes_it(
    tmp_path: Path, server: GitServer, upstream: Repository
) -> None:
    flags = [f"--username={USER}", "--max-failures=-1", "-v5"]
    with Gitsync(tmp_path, f"{server.url}/bare.git", *flags, env={"GITSYNC_PASSWORD": SECRET}) as process:
        process.wait_published(upstream.head())
        process.wait_line("update not required|running command.*ls-remote|next sync", count=3)
        assert process.stderr.count("git credential approve") == 1
        server.credentials = (USER, "another")
        commit = upstream.commit({"a": "2"})
        process.wait_line("Authentication failed|could not read Username")
        server.credentials = (USER, SECRET)

        process.wait_published(commit)
        assert process.stderr.count("git credential approve") >= 2


def test_nothing_keeps_a_password_after_a_kill(
    tmp_path: Path, server: GitServer, upstream: Repository
) -> None:
    env = {"GITSYNC_PASSWORD": SECRET}
    flags = [f"--username={USER}"]
    with Gitsync(tmp_path, f"{server.url}/bare.git", *flags, env=env) as process:
        process.wait_published(upstream.head())
        assert daemons() == []
        process.send(signal.SIGKILL)
        process.wait()
        process.descendants_gone()  # the git of a poll goes on for a moment, and writes below root
    (folder,) = tmp_path.glob("git-sync.credential.*")
    assert [path.name for path in folder.iterdir()] == ["socket"]
    grep = [*tmp_path.glob("git-sync.*/*"), *tmp_path.glob("git-sync.gitconfig.*"), *process.root.rglob("*")]
    for path in grep:
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()

    with Gitsync(tmp_path, f"{server.url}/bare.git", *flags, env=env) as process:
        process.wait_published(upstream.commit({"a": "2"}))


def daemons() -> list[str]:
    """Return the command lines of git's own cache daemons that keep passwords of these tests."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if "credential-cache--daemon" in line and "test_nothing_keeps" in line:
            found.append(line)
    return found


def metrics(port: int) -> str:
    return get(f"http://127.0.0.1:{port}/metrics").body


def test_an_askpass_server_is_asked_at_each_sync(
    tmp_path: Path, server: GitServer, upstream: Repository
) -> None:
    port = free_port()
    with WebServer(lambda asked: Reply(200, f"username={USER}\npassword={SECRET}\n".encode())) as askpass:
        url = askpass.url.replace("://", f"://me:{SECRET}@")
        flags = [f"--http-bind=127.0.0.1:{port}", "--http-metrics", "--max-failures=-1", "-v9"]
        env = {"GIT_ASKPASS_URL": f"{url}/?{SECRET}", "http_proxy": "http://127.0.0.1:1", "no_proxy": ""}
        with Gitsync(tmp_path, f"{server.url}/bare.git", *flags, env=env | NO_PROXY_FOR_GIT) as process:
            process.wait_published(upstream.head())
            until(lambda: len(askpass.asked) > 2, 60, "further questions")
            assert 'git_sync_askpass_calls{status="success"} ' in metrics(port)
            askpass.answer = lambda asked: Reply(500)
            process.wait_line("askpass: the server answered with status 500")
            until(lambda: 'git_sync_askpass_calls{status="error"} ' in metrics(port), 60, "the count")
            server.credentials = (USER, "new")
            askpass.answer = lambda asked: Reply(200, f"username={USER}\npassword=new\n".encode())

            process.wait_published(upstream.commit({"a": "2"}))
            assert SECRET not in process.output


NO_PROXY_FOR_GIT = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.proxy", "GIT_CONFIG_VALUE_0": ""}


class GitHub:
    """Its API: gives a new token each time, which the git server takes from then on."""

    def __init__(self, server: GitServer) -> None:
        self.server, self.given, self.lasting = server, 0, timedelta(hours=1)
        self.issuers: set[str] = set()

    def __call__(self, asked: Asked) -> Reply:
        assert asked.method == "POST"
        assert asked.path == "/api/v3/app/installations/42/access_tokens"
        claim = asked.headers["authorization"].split(".")[1]
        self.issuers.add(json.loads(base64.urlsafe_b64decode(claim + "=="))["iss"])
        self.given += 1
        token = f"ghs_{self.given}"
        self.server.credentials = ("-", token)
        when = (datetime.now(UTC) + self.lasting).isoformat(timespec="seconds").replace("+00:00", "Z")
        return Reply(201, json.dumps({"token": token, "expires_at": when}).encode())


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


@pytest.mark.parametrize("way", ["variable", "hidden flag", "file"])
def test_a_github_app_gets_a_token_once_and_a_new_one_before_it_expires(
    tmp_path: Path, server: GitServer, upstream: Repository, key: str, way: str
) -> None:
    (tmp_path / "key.pem").write_text(key)
    flags, env = {
        "variable": (["--github-app-client-id=Iv1"], {"GITSYNC_GITHUB_APP_PRIVATE_KEY": key}),
        "hidden flag": (
            ["--github-app-application-id=7", f"--__env__GITSYNC_GITHUB_APP_PRIVATE_KEY={key}"],
            {},
        ),
        "file": (["--github-app-client-id=Iv1", "--github-app-private-key-file=key.pem"], {}),
    }[way]
    port, github = free_port(), GitHub(server)
    github.lasting = timedelta(hours=1) if way == "file" else timedelta(seconds=20)
    flags += [f"--http-bind=127.0.0.1:{port}", "--http-metrics", "--github-app-installation-id=42", "-v9"]
    with WebServer(github) as api:
        flags.append(f"--github-base-url={api.url}/api/v3/")
        with Gitsync(tmp_path, f"{server.url}/bare.git", *flags, env=env) as process:
            process.wait_published(upstream.head())
            process.wait_published(upstream.commit({"a": "2"}))
            process.wait_published(upstream.commit({"a": "3"}))

            assert github.issuers == {"7" if way == "hidden flag" else "Iv1"}
            lasts = way == "file"
            counted = 'git_sync_refresh_github_app_token_count{status="success"} 1\n' in metrics(port)
            assert counted == (github.given == 1) == lasts
            for secret in ("ghs_", "BEGIN RSA"):
                assert secret not in process.output


def test_who_does_not_answer_for_a_password_is_cut_off_at_the_sync_timeout(
    tmp_path: Path, upstream: Repository, key: str
) -> None:
    """A GitHub that hangs, and a credential helper of the user's."""
    ended = threading.Event()

    def hang(asked: Asked) -> Reply:
        ended.wait(60)
        return Reply(500)

    flags = ["--github-app-client-id=Iv1", "--github-app-installation-id=42"]
    env = {"GITSYNC_GITHUB_APP_PRIVATE_KEY": key}
    limit = "--sync-timeout=5s"
    with WebServer(hang) as api:
        flags.append(f"--github-base-url={api.url}")
        with Gitsync(tmp_path, "https://127.0.0.1:1/x", *flags, limit, env=env) as process:
            fails(process)
            assert len(api.asked) == 1
        ended.set()

    helper = tmp_path / "helper"
    helper.write_text("#!/bin/sh\nexec sleep 600\n")
    helper.chmod(0o755)
    config = f"--git-config=credential.helper:{helper}"
    with Gitsync(tmp_path, f"https://u:{SECRET}@127.0.0.1:1/x", config, limit) as process:
        fails(process)
        process.descendants_gone()


def test_a_key_file_that_cannot_be_read_ends_it_whatever_the_limit(tmp_path: Path) -> None:
    flags = ["--github-app-client-id=Iv1", "--github-app-installation-id=42", "--max-failures=-1"]
    flags += ["--github-app-private-key-file=/none", "--error-file=error"]
    with Gitsync(tmp_path, "https://h/r", *flags) as process:
        assert "cannot read the key of the GitHub App" in fails(process)
        assert "cannot read the key" in (process.root / "error").read_text()
        assert "Traceback" not in process.output


def test_a_missing_cookie_file_ends_the_start(tmp_path: Path, upstream: Repository) -> None:
    assert not Path("/etc/git-secret/cookie_file").exists()
    with Gitsync(tmp_path, upstream.url, "--cookie-file", "--max-failures=-1") as process:
        assert "cannot use the cookie file" in fails(process)


@pytest.mark.parametrize("way", [".netrc", "GIT_ASKPASS"])
def test_what_git_knows_by_itself_works(
    tmp_path: Path, server: GitServer, upstream: Repository, way: str
) -> None:
    env = {}
    if way == ".netrc":
        (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {SECRET}\n")
    else:
        program = tmp_path / "askpass"
        program.write_text(f'#!/bin/sh\ncase "$1" in User*) echo {USER};; *) echo {SECRET};; esac\n')
        program.chmod(0o755)
        env = {"GIT_ASKPASS": str(program)}
    with Gitsync(tmp_path, f"{server.url}/bare.git", "--one-time", env=env) as process:
        assert process.wait(60) == 0, process.output
        assert process.published() == upstream.head()


@pytest.mark.parametrize(("options", "status"), [("rw", 0), ("ro", 1)], ids=["writable", "read-only"])
def test_a_user_is_added_or_the_start_ends(
    tmp_path: Path, upstream: Repository, options: str, status: int
) -> None:
    passwd, within = tmp_path / "passwd", tmp_path / "within"
    passwd.write_text("nobody:x:65534:65534::/:/sbin/nologin\n")
    mount = f"mount --bind {passwd} /etc/passwd && mount -o remount,bind,{options} /etc/passwd"
    within.write_text(f'#!/bin/sh\n{mount} && exec "$@"\n')
    within.chmod(0o755)
    words = [need("unshare", "util-linux"), "--user", "--map-root-user", "--mount", str(within)]
    if run([*words, "true"]).status:
        pytest.skip("this machine allows no mounts of ours")
    words += [str(drop_in(tmp_path)), f"--repo={upstream.url}", f"--root={tmp_path}/root", "--one-time"]
    for _ in range(2):
        done = run([*words, "--add-user"], env={"HOME": str(tmp_path)}, cwd=tmp_path)
        assert done.status == status, done.stderr
        assert ("cannot add the user" in done.stderr) == (status == 1)

    entry = f"git-sync:x:0:0::{tmp_path}:/sbin/nologin\n"
    assert passwd.read_text().count(entry) == (1 if status == 0 else 0)

"""What gitsync costs beside git-sync v4: ``python -m bench.gitsync [FILES …]``.

CPU per poll without news over http, file and ssh; CPU, delay and disk of a change of one file; programs
and requests; memory; start-up. Both in turn, medians of several rounds, on a tmpfs so that no disk is
measured; of the servers nothing is counted. The peer is the original where GIT_SYNC_V4 names its program,
else a script that runs its git commands in its order (`parts.git_sync_v4`), whose own cost is not counted:
what the original costs beside git comes on top. Ratios within one run are the result; the numbers belong to
the machine and its load.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.parts.commandline import at_least, parser
from bench.parts.measures import cpu, descendants, executed, median, peak, pss, settle, used
from bench.parts.sides import PASSWORD, SECONDS, USER, Places, Sidecar, Theirs, served
from tests.support.gitsync import drop_in
from tests.support.ports import free_port
from tests.support.processes import Process, run
from tests.support.programs import need, script
from tests.support.tmpfs import Tmpfs

ROUNDS = 5
SIZES = (1000, 10_000, 50_000)


def say(what: str, ours: float, theirs: float, unit: str, *, digits: int = 1) -> None:
    ratio = f"{ours / theirs:.3f}" if theirs else ""
    print(f"{what:56} {ours:9.{digits}f} {theirs:9.{digits}f} {unit:8} {ratio}", flush=True)


def polls(folder: Path, places: Places, theirs: Theirs, files: int) -> None:
    """CPU of a poll without news, by transport."""
    for transport in ("http", "file", "ssh") if files <= 10_000 else ("http", "file"):
        theirs.use(transport)
        flags = ["--period=20ms", *places.flags[transport]]
        with Sidecar(str(drop_in(folder)), folder / "ours", places.urls[transport], *flags) as ours:
            ours.wait_published(places.upstream.head())
            ours.wait_loops(3)
            rounds = [(ours.poll(SECONDS), theirs.poll()) for _ in range(ROUNDS)]
            ours.stop()
        mine, other = (median(column) * 1000 for column in zip(*rounds, strict=True))
        say(f"CPU of a poll, {transport}, {files} files", mine, other, "ms", digits=2)


def changes(folder: Path, places: Places, theirs: Theirs, files: int) -> None:
    """CPU, delay and disk of one changed file, over http; both sync when they are told to, and only then."""
    theirs.use("http")
    rows: list[tuple[float, ...]] = []
    flags = ["--period=1h", "--sync-on-signal=SIGUSR1", "-v2"]
    with Sidecar(str(drop_in(folder)), folder / "ours", places.urls["http"], *flags) as ours:
        ours.wait_done(1)
        for number in range(2):  # the first shares nothing, and files as young as the index are not shared
            _change(ours, places, number + 1)
        size = _tree_size(folder)
        for number in range(ROUNDS):
            settle()
            before, disk = cpu(ours.pid), used(folder)
            with peak(lambda: used(folder)) as most:
                delay = _change(ours, places, number + 3)
            mine = (cpu(ours.pid) - before, delay, (most[0] - disk) / size + 1)
            disk = used(folder)
            with peak(lambda: used(folder)) as most:
                cost = theirs.change()
            rows.append((*mine, cost.cpu, cost.flipped, (most[0] - disk) / size + 1))
        ours.stop()
    one = [median(column) for column in zip(*rows, strict=True)]
    say(f"CPU of a change, 1 of {files} files", one[0], one[3], "s", digits=3)
    say("told of it to flip, the same", one[1], one[4], "s", digits=3)
    say("peak disk, the same", one[2], one[5], "trees", digits=2)


def _change(ours: Sidecar, places: Places, syncs: int) -> float:
    """Have a change synced; return the seconds until it was published."""
    commit = places.upstream.change()
    ours.send(signal.SIGUSR1)
    delay = ours.wait_published(commit)
    ours.wait_done(syncs + 1)
    return delay


def _tree_size(folder: Path) -> int:
    """Return the bytes that one more tree would take."""
    before = used(folder)
    shutil.copytree((folder / "ours" / "link").resolve(), folder / "copy")
    taken = used(folder) - before
    shutil.rmtree(folder / "copy")
    return taken


def programs(folder: Path, places: Places) -> None:
    """Programs that a loop starts, and requests, counted from outside."""
    strace = need("strace", "strace")
    for transport in ("http", "file", "ssh"):
        trace, url = folder / "trace", places.urls[transport]
        wrapped = (strace, "-f", "-qq", "-e", "trace=execve", "-o", str(trace))
        secret = f"{USER}:{PASSWORD}" if transport == "http" else ""
        flags = ["--period=300ms", *places.flags[transport]]
        with Sidecar(str(drop_in(folder)), folder / "ours", url, *flags, wrapped=wrapped) as ours:
            ours.wait_published(places.upstream.head())
            ours.wait_loops(3)
            first, began, asked = ours.loops(), executed(trace), len(places.web.requests)
            ours.wait_loops(10)
            count = ours.loops() - first
            mine, requests = (executed(trace) - began) / count, (len(places.web.requests) - asked) / count
            began = executed(trace)
            ours.wait_published(places.upstream.change())
            ours.wait_loops(2)
            changed = executed(trace) - began - 2 * mine  # it is killed now: strace would not end by SIGTERM
        asked = len(places.web.requests)
        words = [sys.executable, "-m", "bench.parts.git_sync_v4", str(folder / "theirs"), url]
        counts = {}
        for what in ("change", "poll"):
            asked = len(places.web.requests)
            done = run([*wrapped, *words, what, places.ssh, secret], cwd=Path.cwd(), timeout=600)
            assert done.status == 0, done.stderr
            counts[what] = executed(trace) - (2 if what == "change" else 1)  # Python, and rm in a change
        say(f"programs of a poll, {transport}", mine, counts["poll"], "")
        say(f"programs of a change, {transport}", changed, counts["change"], "")
        if transport == "http":
            say("requests of a poll, http", requests, len(places.web.requests) - asked, "")


def memory(folder: Path, places: Places) -> None:
    """PSS of the idle process as number one, its init half included."""
    unshare = need("unshare", "util-linux")
    home = folder / "memory"
    home.mkdir()
    env = {"HOME": str(home), "TMPDIR": str(home), "GITSYNC_PASSWORD": PASSWORD}
    base = [unshare, "--pid", "--fork", str(drop_in(folder))]
    one = [f"--repo={places.urls['http']}", f"--root={home}/root", "--link=link", f"--username={USER}"]
    for name, more in (
        ("without HTTP", []),
        ("with HTTP", [f"--http-bind=127.0.0.1:{free_port()}", "--http-metrics"]),
    ):
        with Process([*base, *one, *more, "--period=200ms", "-v3"], env=env, cwd=home) as process:
            process.wait_line("asked the remote", 60, count=5)
            print(f"memory, http repository, idle, {name:37} {pss(descendants(process.pid)[1:]):9.1f} MB PSS")
    del env["GITSYNC_PASSWORD"]
    sizes = []
    for count in (1, 21):
        config = home / f"config{count}"
        tables = [
            f'[[repository]]\nname = "r{n}"\nrepo = "{places.urls["file"]}"\nroot = "{home}/{count}-{n}"\n'
            for n in range(count)
        ]
        config.write_text('link = "link"\nperiod = "1s"\n' + "".join(tables))
        with Process(
            [*base[:3], script("podmates-gitsync"), f"--config={config}", "-v3"], env=env, cwd=home
        ) as process:
            process.wait_line("asked the remote", 120, count=4 * count)
            sizes.append(pss([pid for pid in descendants(process.pid)[1:] if _is_python(pid)]))
    print(f"memory, each further repository {' ' * 35} {(sizes[1] - sizes[0]) / 20:9.2f} MB PSS")


def _is_python(pid: int) -> bool:
    return "python" in os.readlink(f"/proc/{pid}/exe")


def pushes(folder: Path, places: Places) -> None:
    """Delay of one changed file when the server tells of it, with a period that plays no part."""
    port = free_port()
    flags = ["--period=10m", f"--push-bind=127.0.0.1:{port}", "--push-provider=generic"]
    told = {"PODMATES_GITSYNC_PUSH_SECRET": PASSWORD}
    for transport in ("file", "http"):
        url, delays = places.urls[transport], []
        with Sidecar(str(drop_in(folder)), folder / "ours", url, *flags, env=told) as ours:
            ours.wait_published(places.upstream.head())
            ours.wait_ready()
            for _ in range(2 * ROUNDS):
                commit, began = places.upstream.change(), time.monotonic()
                request = urllib.request.Request(f"http://127.0.0.1:{port}/push", b"{}", method="POST")
                request.add_header("Authorization", f"Bearer {PASSWORD}")
                request.add_header("Content-Type", "application/json")
                with urllib.request.urlopen(request, timeout=60) as answer:
                    assert answer.status == 202, answer.status
                ours.wait_published(commit)
                delays.append(time.monotonic() - began)
                settle()
        print(f"push received to flip, {transport:43} {median(delays):9.3f} s", flush=True)


def start_up(folder: Path, places: Places) -> None:
    times: dict[str, list[float]] = {"--version": [], "--one-time": []}
    for number in range(ROUNDS):
        home = folder / f"start{number}"
        home.mkdir()
        flags = [f"--repo={places.urls['file']}", f"--root={home}/root", "--link=link", "--one-time"]
        for name, words in (("--version", ["--version"]), ("--one-time", flags)):
            began = time.monotonic()
            assert run([drop_in(folder), *words], env={"HOME": str(home)}, cwd=home).status == 0
            times[name].append(time.monotonic() - began)
    for name, values in times.items():
        print(f"start to end, {name:52} {median(values):9.2f} s", flush=True)


def main(argv: Sequence[str] = ()) -> int:
    reader = parser("bench.gitsync", __doc__)
    usual = " ".join(map(str, SIZES))
    reader.add_argument(
        "sizes", nargs="*", type=at_least(1), default=list(SIZES), metavar="FILES", help=f"sizes; {usual}"
    )
    sizes = reader.parse_args(argv).sizes
    print(
        f"load {os.getloadavg()[0]:.1f} at the start, {os.cpu_count()} cores; git-sync v4: "
        f"{os.environ.get('GIT_SYNC_V4') or 'its git commands'}"
    )
    print(f"{'':56} {'ours':>9} {'v4':>9} {'':8} ours ÷ v4")
    for files in sizes:
        with ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(prefix="podmates-bench-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            stack.enter_context(Tmpfs(folder, size=4 << 30))
            places = stack.enter_context(served(folder, files))
            theirs = Theirs(folder / "theirs", places)
            stack.callback(theirs.close)
            polls(folder, places, theirs, files)
            changes(folder, places, theirs, files)
            if files == min(sizes):
                theirs.close()
                programs(folder, places)
                pushes(folder, places)
                memory(folder, places)
                start_up(folder, places)
    print(f"load {os.getloadavg()[0]:.1f} at the end")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

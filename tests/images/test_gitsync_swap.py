"""The swap manifests: git-sync's own arguments, mounts and security, with the image changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.engine import HARDENED, Container, Network, attempt, built, docker, fetch, substitutes
from tests.support.origin import Origin
from tests.support.pod import Pod
from tests.support.waiting import until

IMAGES = Path(__file__).parents[2] / "images"
SITE = "git@git.example.com:team/docs.git"


@pytest.mark.parametrize("way", ["from", "to"])
def test_the_manifest_of_the_original_runs_with_the_image_changed(way: str, network: Network) -> None:
    file = IMAGES / "gitsync" / f"swap-{way}-git-sync.yaml"
    with Origin(network) as origin:
        origin.push("first")
        replaced = {SITE: Origin.url, "--period=10s": "--period=1s", **substitutes()}
        with Pod(file, network, replaced) as pod:
            sidecar = pod.containers["git-sync"]
            pod.wait_ready()
            page = f"http://{pod.address}:8080/"
            assert fetch(page).body == "first"  # the init container had put it there

            origin.push("second")

            until(lambda: fetch(page).body == "second", 60, "the new page")
            assert sidecar.execute("cat", "/etc/git-secret/ssh").stdout == "change-me"
            assert sidecar.execute("touch", "/etc/git-secret/x", "/x").status != 0
            assert sidecar.execute("sh", "-c", "id -u; id -g").stdout.split() == ["65533", "65533"]
            assert "git_sync_count_total" in fetch(f"http://{pod.address}:9101/metrics").body
            assert pod.dead() == []
            assert {name: end.status for name, end in pod.stop().items()} == {"nginx": 0, "git-sync": 143}


WAYS = {  # a folder that nobody can enter is as good as none
    "as the image has it": [],
    "user by name": ["--user=git-sync"],
    "user by name, another group": ["--user=git-sync:12345"],
    "user and group by name": ["--user=git-sync:git-sync"],
    "any other user": ["--user=12345:12345", "--group-add=65533"],
    "root": ["--user=0:0", "--group-add=65533"],
    "no /tmp": ["--tmpfs=/tmp:mode=0"],
    "a writable /tmp": ["--tmpfs=/tmp:mode=1777"],
}


@pytest.mark.parametrize("way", WAYS)
def test_docker_run_with_the_originals_arguments(way: str, network: Network) -> None:
    """Root is GITSYNC_ROOT of the image; a volume made by docker has the image's owner and mode."""
    volume = docker("volume", "create")
    flags = [f"--volume={volume}:/git", "--read-only", f"--network={network.name}", *WAYS[way]]
    flags += ["--cap-drop=ALL", "--security-opt=no-new-privileges"]
    try:
        with Origin(network) as origin:
            commit = origin.push("hello")
            argv = [f"--repo={Origin.url}", "--ref=main", "--one-time", "--link=site", "-v=1"]
            done = attempt("run", "--rm", *flags, built("gitsync"), *argv)

            assert done.status == 0, done.output
        look = ("run", "--rm", "--network=none", f"--volume={volume}:/git", "--entrypoint=readlink")
        assert docker(*look, built("gitsync"), "/git/site").endswith(commit)
    finally:
        docker("volume", "rm", volume)


def test_a_mirror_needs_nothing_but_its_own_volume(network: Network) -> None:
    """The root in memory, the mirror on a volume of another file system, everything else read-only."""
    memory = ("volume", "create", "--opt=type=tmpfs", "--opt=device=tmpfs", "--opt=o=mode=1777")
    volumes = {target: docker(*memory) for target in ("/git", "/site")}
    mounts = [f"--mount=type=volume,source={v},target={t},volume-nocopy" for t, v in volumes.items()]
    flags = [*HARDENED, f"--network={network.name}", *mounts]
    env = {"GITSYNC_REPO": Origin.url, "GITSYNC_REF": "main", "GITSYNC_PERIOD": "1s"}
    try:
        with Origin(network) as origin:
            origin.push("first")  # there from the start: the first failure would be the end
            env["PODMATES_GITSYNC_MIRROR_DIR"] = "/site"
            with Container(built("gitsync"), *flags, env=env) as ours:
                ours.wait_answer("grep", "-qx", "first", "/site/index.html")
                origin.push("second")
                ours.wait_answer("grep", "-qx", "second", "/site/index.html")
                assert ours.running, ours.logs
    finally:
        docker("volume", "rm", *volumes.values())


def test_git_lfs_is_in_the_variant_only(network: Network) -> None:
    flags = [*HARDENED, "--rm", f"--network={network.name}", "--tmpfs=/root-of-git:mode=1777"]
    argv = [f"--repo={Origin.url}", "--ref=main", "--root=/root-of-git", "--one-time", "--lfs=on"]
    with Origin(network) as origin:
        origin.push("hello")
        without = attempt("run", *flags, built("gitsync"), *argv)
        done = attempt("run", *flags, built("gitsync-lfs"), *argv)

    assert without.status == 1
    assert "git-lfs" in without.output
    assert done.status == 0, done.output

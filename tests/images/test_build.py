"""How the images are built."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.engine import STANDIN, built, docker
from tools import image, wheelhouse

ROOT = Path(__file__).parents[2]


def layers(tag: str) -> list[str]:
    (described,) = json.loads(docker("image", "inspect", tag))
    return list(described["RootFS"]["Layers"])


@pytest.mark.usefixtures("_engine")
def test_two_builds_of_one_commit_give_the_same_layers() -> None:
    before = layers(built("metrics-adapter"))

    image.build("metrics-adapter", on_standin=STANDIN, fresh=True)

    assert layers(image.tag("metrics-adapter")) == before


@pytest.mark.usefixtures("_engine")
def test_all_images_share_the_layer_with_the_interpreter() -> None:
    names = ("gitsync", "redis-ambassador", "metrics-adapter", "example-app")

    assert len({layers(built(name))[0] for name in names}) == 1


def test_an_unknown_image_is_refused_with_those_that_exist() -> None:
    command = [sys.executable, "-m", "tools.image", "no-such-image"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert said.returncode == 2
    assert "no-such-image" in said.stderr
    assert "redis-ambassador" in said.stderr


def test_wheels_are_for_the_python_of_the_images() -> None:
    for path in ROOT.glob("images/*/Dockerfile"):
        for line in path.read_text().splitlines():
            if line.startswith("ARG PYTHON_IMAGE="):
                assert f"python:{wheelhouse.PYTHON}-" in line, path


def test_the_example_has_the_pins_of_the_services() -> None:
    locked = {
        line
        for name in ("redis", "metrics")
        for line in wheelhouse.requirements(name).read_text().splitlines()
    }
    example = wheelhouse.requirements("example-app").read_text().splitlines()

    assert set(example) <= locked

"""Facts about the four distributions and their requirements that no tool checks for us."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from podmates_common.version import VERSION

ROOT = Path(__file__).parents[2]
WORKSPACE: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["podmates"]
PROJECTS: dict[str, dict[str, Any]] = {
    member: tomllib.loads((ROOT / member / "pyproject.toml").read_text())["project"]
    for member in WORKSPACE["members"]
}
SHORT = {"sidecars/gitsync": "gitsync", "ambassadors/redis": "redis", "adapters/metrics": "metrics"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", name.strip())[0]).lower()


def pinned(short: str) -> set[str]:
    text = (ROOT / "requirements" / f"{short}.txt").read_text()
    return {normal(line) for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))}


def test_all_members_carry_the_same_version_and_pin_common_to_it() -> None:
    assert {project["version"] for project in PROJECTS.values()} == {WORKSPACE["version"]} == {VERSION}
    for name, project in PROJECTS.items():
        ours = [d for d in project["dependencies"] if d.startswith("podmates-")]

        assert ours == ([] if name == "common" else [f"podmates-common=={VERSION}"])


def test_member_folders_are_not_importable() -> None:
    """An __init__.py in ambassadors/redis would shadow the redis client library."""
    for member in map(Path, PROJECTS):
        for folder in (member, *member.parents):
            assert not (ROOT / folder / "__init__.py").exists(), folder


@pytest.mark.parametrize("member", SHORT)
def test_a_service_is_pinned_to_what_it_and_common_need(member: str) -> None:
    needs = PROJECTS[member]["dependencies"] + PROJECTS["common"]["dependencies"]
    wanted = {normal(need) for need in needs if not need.startswith("podmates-")}

    assert wanted <= pinned(SHORT[member])


@pytest.mark.parametrize("member", SHORT)
def test_a_service_is_not_pinned_to_what_only_another_needs(member: str) -> None:
    own = {normal(n) for n in PROJECTS[member]["dependencies"] + PROJECTS["common"]["dependencies"]}
    foreign = {normal(n) for other in SHORT if other != member for n in PROJECTS[other]["dependencies"]}

    assert (foreign - own) & pinned(SHORT[member]) == set()


def test_every_pin_has_hashes_and_names_no_host() -> None:
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        text = path.read_text()
        pins = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]

        assert pins, path
        assert all(line.endswith("\\") for line in pins), path
        assert not re.search(r"://|--find-links|--index-url|--extra-index-url", text), path


def test_the_services_are_pinned_to_the_same_versions() -> None:
    versions: dict[str, set[str]] = {}
    for short in (*SHORT.values(), "dev"):
        for line in (ROOT / "requirements" / f"{short}.txt").read_text().splitlines():
            if match := re.match(r"([A-Za-z0-9._-]+)==([^ ;\\]+)", line):
                versions.setdefault(normal(match[1]), set()).add(match[2])

    assert {name: found for name, found in versions.items() if len(found) > 1} == {}

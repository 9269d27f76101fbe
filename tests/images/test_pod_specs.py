"""Every published Pod spec is what Kubernetes accepts, and what the runner carries out completely."""

from __future__ import annotations

from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from tests.support.engine import FOREIGN
from tests.support.pod_spec import load

IMAGES = Path(__file__).parents[2] / "images"
SPECS = sorted([*IMAGES.glob("*/pod*.yaml"), *IMAGES.glob("*/swap*.yaml")])
OURS = {"gitsync", "redis-ambassador", "metrics-adapter"}
OLDEST = "1.29"  # the first with native sidecars by default


def identifier(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("path", SPECS, ids=identifier)
@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_a_spec_is_valid_to_the_letter(path: Path, version: str) -> None:
    for document in yaml.safe_load_all(path.read_text()):
        kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("path", SPECS, ids=identifier)
def test_every_container_is_locked_down(path: Path) -> None:
    pod = load(path.read_text()).pod

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["runAsUser"] > 0


@pytest.mark.parametrize("path", SPECS, ids=identifier)
def test_every_image_is_ours_or_has_a_stand_in(path: Path) -> None:
    pod = load(path.read_text()).pod
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        image = container["image"]
        ours = image.removeprefix("podmates/").removesuffix(":dev")

        assert image in FOREIGN or (IMAGES / ours / "Dockerfile").exists(), image


def test_each_pattern_has_both_forms() -> None:
    assert {path.parent.name for path in SPECS} == OURS
    for name in OURS:
        native = load((IMAGES / name / "pod.yaml").read_text())
        classic = load((IMAGES / name / "pod-classic.yaml").read_text())

        assert [sidecar["restartPolicy"] for sidecar in native.sidecars] == ["Always"]
        assert "startupProbe" in native.sidecars[0]
        assert classic.sidecars == []
        assert len(classic.pod["containers"]) == len(native.pod["containers"]) + 1


def test_a_swap_changes_the_image_and_nothing_else() -> None:
    there, back = (_fields(IMAGES / "gitsync" / f"swap-{way}-git-sync.yaml") for way in ("from", "to"))

    assert [line for line, other in zip(there, back, strict=True) if line != other] == [
        f"{start}podmates/gitsync:dev" for start in ("          image: ",) * 2
    ]


def _fields(path: Path) -> list[str]:
    """Return the lines after the comment at the head."""
    lines = path.read_text().splitlines()
    return lines[next(number for number, line in enumerate(lines) if not line.startswith("#")) :]

"""Pod specs as data: what a YAML file of an example asks for, and nothing that we would have to ignore.

A field that the runner does not carry out is an error, so that a spec that passes was really tried.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

Object = dict[str, Any]

_POD = (
    "automountServiceAccountToken containers initContainers restartPolicy securityContext volumes "
    "terminationGracePeriodSeconds"
)
_CONTAINER = (
    "args command env image imagePullPolicy lifecycle livenessProbe name ports readinessProbe resources "
    "restartPolicy securityContext startupProbe volumeMounts workingDir"
)
_SECURITY = (
    "allowPrivilegeEscalation capabilities fsGroup fsGroupChangePolicy readOnlyRootFilesystem runAsGroup "
    "runAsNonRoot runAsUser seccompProfile"
)
_MOUNT = "name mountPath readOnly"
_VOLUME = "name emptyDir configMap secret projected"


class Spec(NamedTuple):
    """One pod and the objects that it refers to."""

    name: str
    pod: Object  # its spec
    config_maps: dict[str, dict[str, str]]
    secrets: dict[str, dict[str, str]]

    @property
    def sidecars(self) -> list[Object]:
        """The init containers, native sidecars among them, in order."""
        return list(self.pod.get("initContainers", []))

    @property
    def security(self) -> Object:
        return dict(self.pod.get("securityContext", {}))


def load(text: str) -> Spec:
    """Return the pod, or the template of the Deployment, in the documents of *text*.

    Raises:
        ValueError: there is not exactly one, or it uses what the runner does not carry out.
    """
    pods: list[tuple[str, Object]] = []
    config_maps: dict[str, dict[str, str]] = {}
    secrets: dict[str, dict[str, str]] = {}
    for document in yaml.safe_load_all(text):
        name = document["metadata"]["name"]
        match document["kind"]:
            case "Pod":
                pods.append((name, document["spec"]))
            case "Deployment":
                pods.append((name, document["spec"]["template"]["spec"]))
            case "ConfigMap":
                config_maps[name] = dict(document.get("data", {}))
            case "Secret":
                encoded = document.get("data", {}).items()
                decoded = {key: base64.b64decode(value).decode() for key, value in encoded}
                secrets[name] = {**decoded, **document.get("stringData", {})}
    if len(pods) != 1:
        raise ValueError(f"{len(pods)} pods in the file")
    spec = Spec(*pods[0], config_maps, secrets)
    _check(spec)
    return spec


def _check(spec: Spec) -> None:
    _refuse(spec.pod, _POD, "pod")
    _refuse(spec.security, _SECURITY, "securityContext")
    for container in [*spec.sidecars, *spec.pod["containers"]]:
        _refuse(container, _CONTAINER, container["name"])
        _refuse(container.get("securityContext", {}), _SECURITY, f"{container['name']}.securityContext")
        for mount in container.get("volumeMounts", []):
            _refuse(mount, _MOUNT, f"{container['name']}.volumeMounts")
    for volume in spec.pod.get("volumes", []):
        _refuse(volume, _VOLUME, volume["name"])


def _refuse(given: Mapping[str, object], known: str, where: str) -> None:
    unknown = set(given) - set(known.split())
    if unknown:
        raise ValueError(f"{where}: the runner does not carry out {', '.join(sorted(unknown))}")


def environment(container: Object, spec: Spec, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of *container*; *fields* are the values for ``fieldRef``."""
    found: dict[str, str] = {}
    for row in container.get("env", []):
        value = row["value"] if "value" in row else _referred(row["valueFrom"], spec, fields)
        found[row["name"]] = re.sub(r"\$\((\w+)\)", lambda m: found.get(m[1], m[0]), value)
    return found


def _referred(source: Object, spec: Spec, fields: Mapping[str, str]) -> str:
    match source:
        case {"fieldRef": {"fieldPath": path}}:
            return fields[path]
        case {"configMapKeyRef": {"name": name, "key": key}}:
            return spec.config_maps[name][key]
        case {"secretKeyRef": {"name": name, "key": key}}:
            return spec.secrets[name][key]
    raise ValueError(f"valueFrom: {source}")


def security_flags(container: Object, spec: Spec) -> list[str]:
    """Return the securityContext of *container* within its pod as flags of ``docker run``."""
    context = {**spec.security, **container.get("securityContext", {})}
    flags = []
    if "runAsUser" in context:
        group = f":{context['runAsGroup']}" if "runAsGroup" in context else ""
        flags.append(f"--user={context['runAsUser']}{group}")
    if "fsGroup" in context:
        flags.append(f"--group-add={context['fsGroup']}")
    if context.get("readOnlyRootFilesystem"):
        flags.append("--read-only")
    if context.get("allowPrivilegeEscalation") is False:
        flags.append("--security-opt=no-new-privileges")
    capabilities = context.get("capabilities", {})
    flags += [f"--cap-drop={name}" for name in capabilities.get("drop", [])]
    flags += [f"--cap-add={name}" for name in capabilities.get("add", [])]
    limit = container.get("resources", {}).get("limits", {}).get("memory")
    if limit:
        flags.append(f"--memory={limit.removesuffix('i').lower()}")
    return flags


def files(volume: Object, spec: Spec) -> dict[str, tuple[str, int]] | None:
    """Return the files of a volume, path → text and mode; None for an emptyDir."""
    if "emptyDir" in volume:
        return None
    if "projected" in volume:
        sources, mode = volume["projected"]["sources"], volume["projected"].get("defaultMode", 0o644)
    else:
        (kind,) = set(volume) - {"name"}
        sources, mode = [{kind: volume[kind]}], volume[kind].get("defaultMode", 0o644)
    found: dict[str, tuple[str, int]] = {}
    for source in sources:
        ((kind, reference),) = source.items()
        name = reference.get("name") or reference["secretName"]
        data = spec.config_maps[name] if kind == "configMap" else spec.secrets[name]
        chosen = reference.get("items") or [{"key": key, "path": key} for key in data]
        for item in chosen:
            found[item["path"]] = data[item["key"]], item.get("mode", mode)
    return found

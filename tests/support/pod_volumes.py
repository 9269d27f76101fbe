"""The volumes of a pod: made on the engine, and filled the way a node does it."""

from __future__ import annotations

import io
import tarfile
import time

from tests.support.engine import docker
from tests.support.pod_spec import Spec, files


def make(spec: Spec, mark: str) -> dict[str, str]:
    """Return the engine's volume for each of the pod's, just made; their names start with *mark*."""
    group = spec.security.get("fsGroup", 0)
    made = {}
    for volume in spec.pod.get("volumes", []):
        options: list[str] = []
        if volume.get("emptyDir", {}).get("medium") == "Memory":
            size = volume["emptyDir"].get("sizeLimit", "64Mi").removesuffix("i").lower()
            options = ["--opt=type=tmpfs", "--opt=device=tmpfs", f"--opt=o=size={size},mode=1777,gid={group}"]
        made[volume["name"]] = docker("volume", "create", *options, f"{mark}-{volume['name']}")
    return made


def mount(source: str, target: str, *, read_only: bool = False) -> str:
    """Return the flag of ``docker run`` for a volume; what the image has at *target* is not copied."""
    end = ",readonly" if read_only else ""
    return f"--mount=type=volume,source={source},target={target},volume-nocopy{end}"


def archive(spec: Spec) -> bytes:
    """Return a tar file with a folder per volume: owner, mode and files as a node would set them."""
    group = spec.security.get("fsGroup", 0)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for volume in spec.pod.get("volumes", []):
            content = files(volume, spec)
            writable = 0o2777 if group else 0o777
            mode = writable if content is None else 0o755
            tar.addfile(_entry(volume["name"], tarfile.DIRTYPE, mode, group))
            if content:
                _add_files(tar, volume["name"], content, group)
    return packed.getvalue()


def _entry(name: str, kind: bytes, mode: int, group: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.gid, entry.mtime = kind, mode, group, int(time.time())
    return entry


def _add_files(tar: tarfile.TarFile, volume: str, content: dict[str, tuple[str, int]], group: int) -> None:
    """Lay files out as a node does: a link per name, through ``..data``, into a folder of this version."""
    tar.addfile(_entry(f"{volume}/..version", tarfile.DIRTYPE, 0o755, group))
    link = _entry(f"{volume}/..data", tarfile.SYMTYPE, 0o777, group)
    link.linkname = "..version"
    tar.addfile(link)
    for path, (text, mode) in content.items():
        data = text.encode()
        file = _entry(f"{volume}/..version/{path}", tarfile.REGTYPE, mode | (0o440 if group else 0), group)
        file.size = len(data)
        tar.addfile(file, io.BytesIO(data))
    for name in {path.split("/")[0] for path in content}:
        link = _entry(f"{volume}/{name}", tarfile.SYMTYPE, 0o777, group)
        link.linkname = f"..data/{name}"
        tar.addfile(link)

"""The git of another root file system, run on this one by its own loader, libraries and helpers."""

from __future__ import annotations

from pathlib import Path

_CORE = Path("usr/lib/git-core")
_SCRIPT = """\
#!/bin/sh
export GIT_EXEC_PATH={core} GIT_TEMPLATE_DIR={templates}
exec {loader} --library-path {libraries} --argv0 {name} {program} "$@"
"""


def wrap(root: Path, folder: Path, rest: Path) -> Path:
    """Make commands below *folder* that run the git below *root*; return the directory for the PATH.

    Args:
        root: the file system.
        folder: for the commands; does not exist.
        rest: where this machine's git has its helpers: those that *root* lacks, such as servers, are these.

    Raises:
        FileNotFoundError: there is no git, or no loader that it could run by.
    """
    loaders = sorted((root / "usr/lib").glob("*/ld-linux*.so.*"))
    if not loaders or not (root / "usr/bin/git").exists():
        raise FileNotFoundError(f"{root} has no git that can be run from outside")
    programs, core = folder / "bin", folder / "core"
    for made in (programs, core):
        made.mkdir(parents=True)
    for source, made in ((root / "usr/bin", programs), (root / _CORE, core)):
        for path in source.iterdir():
            if path.name == "git" or path.name.startswith("git-"):
                _wrap(path, made / path.name, root=root, core=core, loader=loaders[0])
    for path in rest.iterdir():
        if not (core / path.name).exists():
            (core / path.name).symlink_to(path)
    return programs


def _wrap(path: Path, made: Path, *, root: Path, core: Path, loader: Path) -> None:
    program = root / str(path.readlink()).lstrip("/") if _is_absolute_link(path) else path.resolve()
    if program.is_file() and program.read_bytes()[:4] != b"\x7fELF":
        made.symlink_to(program)  # a script: it finds the others by the PATH
        return
    text = _SCRIPT.format(
        core=core,
        templates=root / "usr/share/git-core/templates",
        loader=loader,
        libraries=loader.parent,
        name=path.name,
        program=program,
    )
    made.write_text(text)
    made.chmod(0o755)


def _is_absolute_link(path: Path) -> bool:
    return path.is_symlink() and path.readlink().is_absolute()

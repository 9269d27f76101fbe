"""What the settings say of how trees get their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from podmates_gitsync.settings import Settings
from podmates_gitsync.trees import sparse


@dataclass(frozen=True, slots=True)
class Recipe:
    """The same for every tree of a repository."""

    submodules: str = "off"  # or recursive, shallow
    depth: int = 0  # history of submodules, 0 for all
    sparse_file: Path | None = None  # absolute; read again for each tree
    paths: tuple[str, ...] = ()  # directories to publish, normal; all for none

    publish: str = "checkout"  # or auto, link, reflink
    changed_by_others: bool = False  # a hook or the group may write in a tree

    large: bool = False  # git-lfs is in use

    @classmethod
    def of(cls, settings: Settings) -> Recipe:
        """Return what *settings* say."""
        return cls(
            submodules=settings.submodules,
            depth=settings.depth,
            sparse_file=Path(settings.sparse_checkout_file) if settings.sparse_checkout_file else None,
            paths=tuple(sparse.normal(path) for path in settings.path),
            publish=settings.publish,
            large=settings.lfs == "on",
            changed_by_others=bool(
                settings.exechook_command or settings.pre_publish_exechook_command or settings.group_write
            ),
        )

    @property
    def sparse(self) -> bool:
        """Whether trees hold a part of the files only."""
        return bool(self.sparse_file or self.paths)

"""What can be read of the configuration's slots, however wrong the rest of the file is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fanfold.config import load_slots
from fanfold.views.slots_read import SlotsRead, changed_at

__all__ = ["KeptSlots", "SlotsRead", "read_slots"]


def read_slots(
    path: Path, env: Mapping[str, str], warn: Callable[[str], None] | None = None
) -> SlotsRead:
    """Return the slots of the configuration at *path*; nothing is raised.

    Args:
        path: The file.
        env: Where ``${NAME}`` is looked up.
        warn: Told each of the configuration's warnings.
    """
    read = load_slots(path, env)
    for warning in read.warnings if warn else ():
        warn(warning.render(path.name))  # type: ignore[misc]
    unknown, unread = (
        tuple(f"{path.absolute()}: {each}" for each in sentences)
        for sentences in (read.unknown, read.unread)
    )
    return SlotsRead(read.catalogue, unknown, unread, changed_at(path), read.origins)


class KeptSlots:
    """The slots of a configuration, read again when the file changed.

    Args:
        path: The file.
        env: Where ``${NAME}`` is looked up.
    """

    def __init__(self, path: Path, env: Mapping[str, str]) -> None:
        self.path = path
        self.env = env
        self._kept: tuple[tuple[int, int], SlotsRead] | None = None

    def __call__(self) -> SlotsRead:
        """Return what can be read of the file now."""
        try:
            status = self.path.stat()
            seen = (status.st_mtime_ns, status.st_size)
        except OSError:
            seen = (0, 0)
        kept = self._kept
        if kept is None or kept[0] != seen:
            kept = self._kept = (seen, read_slots(self.path, self.env))
        return kept[1]

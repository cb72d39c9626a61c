"""What could be read of the configuration's slots; to say it takes no YAML parser."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fanfold.domain.model.collector import Catalogue


@dataclass(frozen=True, slots=True)
class SlotsRead:
    """What could be read of the configuration's slots.

    ``catalogue`` is None if nothing could; ``unknown`` says what is wrong with what slots need,
    ``unread`` what else is wrong, a sentence each that names the file. ``changed_at`` is when the
    file was last written.
    """

    catalogue: Catalogue | None
    unknown: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    changed_at: datetime | None = None


def changed_at(path: Path) -> datetime | None:
    """Return when the file at *path* was last written, None if nobody can say."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, ValueError, OverflowError):  # it is gone, or its time is no time
        return None

"""What could be read of the configuration's slots; to say it takes no YAML parser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fanfold.domain.model.collector import Catalogue

if TYPE_CHECKING:
    from fanfold.config.origins import Origin


@dataclass(frozen=True, slots=True)
class SlotsRead:
    """What could be read of the configuration's slots.

    ``catalogue`` is None if nothing could; ``unknown`` says what is wrong with what slots need,
    ``unread`` what else is wrong, a sentence each that names the file. ``changed_at`` is when the
    file was last written. ``origins`` has each dotted key's value of a file without an error,
    secrets masked, and where it is from.
    """

    catalogue: Catalogue | None
    unknown: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    changed_at: datetime | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict)


def changed_at(path: Path) -> datetime | None:
    """Return when the file at *path* was last written, None if nobody can say."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, ValueError, OverflowError):  # it is gone, or its time is no time
        return None

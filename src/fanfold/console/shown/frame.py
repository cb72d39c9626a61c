"""What stands around every page: where one is, what time it is, and what waits for somebody."""

from __future__ import annotations

from typing import Any

from fanfold.console.site import site
from fanfold.domain.syntax.text import weekday, zone

#: Of more dead letters than this the head says only that there are more.
MAX_LETTERS = 9


def frame(here: str) -> dict[str, Any]:
    """Return what the head of a page shows, on which *here* names its place in the navigation."""
    return {"here": here, "clock": clock_words(), "letters": _letters()}


def clock_words() -> str:
    """Return the time that the head of a page shows: all that it says to a stranger."""
    now = site().parts.clock.now()
    catalogue = site().slots().catalogue
    timezone = catalogue.timezone if catalogue else "UTC"
    day, number, month, time = weekday(now, timezone).split()
    return f"{day} {number} {month}, {time} {zone(timezone)}"


def _letters() -> str:
    letters = site().parts.ledger.dead_letters(MAX_LETTERS + 1)
    waiting = sum(each.replayed_at is None for each in letters)
    return f"{MAX_LETTERS}+" if waiting > MAX_LETTERS else str(waiting or "")

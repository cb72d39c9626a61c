"""What the pages are made from: the ledger, the configuration and the time, in one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

from fanfold.views.overview import Overview, overview_of

if TYPE_CHECKING:
    from fanfold.console.access import Access
    from fanfold.runtime.parts import Parts
    from fanfold.views.slots import SlotsRead

#: The newest runs that home looks at to find the last slot's.
RECENT_RUNS = 12


@dataclass(frozen=True, slots=True)
class Site:
    """What every page may use.

    Args:
        parts: The ledger, the reports, the clock, the bus.
        slots: Returns what can be read of the configuration now.
        access: Decides who may look and act.
        place: What is looked at: the database file, or the project on Google Cloud.
    """

    parts: Parts
    slots: Callable[[], SlotsRead]
    access: Access
    place: str

    def overview(self) -> Overview:
        """Return how everything stands now."""
        return overview_of(
            self.parts.ledger,
            self.slots(),
            self.parts.clock.now(),
            place=self.place,
            recent=RECENT_RUNS,
        )


def site() -> Site:
    """Return the site of the application that answers this request."""
    return cast("Site", current_app.extensions["fanfold"])

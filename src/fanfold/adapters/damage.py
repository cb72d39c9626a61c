"""What a ledger's reads met that cannot be read: told to people, and in nobody's way.

Each read of a stored record goes through :meth:`Damage.read`, with what stands in the record's
place if it cannot be read. A record that can be read again is no longer told of.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from fanfold.domain.model.errors import words_of
from fanfold.domain.syntax.text import one_line

T = TypeVar("T")

#: Most records that are told of, so that a damaged store does not fill the memory.
MOST_TOLD = 100

#: A record that nobody read again is told of for so long, in seconds.
TOLD_FOR_S = 600.0

#: Most characters of the reason why a record cannot be read.
MAX_WHY_CHARS = 300


class Place(NamedTuple):
    """A stored record, in words: ``what`` it is, and ``then`` what follows and who mends it.

    Both are templates for ``of``, what tells the record from others: each read makes a place, and
    hardly one is told.
    """

    what: str
    then: str
    of: tuple[str, ...] = ()

    def sentence(self, why: str) -> str:
        """Return the sentence about the record, which cannot be read because of *why*."""
        what, then = self.what.format(*self.of), self.then.format(*self.of)
        return f"{what} cannot be read ({why}): {then}"


class Damage:
    """The records that could not be read, with the reasons. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._met: dict[Place, tuple[float, str]] = {}

    def read(self, place: Place, load: Callable[[], T], instead: Callable[[str], T]) -> T:
        """Return what *load* makes of the record at *place*, or *instead* of the reason."""
        try:
            loaded = load()
        except Exception as exc:  # noqa: BLE001 - whatever is stored there, others are to be read
            why = one_line(words_of(exc), MAX_WHY_CHARS)
            self._note(place, why)
            return instead(why)
        if self._met:
            with self._lock:
                self._met.pop(place, None)
        return loaded

    def sentences(self) -> Sequence[str]:
        """Return what could not be read when it was last read, a sentence for each record."""
        oldest = time.monotonic() - TOLD_FOR_S
        with self._lock:
            self._met = {place: met for place, met in self._met.items() if met[0] >= oldest}
            return [place.sentence(why) for place, (_, why) in self._met.items()]

    def _note(self, place: Place, why: str) -> None:
        with self._lock:
            if place in self._met or len(self._met) < MOST_TOLD:
                self._met[place] = time.monotonic(), why


def of_run(run_id: str, *, is_over: bool) -> Place:
    """Return the place of a run's record; *is_over* tells whether its report is written."""
    then = (
        "the run is over; mend it where it is stored, or delete it there"
        if is_over
        else "no collector is called for it; mend it where it is stored, or end the run: "
        "fanfold cancel {0}"
    )
    return Place("run {0}: its record", then, (run_id,))


def of_entry(run_id: str, collector: str) -> Place:
    """Return the place of a collector's settings in the manifest of a run."""
    then = "it is not called in this run; later: fanfold retry {0}"
    return Place("run {0}: what is to be asked of {1}", then, (run_id, collector))


def of_job(run_id: str, collector: str) -> Place:
    """Return the place of a job."""
    then = "{1} is not called any more in this run; later: fanfold retry {0}"
    return Place("run {0}: the job of {1}", then, (run_id, collector))


def of_answer(run_id: str, collector: str, kind: str = "answer") -> Place:
    """Return the place of an answer, or of late evidence."""
    then = "it counts as failed; to ask {1} again: fanfold retry {0}"
    return Place("run {0}: the {2} of {1}", then, (run_id, collector, kind))


def of_past(collector: str) -> Place:
    """Return the place of what is remembered of a collector, or of all of them."""
    then = "it is left out, and later runs are added"
    return Place("what is remembered of {0}", then, (collector,))


def of_schedules() -> Place:
    """Return the place of what is known of the schedules."""
    return Place("since when each schedule is known", "it counts from the next sweep on")


def of_pauses() -> Place:
    """Return the place of what is paused."""
    return Place("a pause", "it counts as none; see fanfold pause")


def of_upstream(name: str) -> Place:
    """Return the place of what is known of a source."""
    return Place(f"what is known of the source {name}", "its limits count from now on")


def of_letter(letter_id: str) -> Place:
    """Return the place of a dead letter."""
    then = "it is shown as far as it can be, and is not replayed"
    return Place("dead letter {0}", then, (letter_id,))


def of_message(subscription: str, message_id: str) -> Place:
    """Return the place of a message that waits."""
    then = "it goes on without its attributes"
    return Place("message {0} of {1}", then, (message_id, subscription))

"""The embedded timer: the host's own Cloud Scheduler. It publishes ticks, and does nothing else.

Cron ticks go out at their slots, sweep ticks at a steady rate and as soon as something is due. A
slot that passed while no process ran is made up for at the next start, if that is soon enough.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from fanfold.adapters.embedded.clock_changes import ALIVE, ClockChanges
from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.duty import Duty, OnTrouble, has_ended
from fanfold.adapters.embedded.ledger import SqliteLedger
from fanfold.adapters.embedded.micros import from_micros_near, micros
from fanfold.domain.model.collector import Catalogue
from fanfold.messages import events, run_request
from fanfold.messages.topology import RUN_REQUESTS, SWEEP_TICKS
from fanfold.ports.bus import Bus
from fanfold.ports.outside import Clock

#: How often the sweep runs at least, in seconds.
SWEEP_EVERY_S = 15.0

#: How often runs whose time is up are deleted, in seconds.
TIDY_EVERY_S = 3600.0

#: While the clock is not settled, the tidying waits this long for it, in seconds.
TIDY_AGAIN_S = 60.0

#: How often the timer looks at the clock, in seconds.
LOOK_EVERY_S = 0.5

#: How often it notes that it lives, for the next start to know what was slept through, in seconds.
ALIVE_EVERY_S = 15.0

#: Ticks that did not go out for this long stand still, in seconds.
STANDSTILL_S = 60.0


class Timer:
    """Publishes ticks from :meth:`start` to :meth:`stop`.

    Args:
        ledger: Says when something is due, and what is paused.
        catalogue: Returns the configuration as it now is; None means that there are no schedules.
        changes: Looks whether the clock was set.
        on_trouble: Told in a sentence what does not work.
    """

    def __init__(
        self,
        ledger: SqliteLedger,
        bus: Bus,
        clock: Clock,
        *,
        catalogue: Callable[[], Catalogue] | None,
        changes: ClockChanges,
        on_trouble: OnTrouble,
    ) -> None:
        self.ledger = ledger
        self.bus = bus
        self.clock = clock
        self.catalogue = catalogue
        self._changes = changes
        self._looked_at: datetime | None = None
        self._next_sweep_at = self._next_tidy_at = float("-inf")
        self._swept_for: datetime | None = None
        self._sweeping = Duty("the sweep's tick", LOOK_EVERY_S, self._tick_sweep, on_trouble)
        self._duties = [
            self._sweeping,
            Duty("the deletion of old runs", LOOK_EVERY_S, self._tidy, on_trouble),
        ]
        if catalogue is not None:
            self._duties += [
                Duty("the schedules' tick", LOOK_EVERY_S, self._tick_schedules, on_trouble),
                Duty("the note that the timer lives", ALIVE_EVERY_S, self._note_alive, on_trouble),
            ]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="fanfold-timer", daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """Tick no more."""
        self._stopping.set()
        self._thread.join()

    def standing_still(self) -> Sequence[str]:
        """Return why no ticks go out, a sentence; empty if they do."""
        if has_ended(self._thread):
            return ["the timer stands still: its thread ended"]
        undone_s = self._sweeping.undone_s()
        if undone_s > STANDSTILL_S:
            return [f"the timer stands still: no sweep for {undone_s:.0f} s"]
        return []

    def _tick(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            for duty in self._duties:
                duty.do_if_due()

    def _tick_sweep(self) -> None:
        due = self.ledger.next_due()
        now = self.clock.now()
        # What is due brings one tick at once; what it could not mend waits for the next one.
        is_newly_due = due is not None and due <= now and due != self._swept_for
        if is_newly_due or time.monotonic() >= self._next_sweep_at:
            is_set = not self._changes.is_settled()
            self.bus.publish(SWEEP_TICKS, [events.encode_tick(at=now, clock_was_set=is_set)])
            self._next_sweep_at = time.monotonic() + SWEEP_EVERY_S
            self._swept_for = due

    def _tick_schedules(self) -> None:
        """Publish a tick for every slot that came since the last look."""
        if self.catalogue is None or not self._changes.is_settled():
            return
        now = self.clock.now()
        since = self._last_alive() if self._looked_at is None else self._looked_at
        self._publish_slots(self.catalogue(), min(since, now), now)
        self._looked_at = now

    def _publish_slots(self, catalogue: Catalogue, since: datetime, now: datetime) -> None:
        """Publish a tick for every slot in ``(since, now]`` that is neither overdue nor paused."""
        for request in run_request.slot_requests(catalogue, since, now, self.ledger.pauses):
            self.bus.publish(RUN_REQUESTS, [request])

    def _tidy(self) -> None:
        """Delete the runs whose time is up, by a clock that nobody set in the last minute."""
        if time.monotonic() < self._next_tidy_at:
            return
        is_settled = self._changes.is_settled()
        if is_settled:
            self.ledger.forget_expired(self.clock.now())
        self._next_tidy_at = time.monotonic() + (TIDY_EVERY_S if is_settled else TIDY_AGAIN_S)

    def _last_alive(self) -> datetime:
        """Return when a timer last lived on this file; now if none ever did."""
        row = self.ledger.database.row("SELECT value FROM meta WHERE name = ?", (ALIVE,))
        try:
            return from_micros_near(int(row[0]))
        except (TypeError, ValueError):  # there is none, or what somebody wrote there
            return self.clock.now()

    def _note_alive(self) -> None:
        if self._changes.is_settled():
            note_alive(self.ledger.database, self.clock.now())


def note_alive(database: Database, now: datetime) -> None:
    """Note in the file that a timer lived at *now*."""
    database.write(
        lambda connection: connection.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (ALIVE, str(micros(now))),
        )
    )

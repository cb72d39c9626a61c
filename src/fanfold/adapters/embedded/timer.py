"""The embedded timer: the host's own Cloud Scheduler. It publishes ticks, and does nothing else.

Cron ticks go out at their slots, sweep ticks at a steady rate and as soon as something is due. A
slot that passed while no process ran is made up for at the next start, if that is soon enough.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from fanfold.adapters.embedded.database import Database
from fanfold.adapters.embedded.ledger.runs import SqliteRuns
from fanfold.adapters.embedded.micros import from_micros, micros
from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import FanfoldError
from fanfold.messages import events, run_request
from fanfold.messages.topology import RUN_REQUESTS, SWEEP_TICKS
from fanfold.ports.bus import Bus
from fanfold.ports.outside import Clock

#: How often the sweep runs at least, in seconds.
SWEEP_EVERY_S = 15.0

#: How often runs whose time is up are deleted, in seconds.
TIDY_EVERY_S = 3600.0

#: How often the timer looks at the clock, in seconds.
LOOK_EVERY_S = 0.5

#: How often it notes that it lives, for the next start to know what was slept through, in seconds.
ALIVE_EVERY_S = 15.0


class Timer:
    """Publishes ticks from :meth:`start` to :meth:`stop`.

    Args:
        runs: Says when something is due.
        catalogue: Returns the configuration as it now is; None means that there are no schedules.
        on_trouble: Told in a sentence when a tick could not be published.
    """

    def __init__(
        self,
        runs: SqliteRuns,
        bus: Bus,
        clock: Clock,
        catalogue: Callable[[], Catalogue] | None,
        on_trouble: Callable[[str], None],
    ) -> None:
        self.runs = runs
        self.bus = bus
        self.clock = clock
        self.catalogue = catalogue
        self.on_trouble = on_trouble
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="fanfold-timer", daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """Tick no more."""
        self._stopping.set()
        self._thread.join()

    def _tick(self) -> None:
        next_sweep = self.clock.now()
        looked_at = self._last_alive()
        next_alive = next_tidy = self.clock.now()
        told = ""
        while not self._stopping.wait(LOOK_EVERY_S):
            now = self.clock.now()
            try:
                if now >= next_sweep or self._is_due(now):
                    self.bus.publish(SWEEP_TICKS, [events.encode_tick(at=now)])
                    next_sweep = now + timedelta(seconds=SWEEP_EVERY_S)
                if self.catalogue is not None:
                    self._publish_slots(self.catalogue(), looked_at, now)
                    if now >= next_alive:
                        _note_alive(self.runs.database, now)
                        next_alive = now + timedelta(seconds=ALIVE_EVERY_S)
                looked_at = now
                if now >= next_tidy:
                    self.runs.forget_expired(now)
                    next_tidy = now + timedelta(seconds=TIDY_EVERY_S)
                told = ""
            except Exception as exc:  # noqa: BLE001 - without ticks no run would end
                trouble = str(exc) if isinstance(exc, FanfoldError) else repr(exc)
                if trouble != told:
                    self.on_trouble(f"the timer goes on, but: {trouble}")
                told = trouble

    def _is_due(self, now: datetime) -> bool:
        due = self.runs.next_due()
        return due is not None and due <= now

    def _publish_slots(self, catalogue: Catalogue, since: datetime, now: datetime) -> None:
        """Publish a tick for every slot in ``(since, now]`` that is not overdue."""
        for request in run_request.slot_requests(catalogue, since, now):
            self.bus.publish(RUN_REQUESTS, [request])

    def _last_alive(self) -> datetime:
        """Return when a timer last lived on this file; now if none ever did."""
        row = self.runs.database.row("SELECT value FROM meta WHERE name = 'timer_alive_at'")
        return self.clock.now() if row is None else from_micros(int(row[0]))


def _note_alive(database: Database, now: datetime) -> None:
    database.write(
        lambda connection: connection.execute(
            "INSERT INTO meta VALUES ('timer_alive_at', ?) "
            "ON CONFLICT DO UPDATE SET value = excluded.value",
            (str(micros(now)),),
        )
    )

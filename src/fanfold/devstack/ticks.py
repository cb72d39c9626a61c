"""The emulators' Cloud Scheduler: cron ticks at their slots, and the sweep every few seconds.

The messages are those of ``infra/scheduler.tf``. A slot that passed while nothing ran is not made
up for: the sweep records it as missed, as it would on Google Cloud.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import words_of
from fanfold.domain.model.request import RunRequest
from fanfold.domain.rules.overdue import slots_to_start
from fanfold.messages import events, run_request
from fanfold.messages.topology import RUN_REQUESTS, SWEEP_TICKS
from fanfold.ports.bus import Bus

#: How often the clock is looked at, in seconds.
LOOK_EVERY_S = 0.5


class Ticks:
    """Publishes ticks from :meth:`start` to :meth:`stop`.

    Args:
        bus: Where to.
        catalogue: Returns the configuration as it now is.
        sweep_every_s: Time between two sweeps, in seconds; a minute on Google Cloud.
        say: Told in a sentence when a tick could not be published.
    """

    def __init__(
        self,
        bus: Bus,
        catalogue: Callable[[], Catalogue],
        *,
        sweep_every_s: float,
        say: Callable[[str], None],
    ) -> None:
        self.bus = bus
        self.catalogue = catalogue
        self.sweep_every_s = sweep_every_s
        self.say = say
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="ticks", daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """Tick no more."""
        self._stopping.set()
        self._thread.join()

    def _tick(self) -> None:
        looked_at = datetime.now(UTC)
        next_sweep_at = time.monotonic()
        while not self._stopping.wait(LOOK_EVERY_S):
            now = datetime.now(UTC)
            try:
                if time.monotonic() >= next_sweep_at:
                    self.bus.publish(SWEEP_TICKS, [events.encode_tick(at=now)])
                    next_sweep_at = time.monotonic() + self.sweep_every_s
                self._publish_slots(looked_at, now)
                looked_at = now
            except Exception as exc:  # noqa: BLE001 - without ticks no run would end
                if not self._stopping.is_set():
                    trouble = words_of(exc)
                    self.say(f"the timer goes on, but: {trouble}")

    def _publish_slots(self, since: datetime, now: datetime) -> None:
        """Publish a tick for each slot in ``(since, now]``; it names its cron, and no slot."""
        catalogue = self.catalogue()
        for cron in slots_to_start(catalogue, since, now).values():
            tick = RunRequest(schedule=catalogue.schedule, cron=cron)
            self.bus.publish(RUN_REQUESTS, [run_request.encode_run_request(tick)])

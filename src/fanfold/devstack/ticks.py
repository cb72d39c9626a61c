"""The emulators' Cloud Scheduler: cron ticks at their slots, and the sweep every few seconds.

The messages are those of ``infra/scheduler.tf``. A slot that passed while nothing ran is not made
up for: the sweep records it as missed, as it would on Google Cloud.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from fanfold.domain.model.collector import Catalogue
from fanfold.domain.model.errors import FanfoldError
from fanfold.domain.model.request import RunRequest
from fanfold.domain.rules import overdue
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
        looked_at = next_sweep = datetime.now(UTC)
        while not self._stopping.wait(LOOK_EVERY_S):
            now = datetime.now(UTC)
            try:
                if now >= next_sweep:
                    self.bus.publish(SWEEP_TICKS, [events.encode_tick(at=now)])
                    next_sweep = now + timedelta(seconds=self.sweep_every_s)
                self._publish_slots(looked_at, now)
                looked_at = now
            except FanfoldError as exc:
                if not self._stopping.is_set():
                    self.say(f"the timer goes on, but: {exc}")

    def _publish_slots(self, since: datetime, now: datetime) -> None:
        catalogue = self.catalogue()
        for cron in overdue.slots_to_start(catalogue, since, now).values():
            request = RunRequest(schedule=catalogue.schedule, cron=cron)
            self.bus.publish(RUN_REQUESTS, [run_request.encode_run_request(request)])
